import { existsSync } from 'node:fs';
import { dirname } from 'node:path';
import { checkReplaceable } from '../formats/output-file.ts';
import { DscAuditError } from '../ir/errors.ts';
import { backendOf } from '../latency/backends/index.ts';
import { calibrate } from '../latency/calibrate.ts';
import { thisMachine } from '../latency/machine.ts';
import type { Profile, ThreadFit } from '../latency/profile.ts';
import { machineProfilePath, writeProfile } from '../latency/profile-store.ts';
import { plainText } from '../report/plain-text.ts';
import { progressLine } from './progress-line.ts';
import { print, type Terminal } from './terminal.ts';

export interface CalibrateCommandOptions {
  readonly quick?: boolean;
  readonly threads: readonly number[];
  readonly backend: string;
  readonly output?: string;
}

/** Calibrates, stores the profile, and prints how far off it is. */
export async function runCalibrate(options: CalibrateCommandOptions, terminal: Terminal): Promise<void> {
  const { profile, path, warnings } = await calibrateHere(options, terminal);
  await print(terminal.stdout, reportText(profile, path));
  for (const text of warnings) await print(terminal.stderr, `${text}\n`);
}

async function calibrateHere(options: CalibrateCommandOptions, { stderr, env, onInterrupt }: Terminal) {
  if (options.output !== undefined) checkOutput(options.output);
  const backend = backendOf(options.backend);
  const machine = thisMachine();
  const now = (): number => performance.now();
  const line = progressLine(stderr, now);
  const warnings: string[] = [];
  const interruption = new AbortController();
  const stopListening = onInterrupt?.(() => interruption.abort());
  try {
    const profile = await calibrate(
      { backend, threads: options.threads, quick: options.quick ?? false },
      {
        now,
        date: () => new Date(),
        machine,
        leftOut: (count, networks, of) => warnings.push(leftOutText(count, networks, of)),
        progress: (share, leftMs) => line.show(progressText(share, leftMs)),
        signal: interruption.signal,
      },
    );
    const path = options.output ?? machineProfilePath({ env, platform: machine.platform }, backend.name);
    writeProfile(path, profile);
    return { profile, path, warnings };
  } finally {
    line.clear();
    stopListening?.();
  }
}

/** Before minutes are spent on it: a folder that is not there is not made, here as with every other output. */
function checkOutput(path: string): void {
  checkReplaceable(path);
  if (existsSync(dirname(path))) return;
  throw new DscAuditError('cannot-write', `${path}: cannot be written: there is no such folder.`);
}

const BAR_WIDTH = 24;

function progressText(share: number, leftMs: number): string {
  const done = Math.round(BAR_WIDTH * share);
  const bar = `${'█'.repeat(done)}${'░'.repeat(BAR_WIDTH - done)}`;
  return `timing layers  ${bar}  ${Math.ceil(leftMs / 1000)} s left`;
}

function reportText({ fits, id, variant, machine }: Profile, path: string): string {
  const lines = [
    `Profile ${id}: ${plainText(machine.cpu)}${variant === null ? '' : `, ${variant} kernels`}, Node.js ${machine.node}`,
    ...fits.map(fitText),
    `Written to ${plainText(path)}`,
  ];
  return `${lines.join('\n')}\n`;
}

function fitText({ threads, error }: ThreadFit): string {
  const on = `${threads} ${threads === 1 ? 'thread' : 'threads'}`;
  const layers = `${error.heldOut} layers it had not seen: half within ±${error.medianPercent.toFixed(1)} %, ${percent(error.within10Percent)} within ±10 %`;
  const networks = `networks: half within ±${error.networkMedianPercent.toFixed(1)} %, ${percent(error.networkWithin10Percent)} within ±10 %`;
  return `${on}, ${layers}; ${networks}; 90 % intervals held ${percent(error.coverage)}`;
}

/** Fewer networks are fewer samples: the costs of rare kernels rest on few of them. */
const leftOutText = (threads: number, networks: number, of: number): string =>
  `warning: on ${threads} ${threads === 1 ? 'thread' : 'threads'} ${networks} of ${of} networks were not timed undisturbed in the time there was, and do not count. Close other programs and calibrate again.`;

const percent = (share: number): string => `${(100 * share).toFixed(0)} %`;
