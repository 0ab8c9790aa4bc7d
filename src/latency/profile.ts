/**
 * A profile: a cost model that was calibrated on one machine, as a JSON file that can be passed around. What is read may come
 * from a stranger: every field is checked, and how many there may be.
 */
import { DscAuditError } from '../ir/errors.ts';
import { isBackendName } from './backends/names.ts';
import type { CostModel, GroupModel } from './cost-model.ts';
import type { Spread } from './intervals.ts';
import type { Roofline } from './roofline.ts';

export const PROFILE_FORMAT = 'dsc-audit profile';

/** Grows when terms or fields change their meaning: a profile of another version cannot be used. */
export const PROFILE_VERSION = 1;

export interface Profile {
  readonly format: typeof PROFILE_FORMAT;
  readonly version: typeof PROFILE_VERSION;
  /** Eight hexadecimal digits that tell profiles apart. */
  readonly id: string;
  readonly backend: string;
  /** A fingerprint of what ran: the built-in runtime's code, or another backend's version. */
  readonly runtime: string;
  readonly variant: string | null;
  readonly machine: Machine;
  /** ISO 8601. */
  readonly calibratedAt: string;
  readonly sweep: SweepDescription;
  /** By number of threads; the first is what an audit projects for. */
  readonly fits: readonly ThreadFit[];
}

export interface Machine {
  readonly cpu: string;
  readonly cores: number;
  readonly arch: string;
  readonly platform: string;
  readonly node: string;
}

/** The data set that the coefficients were fitted to: the same seed and number give the same networks. */
export interface SweepDescription {
  readonly seed: number;
  readonly networks: number;
  /** Steps that were measured, over all numbers of threads. */
  readonly steps: number;
}

export interface ThreadFit {
  readonly threads: number;
  /** Null in profiles from before it was measured. */
  readonly roofline: Roofline | null;
  readonly model: CostModel;
  /** Errors on layers that the fit had not seen, by the kernel that takes most of the layer. */
  readonly layerSpread: Readonly<Record<string, Spread>>;
  /** The same for all layers: for kernels that were met too rarely to have their own. */
  readonly pooledSpread: Spread;
  /** Errors of the totals of whole networks. */
  readonly networkSpread: Spread;
  readonly error: FitError;
}

/** How far predictions of layers and networks that the fit had not seen were off. */
export interface FitError {
  readonly medianPercent: number;
  /** Share of the layers within ±10 %. */
  readonly within10Percent: number;
  /** Layers that were predicted: those that no other network tells of are left out. */
  readonly heldOut: number;
  /** Share of the layers that their interval held, with intervals from other layers. */
  readonly coverage: number;
  readonly networkMedianPercent: number;
  readonly networkWithin10Percent: number;
  /** How far two measurements of the same layers were apart: no model can do better. Null where nobody looked. */
  readonly repeat: RepeatError | null;
}

export interface RepeatError {
  readonly medianPercent: number;
  /** Share of the layers within ±10 %. */
  readonly within10Percent: number;
}

const MAX_TEXT = 200;
const MAX_GROUPS = 500;
const MAX_TERMS = 200;
const MAX_FITS = 64;

/** Milliseconds a unit of work: the dearest is a call of some. Far beyond it sums are no numbers any more. */
const MAX_COST_MS = 1e6;

/** How many times a measurement may have been off. */
const MAX_SPREAD = 1e6;

/** Reads a profile; `from` names it in messages. */
export function parseProfile(text: string, from: string): Profile {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    throw broken(from, 'it is no JSON');
  }
  return new ProfileReader(from).profile(json);
}

const broken = (from: string, why: string): DscAuditError =>
  new DscAuditError(
    'not-a-profile',
    `${from} is no profile that can be used: ${why}. dsc-audit calibrate -o ${from} writes one.`,
  );

/** Of a rare kernel nothing may have been measured; not of all. */
const costsNothing = (groups: readonly GroupModel[]): boolean =>
  groups.length > 0 && groups.every(({ coefficients }) => Object.values(coefficients).every((cost) => cost === 0));

type Fields = Readonly<Record<string, unknown>>;

class ProfileReader {
  private readonly from: string;

  constructor(from: string) {
    this.from = from;
  }

  profile(json: unknown): Profile {
    const fields = this.fields(json, 'the file');
    if (fields.format !== PROFILE_FORMAT) throw broken(this.from, `its format is not '${PROFILE_FORMAT}'`);
    if (fields.version !== PROFILE_VERSION) {
      throw broken(
        this.from,
        `its version is ${String(fields.version).slice(0, 20)}, and this dsc-audit reads version ${PROFILE_VERSION}`,
      );
    }
    const backend = this.text(fields, 'backend');
    if (!isBackendName(backend)) throw broken(this.from, `it is of an unknown backend, '${backend}'`);
    const sweep = this.fields(fields.sweep, 'sweep');
    const fits = this.list(fields.fits, 'fits', MAX_FITS).map((fit) => this.threadFit(fit));
    if (fits.length === 0) throw broken(this.from, 'it has no fits');
    return {
      format: PROFILE_FORMAT,
      version: PROFILE_VERSION,
      id: this.text(fields, 'id'),
      backend,
      runtime: this.text(fields, 'runtime'),
      variant: fields.variant === null ? null : this.text(fields, 'variant'),
      machine: this.machine(fields.machine),
      calibratedAt: this.date(fields, 'calibratedAt'),
      sweep: {
        seed: this.number(sweep, 'seed'),
        networks: this.number(sweep, 'networks'),
        steps: this.number(sweep, 'steps'),
      },
      fits,
    };
  }

  private machine(json: unknown): Machine {
    const fields = this.fields(json, 'machine');
    return {
      cpu: this.text(fields, 'cpu'),
      cores: this.number(fields, 'cores'),
      arch: this.text(fields, 'arch'),
      platform: this.text(fields, 'platform'),
      node: this.text(fields, 'node'),
    };
  }

  private threadFit(json: unknown): ThreadFit {
    const fields = this.fields(json, 'fits');
    const threads = this.number(fields, 'threads');
    if (!Number.isInteger(threads) || threads < 1 || threads > 1024)
      throw broken(this.from, "a fit's threads are no number of threads");
    const model = this.fields(fields.model, 'model');
    const groups = this.record(model.groups, 'groups', MAX_GROUPS, (group) => this.group(group));
    if (costsNothing(Object.values(groups))) throw broken(this.from, 'nothing costs anything with it');
    const error = this.fields(fields.error, 'error');
    return {
      threads,
      roofline: this.roofline(fields.roofline),
      model: {
        groups,
        functions: this.costs(model.functions, 'functions'),
      },
      layerSpread: this.record(fields.layerSpread, 'layerSpread', MAX_GROUPS, (spread) => this.spread(spread)),
      pooledSpread: this.spread(fields.pooledSpread),
      networkSpread: this.spread(fields.networkSpread),
      error: {
        medianPercent: this.number(error, 'medianPercent'),
        within10Percent: this.number(error, 'within10Percent'),
        heldOut: this.number(error, 'heldOut'),
        coverage: this.number(error, 'coverage'),
        networkMedianPercent: this.number(error, 'networkMedianPercent'),
        networkWithin10Percent: this.number(error, 'networkWithin10Percent'),
        repeat: this.repeat(error.repeat),
      },
    };
  }

  private repeat(json: unknown): RepeatError | null {
    if (json === undefined || json === null) return null;
    const fields = this.fields(json, 'repeat');
    return {
      medianPercent: this.number(fields, 'medianPercent'),
      within10Percent: this.number(fields, 'within10Percent'),
    };
  }

  private roofline(json: unknown): Roofline | null {
    if (json === undefined || json === null) return null;
    const fields = this.fields(json, 'roofline');
    const end = (name: keyof Roofline): number => {
      const value = this.number(fields, name);
      if (value === 0) throw broken(this.from, `'${name}' is 0`);
      return value;
    };
    return { flopsPerSecond: end('flopsPerSecond'), bytesPerSecond: end('bytesPerSecond') };
  }

  private group(json: unknown): GroupModel {
    const fields = this.fields(json, 'a group');
    return {
      coefficients: this.costs(fields.coefficients, 'coefficients'),
      measuredUpTo: this.amounts(fields.measuredUpTo, 'measuredUpTo'),
      samples: this.number(fields, 'samples'),
    };
  }

  private spread(json: unknown): Spread {
    const fields = this.fields(json, 'a spread');
    return { low: this.share(fields.low, 'low'), high: this.share(fields.high, 'high') };
  }

  private share(json: unknown, name: string): number {
    const share = this.finite(json, name);
    if (Math.abs(share) > MAX_SPREAD) throw broken(this.from, `'${name}' is beyond ${MAX_SPREAD}`);
    return share;
  }

  private costs(json: unknown, name: string): Readonly<Record<string, number>> {
    const costs = this.amounts(json, name);
    if (Object.values(costs).some((cost) => cost > MAX_COST_MS))
      throw broken(this.from, `'${name}' has a cost of more than ${MAX_COST_MS} ms`);
    return costs;
  }

  private amounts(json: unknown, name: string): Readonly<Record<string, number>> {
    return this.record(json, name, MAX_TERMS, (value) => this.positive(value, name));
  }

  private record<T>(
    json: unknown,
    name: string,
    most: number,
    read: (value: unknown) => T,
  ): Readonly<Record<string, T>> {
    const entries = Object.entries(this.fields(json, name));
    if (entries.length > most) throw broken(this.from, `'${name}' has more than ${most} entries`);
    // Without a prototype: names come from the file.
    const record: Record<string, T> = Object.create(null);
    for (const [key, value] of entries) record[key] = read(value);
    return record;
  }

  private list(json: unknown, name: string, most: number): readonly unknown[] {
    if (!Array.isArray(json) || json.length > most) throw broken(this.from, `'${name}' is no list of at most ${most}`);
    return json;
  }

  private fields(json: unknown, name: string): Fields {
    if (typeof json !== 'object' || json === null || Array.isArray(json))
      throw broken(this.from, `'${name}' is no object`);
    return Object.fromEntries(Object.entries(json));
  }

  private text(fields: Fields, name: string): string {
    const value = fields[name];
    if (typeof value !== 'string' || value === '' || value.length > MAX_TEXT)
      throw broken(this.from, `'${name}' is no text`);
    return value;
  }

  private date(fields: Fields, name: string): string {
    const value = this.text(fields, name);
    if (Number.isNaN(Date.parse(value))) throw broken(this.from, `'${name}' is no date`);
    return value;
  }

  private number(fields: Fields, name: string): number {
    return this.positive(fields[name], name);
  }

  private positive(value: unknown, name: string): number {
    const number = this.finite(value, name);
    if (number < 0) throw broken(this.from, `'${name}' is below 0`);
    return number;
  }

  private finite(value: unknown, name: string): number {
    if (typeof value !== 'number' || !Number.isFinite(value)) throw broken(this.from, `'${name}' is no number`);
    return value;
  }
}
