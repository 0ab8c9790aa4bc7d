import { type Command, InvalidArgumentError, Option } from 'commander';
import type { Profile, ThreadFit } from '../../latency/profile.ts';
import { plainText } from '../../report/plain-text.ts';
import { progressLine } from '../progress-line.ts';
import { print, type Terminal } from '../terminal.ts';

interface CalibrateCommandOptions {
  readonly quick?: boolean;
  readonly threads: readonly number[];
  readonly backend: string;
  readonly output?: string;
}

const EXAMPLES = `
Examples:
  dsc-audit calibrate                    two to three minutes; close other programs
  dsc-audit calibrate --quick            ten seconds, wider intervals
  dsc-audit calibrate --threads 1,2      for one thread and for two
  dsc-audit calibrate -o laptop.json     a profile to pass around:
  dsc-audit model.onnx --profile laptop.json`;

const MAX_THREADS = 256;

/** `1,2` as numbers; each once. */
function threadList(text: string): readonly number[] {
  const counts = text.split(',').map(Number);
  if (counts.some((count) => !Number.isInteger(count) || count < 1 || count > MAX_THREADS)) {
    throw new InvalidArgumentError(`Write numbers of threads, for example 1,2.`);
  }
  return [...new Set(counts)];
}

/** Times a backend on this machine, fits the cost model, and stores it as a profile. */
export function defineCalibrate(program: Command, terminal: Terminal): void {
  program
    .command('calibrate')
    .summary('time this machine, so that audits tell its milliseconds')
    .description(
      'Times layers of many shapes on this machine, fits a cost model to them, tests it on layers that it has not seen, and stores it as a profile. Audits on this machine use it from then on.',
    )
    .option('--quick', 'seconds instead of minutes, with wider intervals')
    .option('--threads <list>', 'numbers of threads; audits use the first', threadList, [1])
    .addOption(new Option('--backend <name>', 'what to time').default('builtin'))
    .option('-o, --output <file>', "write the profile there, not to the user's cache folder")
    .addHelpText('after', EXAMPLES)
    .action(async (options: CalibrateCommandOptions) => {
      const { profile, path, warnings } = await run(options, terminal);
      await print(terminal.stdout, reportText(profile, path));
      for (const text of warnings) await print(terminal.stderr, `${text}\n`);
    });
}

async function run(options: CalibrateCommandOptions, { stderr, env, onInterrupt }: Terminal) {
  const { calibrate } = await import('../../latency/calibrate.ts');
  const { backendOf } = await import('../../latency/backends/index.ts');
  const { thisMachine } = await import('../../latency/machine.ts');
  const { machineProfilePath, writeProfile } = await import('../../latency/profile-store.ts');
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
