import { DscAuditError } from '../ir/errors.ts';
import { type FigureUnit, parseQuantity } from '../ir/quantity.ts';

/** Limits that a real model may meet: who trusts a file may move them. The others are in `limits.ts`. */
export type LimitName =
  | 'messages'
  | 'expansion'
  | 'folding'
  | 'json-size'
  | 'hdf5-objects'
  | 'hdf5-time'
  | 'hdf5-memory';

interface RaisableLimit {
  readonly unit: Exclude<FigureUnit, 'share'>;
  /** What it bounds, for help and documents. */
  readonly what: string;
  /** Where nobody says otherwise, and between what it may be set. */
  readonly value: number;
  readonly least: number;
  readonly most: number;
}

export type Limits = Readonly<Record<LimitName, number>>;

const MIB = 2 ** 20;

export const RAISABLE_LIMITS: Readonly<Record<LimitName, RaisableLimit>> = {
  /** A model of 100,000 nodes with shapes for each holds about a million; an empty one takes 2 bytes. At most a few GB of memory. */
  messages: { unit: 'count', what: 'messages in an ONNX file', value: 4_000_000, least: 1000, most: 40_000_000 },
  /**
   * What putting local functions and nested models in place may make of a file: so many nodes, values and bindings for each
   * message or layer in it. A call is a message or more, and stands for tens of nodes at most in real models.
   */
  expansion: {
    unit: 'count',
    what: 'times that local functions and nested models grow',
    value: 50,
    least: 1,
    most: 5000,
  },
  /** Elements that shape arithmetic reads and writes, some 10 million a second. A shape that is computed takes a handful, anchors of a detector thousands. */
  folding: { unit: 'count', what: 'elements of constants that are computed', value: 4_000_000, least: 0, most: 1e10 },
  /** A graph of 5,000 layers takes 5 MB. More than 512 MiB are no string of JavaScript. */
  'json-size': { unit: 'bytes', what: 'JSON of a model', value: 64 * MIB, least: 1000, most: 500 * MIB },
  /** A network of 1,000 layers holds about 10,000. More than 2^24 are no map of JavaScript. */
  'hdf5-objects': {
    unit: 'count',
    what: 'groups and weights of an HDF5 file',
    value: 1_000_000,
    least: 100,
    most: 16_000_000,
  },
  /** For all that is asked of one file, beside what its size allows: a damaged file can send the library round in circles. */
  'hdf5-time': { unit: 'milliseconds', what: 'time for an HDF5 file', value: 20_000, least: 100, most: 3_600_000 },
  /** Beside what the file's size allows: one weight at a time, unpacked. The library can address 2 GiB. */
  'hdf5-memory': {
    unit: 'bytes',
    what: 'memory for an HDF5 file',
    value: 256 * MIB,
    least: 32 * MIB,
    most: 2048 * MIB,
  },
};

export const LIMIT_NAMES = Object.keys(RAISABLE_LIMITS).filter((name): name is LimitName =>
  Object.hasOwn(RAISABLE_LIMITS, name),
);

/** Limits that somebody has moved; the others stay. */
export type GivenLimits = { readonly [N in LimitName]?: number | undefined };

/** Every limit: as it is given, or else as it comes. Throws `invalid-option` for one that there is not, or out of its bounds. */
export function settleLimits(given: GivenLimits = {}): Limits {
  for (const name of Object.keys(given)) limitNamed(name);
  const settled = (name: LimitName): number => checkLimit(name, given[name] ?? RAISABLE_LIMITS[name].value);
  return {
    messages: settled('messages'),
    expansion: settled('expansion'),
    folding: settled('folding'),
    'json-size': settled('json-size'),
    'hdf5-objects': settled('hdf5-objects'),
    'hdf5-time': settled('hdf5-time'),
    'hdf5-memory': settled('hdf5-memory'),
  };
}

export const DEFAULT_LIMITS: Limits = settleLimits();

/** The limit of that name. Throws `invalid-option` with the names that there are. */
export function limitNamed(name: string): LimitName {
  const known = LIMIT_NAMES.find((limit) => limit === name);
  if (known !== undefined) return known;
  throw new DscAuditError('invalid-option', `There is no limit '${name}': the limits are ${LIMIT_NAMES.join(', ')}.`);
}

/** A limit as people write it: `8M`, `128MiB`, `60s`. Throws `invalid-option` with how to write it, or its bounds. */
export function parseRaised(name: LimitName, text: string): number {
  return checkLimit(name, parseQuantity(text, RAISABLE_LIMITS[name].unit));
}

function checkLimit(name: LimitName, value: number): number {
  const { unit, least, most } = RAISABLE_LIMITS[name];
  if (Number.isFinite(value) && value >= least && value <= most) return value;
  const what = `The limit ${name} may be set from ${spelt(least, unit)} to ${spelt(most, unit)}, not to ${spelt(value, unit)}.`;
  throw new DscAuditError('invalid-option', what);
}

/** A limit that a file has met. */
export function limitMet(name: LimitName, { [name]: value }: Limits, what: string): DscAuditError {
  return new DscAuditError('limit-exceeded', `${what}. ${howToRaise(name, value)}`);
}

/** What to type, by whoever knows better. */
export function howToRaise(name: LimitName, value: number): string {
  const { unit, most } = RAISABLE_LIMITS[name];
  if (value >= most) return `That is as far as the limit ${name} goes.`;
  const more = Math.min(most, 4 * Math.max(1, value));
  return `No real model is known to need more; if you trust the file, try --limit ${name}=${spelt(more, unit)}.`;
}

/** As it would be typed: `4M`, `64MiB`, `20s`. */
export function spelt(value: number, unit: RaisableLimit['unit']): string {
  if (unit === 'milliseconds') return value % 1000 === 0 ? `${value / 1000}s` : `${value}ms`;
  if (unit === 'bytes' && value % MIB === 0) return `${value / MIB}MiB`;
  const prefix = PREFIXES.find(({ factor }) => value % factor === 0 && value > 0);
  return `${value / (prefix?.factor ?? 1)}${prefix?.name ?? ''}${unit === 'bytes' ? 'B' : ''}`;
}

const PREFIXES = [
  { factor: 1e9, name: 'G' },
  { factor: 1e6, name: 'M' },
  { factor: 1e3, name: 'k' },
] as const;
