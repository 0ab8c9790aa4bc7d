// How long the whole process takes and how much memory, against `node -e 0` in the same run: medians over fresh
// processes, taken in turn so that a machine that slows down slows both.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { chainModel, filledModel, sparseModel } from './models.js';

const RUNS = Number(process.env.RUNS ?? 9);
const command = join(import.meta.dirname, '../bin/dsc-audit.js');
const fixture = (name) => join(import.meta.dirname, '../fixtures/onnx', name);

function run(args, more = []) {
  const { status, output, stderr } = spawnSync(process.execPath, [...more, ...args], {
    stdio: ['ignore', 'ignore', 'pipe', 'pipe'],
  });
  if (status !== 0) throw new Error(`${args.join(' ')}: ${stderr}`);
  return output;
}

/** Wall time of one fresh process, from its start to its end. */
function wallMs(args) {
  const started = process.hrtime.bigint();
  run(args);
  return Number(process.hrtime.bigint() - started) / 1e6;
}

/** Peak memory of one fresh process, as it counts it itself when it ends. */
function peakMb(args) {
  const probe = "process.on('exit',()=>require('node:fs').writeSync(3,String(process.resourceUsage().maxRSS)))";
  const require = "import{createRequire}from'node:module';const require=createRequire('file:///');";
  return Number(run(args, ['--import', `data:text/javascript,${encodeURIComponent(require + probe)}`])[3]) / 1000;
}

const median = (values) => [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)];

/** Both commands in turn, and the ratio of their medians. */
function compare(label, args, against) {
  const ours = [];
  const theirs = [];
  for (let count = 0; count < RUNS; count++) {
    ours.push(wallMs(args));
    theirs.push(wallMs(against.args));
  }
  const figures = `${median(ours).toFixed(0).padStart(6)} ms  ${peakMb(args).toFixed(0).padStart(5)} MB`;
  const ratio = (median(ours) / median(theirs)).toFixed(2);
  console.log(`${label.padEnd(34)} ${figures}  ${ratio.padStart(6)} × ${against.label}`);
}

const folder = mkdtempSync(join(tmpdir(), 'dsc-audit-bench-'));
try {
  const nothing = { label: 'node -e 0', args: ['-e', '0'] };
  const resnet = filledModel(fixture('resnet50.onnx'), join(folder, 'resnet50.onnx'));
  const large = sparseModel(join(folder, 'large.onnx'), 2.4e9);
  const small = sparseModel(join(folder, 'small.onnx'), 2.4e3);
  console.log(`node ${process.version}, medians of ${RUNS} fresh processes, in turn\n`);
  compare('resnet50 with weights, 102 MB', [command, resnet], nothing);
  compare('2.4 GB of weights', [command, large], {
    label: 'the same graph, 2.4 kB of weights',
    args: [command, small],
  });
  const chain = chainModel(join(folder, 'chain-1k.onnx'), 1_000);
  const long = chainModel(join(folder, 'chain-10k.onnx'), 10_000);
  compare('10,000 nodes', [command, long], nothing);
  compare('10,000 nodes', [command, long], { label: '1,000 nodes', args: [command, chain] });
} finally {
  rmSync(folder, { recursive: true, force: true });
}
