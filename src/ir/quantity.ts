import { DscAuditError } from './errors.ts';

/** What a figure is measured in; a share is a fraction of 1. */
export type FigureUnit = 'count' | 'bytes' | 'milliseconds' | 'share';

interface Spelling {
  /** Factors by suffix, each a power of ten, or of two for KiB and the like. */
  readonly suffixes: Readonly<Record<string, Factor>>;
  /** How it is written. */
  readonly example: string;
}

type Factor = { readonly tens: number } | { readonly twos: number };

const tens = (exponent: number): Factor => ({ tens: exponent });
const twos = (exponent: number): Factor => ({ twos: exponent });

const COUNT_SUFFIXES = { '': tens(0), k: tens(3), K: tens(3), M: tens(6), G: tens(9), T: tens(12) } as const;

const SPELLINGS: Readonly<Record<FigureUnit, Spelling>> = {
  count: { suffixes: COUNT_SUFFIXES, example: '5M, 1.2G or 600000' },
  bytes: {
    suffixes: {
      B: tens(0),
      kB: tens(3),
      KB: tens(3),
      MB: tens(6),
      GB: tens(9),
      KiB: twos(10),
      MiB: twos(20),
      GiB: twos(30),
    },
    example: '20MB, 20MiB or 512kB',
  },
  milliseconds: { suffixes: { us: tens(-3), µs: tens(-3), ms: tens(0), s: tens(3) }, example: '15ms, 1.5s or 800us' },
  share: { suffixes: { '%': tens(-2) }, example: '40%' },
};

/** How a quantity of a unit is written, for help and errors. */
export function exampleOf(unit: FigureUnit): string {
  return SPELLINGS[unit].example;
}

const QUANTITY = /^(\d{1,15}(?:\.\d{1,15})?) ?([a-zA-Zµ%]*)$/;

/**
 * Reads `5M`, `1.2G`, `20MB`, `20MiB`, `15ms` or `40%` as a plain number of its unit: a count, bytes, milliseconds, or
 * a fraction of 1. Only 0 may stand without its unit where there is one.
 *
 * @throws {DscAuditError} `invalid-option` with how to write it
 */
export function parseQuantity(text: string, unit: FigureUnit): number {
  const { suffixes, example } = SPELLINGS[unit];
  const [, digits = '', suffix = ''] = QUANTITY.exec(text.trim()) ?? [];
  const factor = Object.hasOwn(suffixes, suffix) ? suffixes[suffix] : undefined;
  if (digits !== '' && factor !== undefined) return scaled(digits, factor);
  if (digits !== '' && suffix === '' && Number(digits) === 0) return 0;
  throw new DscAuditError('invalid-option', `'${text}' is no ${NAMES[unit]}; write it as ${example}.`);
}

/** Powers of ten are shifted in the decimal text: 1.1 × 10⁹ is not exact in floating point. */
function scaled(digits: string, factor: Factor): number {
  return 'tens' in factor ? Number(`${digits}e${factor.tens}`) : Number(digits) * 2 ** factor.twos;
}

const NAMES: Readonly<Record<FigureUnit, string>> = {
  count: 'count',
  bytes: 'size in bytes',
  milliseconds: 'time',
  share: 'share',
};
