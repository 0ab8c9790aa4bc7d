/** What one call of each kernel of the built-in runtime does, as terms of a cost model, and which memory it touches. */

import { BINARY_FUNCTIONS } from '../runtime/kernels/binary.ts';
import { NARROW, WIDE } from '../runtime/kernels/depthwise.ts';
import type { KernelName } from '../runtime/kernels/index.ts';
import { type KernelVariant, PIXEL_BYTES } from '../runtime/kernels/kernel.ts';
import { MATMUL_COLUMNS } from '../runtime/kernels/matmul.ts';
import { UNARY_FUNCTIONS } from '../runtime/kernels/unary-functions.ts';

/** Amounts of work by the term's name. Coefficients are milliseconds a unit of it. */
export type Terms = Readonly<Record<string, number>>;

/** Bytes that a call reads or writes at a place that one of its arguments names; at most what the place's buffer has. */
export interface Touch {
  readonly argument: string;
  readonly bytes: number;
  readonly role: Role;
}

export const ROLES = ['input', 'weights', 'output'] as const;

export type Role = (typeof ROLES)[number];

/** Bytes that a call reads again, after it has touched so many others. */
export interface Reread {
  readonly role: Role;
  readonly bytes: number;
  readonly distance: number;
}

export interface CallWork {
  /** Which set of coefficients it is predicted by. */
  readonly group: string;
  readonly terms: Terms;
  readonly touches: readonly Touch[];
  readonly rereads: readonly Reread[];
  /** The function of one variable that is applied to the results, and to how many vectors. */
  readonly mapped: { readonly fn: string; readonly vectors: number } | null;
}

/** A call's arguments: numbers by name, and 0 for places. */
export interface CallArguments {
  number(name: string): number;
  /** The elements of a constant table; null where the place is none. */
  table(name: string): ArrayLike<number> | null;
  /** Whether the argument is a place in memory, and not 0. */
  isPlace(name: string): boolean;
}

/** Everything that a call's work follows from. `units` may be a thread's share, and need not be whole. */
export interface Called {
  readonly args: CallArguments;
  readonly units: number;
  readonly variant: KernelVariant;
}

type Describe = (called: Called) => Omit<CallWork, 'group'> & { readonly group?: string };

const FUNCTION_NAMES = Object.keys(UNARY_FUNCTIONS);
const BINARY_NAMES = Object.keys(BINARY_FUNCTIONS);
const VECTOR_BYTES = 16;

const touch = (argument: string, role: Role, bytes: number): Touch => ({ argument, role, bytes });

const plain = (terms: Terms, touches: readonly Touch[]): ReturnType<Describe> => ({
  terms,
  touches,
  rereads: [],
  mapped: null,
});

function mappedBy(args: CallArguments, vectors: number): CallWork['mapped'] {
  const fn = FUNCTION_NAMES[args.number('activation')];
  return fn === undefined ? null : { fn, vectors };
}

interface Tile {
  readonly pixels: number;
  readonly blocks: number;
  readonly channelsPerStep: number;
}

/** Panels of weights up to this size stay in the first-level cache while a unit's tiles pass. */
const FIRST_LEVEL_BYTES = 32 * 1024;

/**
 * Tiles are computed whole: what is past the edge costs as much. Each unit reads its panels once a tile; each group of
 * output blocks reads the unit's pixels again; each run of pixels reads all weights again.
 */
const gemm =
  (tileOf: (variant: KernelVariant) => Tile): Describe =>
  ({ args, units, variant }) => {
    const tile = tileOf(variant);
    const [steps, outputBlocks] = [args.number('steps'), args.number('outputBlocks')];
    const [pixels, pixelsPerUnit] = [args.number('pixels'), args.number('pixelsPerUnit')];
    const groups = Math.ceil(outputBlocks / tile.blocks);
    const runs = Math.ceil(pixels / pixelsPerUnit);
    const share = units / (groups * runs);
    // Units are whole tiles, except the last of a batch item.
    const tiles = share * groups * Math.ceil(pixels / tile.pixels);
    const depth = steps * tile.channelsPerStep;
    const panelBytes = depth * tile.blocks * PIXEL_BYTES;
    const weightBytes = outputBlocks * depth * PIXEL_BYTES;
    const runBytes = Math.min(pixelsPerUnit, pixels) * depth * 4;
    const stored = share * pixels * outputBlocks * PIXEL_BYTES;
    const batches = Math.max(1, share);
    const hasResidual = args.isPlace('residual');
    const ownWeights = args.number('weightsBatch') > 0 ? batches : 1;
    return {
      terms: {
        multiplyAdds: tiles * tile.pixels * tile.blocks * depth * 8,
        tiles,
        brokenTiles: share * groups * brokenTiles(pixels, args.number('width'), tile.pixels),
        tileSteps: tiles * steps,
        units,
        panelsBeyondFirstLevel: tiles * panelBytes * beyond(panelBytes, FIRST_LEVEL_BYTES),
        inputBeyondFirstLevel: share * groups * pixels * depth * 4 * beyond(runBytes, FIRST_LEVEL_BYTES),
        residual: hasResidual ? stored : 0,
      },
      touches: [
        touch('input', 'input', share * pixels * depth * 4),
        touch('weights', 'weights', weightBytes * ownWeights),
        touch('output', 'output', stored),
        ...(hasResidual ? [touch('residual', 'input', stored)] : []),
      ],
      rereads: [
        {
          role: 'weights',
          bytes: weightBytes * Math.max(0, share * runs - ownWeights),
          distance: weightBytes + runBytes,
        },
      ],
      mapped: mappedBy(args, share * pixels * outputBlocks * 2),
    };
  };

/** Tiles that need an address for each pixel: those that begin in one row and end in the next, or past the last pixel. */
function brokenTiles(pixels: number, width: number, tilePixels: number): number {
  const rows = Math.ceil(pixels / Math.max(1, width));
  // Rows end where a tile does once in so many rows.
  const aligned = greatestDivisor(width, tilePixels) / tilePixels;
  const last = pixels % tilePixels === 0 ? 0 : 1;
  return Math.min(Math.ceil(pixels / tilePixels), (rows - 1) * (1 - aligned) + last);
}

const greatestDivisor = (a: number, b: number): number => (b === 0 ? a : greatestDivisor(b, a % b));

/** 0 up to the limit, 1 from four times the limit on. */
const beyond = (bytes: number, limit: number): number =>
  Math.min(1, Math.max(0, Math.log2(Math.max(1, bytes) / limit) / 2));

const ownTile =
  (channelsPerStep: number) =>
  ({ tile }: KernelVariant): Tile => ({ ...tile, channelsPerStep });

/** Rows in wide tiles, then in narrow ones, the last moved back; rows that are no tile long pixel by pixel. */
const depthwise =
  (tileTerms: (tiles: DepthwiseTiles, args: CallArguments) => Terms): Describe =>
  ({ args, units }) => {
    const width = args.number('width');
    const taps = args.number('kernelHeight') * args.number('kernelWidth');
    const planes = units / args.number('height');
    return {
      terms: { units, ...tileTerms({ units, width, wideWidth: args.number('wideWidth') }, args) },
      touches: [
        touch('input', 'input', planes * args.number('height') * rowReach(args)),
        touch('weights', 'weights', Math.min(planes, args.number('blocks')) * taps * PIXEL_BYTES),
        touch('output', 'output', units * width * PIXEL_BYTES),
      ],
      rereads: [],
      mapped: mappedBy(args, units * width * 2),
    };
  };

interface DepthwiseTiles {
  readonly units: number;
  readonly width: number;
  readonly wideWidth: number;
}

const narrowTiles = (pixels: number): number => Math.ceil(pixels / NARROW);

/** Known windows are unrolled: a tile always costs the same. */
const depthwiseUnrolled = depthwise(({ units, width, wideWidth }) => ({
  wideTiles: (units * wideWidth) / WIDE,
  narrowTiles: width < NARROW ? 0 : units * narrowTiles(width - wideWidth),
  pixels: width < NARROW ? units * width : 0,
}));

/** Any other window: narrow tiles only, with a loop over rows of taps and one over taps. */
const depthwiseGeneral = depthwise(({ units, width }, args) => {
  const tiles = width < NARROW ? 0 : units * narrowTiles(width);
  const pixels = width < NARROW ? units * width : 0;
  const rows = args.number('kernelHeight');
  const taps = rows * args.number('kernelWidth');
  return {
    narrowTiles: tiles,
    narrowTapRows: tiles * rows,
    narrowTaps: tiles * taps,
    pixels,
    pixelTaps: pixels * taps,
  };
});

/** Input bytes of one output row, apart from those that the next row reads too. */
function rowReach(args: CallArguments): number {
  const rows = args.number('inputRow') / Math.max(1, args.number('tapRow'));
  return Math.max(1, rows) * args.number('width') * args.number('inputPixel');
}

const pool: Describe = ({ args, units }) => {
  const pixels = units * args.number('width');
  const planes = units / args.number('height');
  return plain({ units, pixels, taps: pixels * args.number('kernelHeight') * args.number('kernelWidth') }, [
    touch('input', 'input', planes * args.number('inputHeight') * args.number('inputWidth') * PIXEL_BYTES),
    touch('output', 'output', pixels * PIXEL_BYTES),
  ]);
};

const globalPool: Describe = ({ args, units }) => {
  const pixels = units * args.number('height') * args.number('width');
  return plain({ units, rows: units * args.number('height'), pixels }, [
    touch('input', 'input', pixels * PIXEL_BYTES),
    touch('output', 'output', units * PIXEL_BYTES),
  ]);
};

const repack =
  (from: string, to: string): Describe =>
  ({ args, units }) => {
    const pixels = units * args.number('width');
    const isLast = args.number('plainChannel') === 4 && args.number('channels') > 1;
    const bytes = (place: string): number =>
      place === 'blocked'
        ? pixels * PIXEL_BYTES
        : (pixels * 4 * args.number('channels')) / Math.ceil(args.number('channels') / 8);
    return {
      ...plain({ units, pixels, elements: bytes('plain') / 4 }, [
        touch(from, 'input', bytes(from)),
        touch(to, 'output', bytes(to)),
      ]),
      group: isLast
        ? `${from === 'plain' ? 'pack' : 'unpack'} (channels last)`
        : `${from === 'plain' ? 'pack' : 'unpack'}`,
    };
  };

/** Every kernel. Terms that do not appear cost nothing. */
const DESCRIPTIONS: Readonly<Record<KernelName, Describe>> = {
  gemm: gemm(ownTile(8)),
  gemmNarrow: gemm(({ tile }) => ({ ...tile, blocks: 1, channelsPerStep: 8 })),
  gemmPixel: gemm(() => ({ pixels: 1, blocks: 4, channelsPerStep: 8 })),
  gemmImage: gemm(ownTile(3)),
  gemmSingle: gemm(ownTile(1)),
  depthwise: depthwiseGeneral,
  depthwise3: depthwiseUnrolled,
  depthwise3Stride2: depthwiseUnrolled,
  depthwise5: depthwiseUnrolled,
  depthwise5Stride2: depthwiseUnrolled,
  depthwiseMultiplier: ({ args, units }) => {
    const pixels = units * args.number('width');
    const taps = args.number('kernelHeight') * args.number('kernelWidth');
    return {
      ...plain({ units, pixels, taps: pixels * taps }, [
        touch('input', 'input', (units * rowReach(args)) / args.number('multiplier')),
        touch('output', 'output', pixels * PIXEL_BYTES),
      ]),
      mapped: mappedBy(args, pixels * 2),
    };
  },
  winogradInput: ({ units }) =>
    plain({ units }, [
      touch('input', 'input', units * 16 * PIXEL_BYTES),
      touch('output', 'output', units * 36 * PIXEL_BYTES),
    ]),
  winogradOutput: ({ args, units }) => {
    const bytes = units * 16 * PIXEL_BYTES;
    const hasResidual = args.isPlace('residual');
    return {
      ...plain({ units, residual: hasResidual ? bytes : 0 }, [
        touch('input', 'input', units * 36 * PIXEL_BYTES),
        touch('output', 'output', bytes),
        ...(hasResidual ? [touch('residual', 'input', bytes)] : []),
      ]),
      mapped: mappedBy(args, units * 32),
    };
  },
  strassenInput: ({ args, units }) => {
    const bytes = units * (args.number('upper') + args.number('lower')) * PIXEL_BYTES;
    return plain({ units, pixels: units * args.number('upper') }, [
      touch('input', 'input', 2 * bytes),
      touch('output', 'output', 4 * units * args.number('upper') * PIXEL_BYTES),
    ]);
  },
  strassenOutput: ({ args, units }) => {
    const sumBytes = units * args.number('upper') * PIXEL_BYTES;
    const outputBytes = units * args.number('lower') * PIXEL_BYTES;
    const hasResidual = args.isPlace('residual');
    return {
      ...plain({ units, pixels: units * args.number('upper'), residual: hasResidual ? 2 * sumBytes : 0 }, [
        touch('sums', 'input', 3 * sumBytes),
        touch('output', 'output', outputBytes),
        ...(hasResidual ? [touch('residual', 'input', 2 * (sumBytes + outputBytes))] : []),
      ]),
      mapped: mappedBy(args, units * args.number('lower') * 2),
    };
  },
  unary: ({ args, units }) => {
    const vectors = units * args.number('vectors');
    return {
      ...plain({ units }, [
        touch('input', 'input', vectors * VECTOR_BYTES),
        touch('output', 'output', vectors * VECTOR_BYTES),
      ]),
      mapped: mappedBy(args, vectors),
    };
  },
  binaryBlocked: ({ args, units }) => {
    const pixels = units * args.number('width');
    const fn = BINARY_NAMES[args.number('fn')] ?? '';
    return plain({ units, pixels, divisions: fn === 'div' ? pixels : 0 }, [
      touch('a', 'input', pixels * args.number('aPixel')),
      touch('b', 'input', pixels * args.number('bPixel')),
      touch('output', 'output', pixels * PIXEL_BYTES),
    ]);
  },
  binaryPlain: ({ args, units }) => {
    const extent = args.number('extent4');
    const fn = BINARY_NAMES[args.number('fn')] ?? '';
    const vectors = units * Math.floor(extent / 4);
    return plain({ units, vectors, elements: units * (extent % 4), divisions: fn === 'div' ? vectors : 0 }, [
      touch('a', 'input', units * extent * args.number('a4')),
      touch('b', 'input', units * extent * args.number('b4')),
      touch('output', 'output', units * extent * 4),
    ]);
  },
  maxPool: pool,
  averagePool: pool,
  globalAveragePool: globalPool,
  globalMaxPool: globalPool,
  pack: repack('plain', 'blocked'),
  unpack: repack('blocked', 'plain'),
  copy: ({ args, units }) => {
    const extent = args.number('extent5');
    const isRun = args.number('input5') === 4 && args.number('output5') === 4;
    const elements = units * extent;
    const terms = isRun
      ? { units, vectors: units * Math.floor(extent / 4), elements: units * (extent % 4) }
      : { units, elements };
    return {
      ...plain(terms, [touch('input', 'input', elements * 4), touch('output', 'output', elements * 4)]),
      group: isRun ? 'copy' : 'copy (strided)',
    };
  },
  pick: ({ args, units }) => {
    const elements = units * args.number('inner');
    const isRun = args.number('indexInner') === 0;
    const terms = isRun
      ? { units, vectors: units * Math.floor(args.number('inner') / 4), elements: units * (args.number('inner') % 4) }
      : { units, elements };
    return {
      ...plain(terms, [touch('input', 'input', elements * 4), touch('output', 'output', elements * 4)]),
      group: isRun ? 'pick' : 'pick (strided)',
    };
  },
  fill: ({ units }) => plain({ units }, [touch('output', 'output', units * VECTOR_BYTES)]),
  fillHalo: ({ args, units }) => {
    const sides = args.number('height') * (args.number('left') + args.number('right'));
    const rows = (args.number('row') / PIXEL_BYTES) * (args.number('top') + args.number('bottom'));
    return plain({ units, rows: units * args.number('height'), pixels: units * (sides + rows) }, [
      touch('output', 'output', units * (sides + rows) * PIXEL_BYTES),
    ]);
  },
  gatherChannels: ({ args, units }) => {
    const { whole, lanes } = gatheredBlocks(args.table('table'), args.number('blocks'));
    const pixels = units * args.number('width');
    const written = pixels * (whole + lanes / 8) * PIXEL_BYTES;
    return plain({ units, pixels: pixels * whole, elements: pixels * lanes }, [
      touch('input', 'input', written),
      touch('output', 'output', written),
    ]);
  },
  resize: ({ args, units }) => {
    const pixels = units * args.number('width');
    return plain({ units, pixels }, [
      touch('input', 'input', (units / args.number('height')) * args.number('inputPlane')),
      touch('output', 'output', pixels * PIXEL_BYTES),
    ]);
  },
  reduce: ({ args, units }) => {
    const elements = units * args.number('count');
    return {
      ...plain({ units, elements }, [touch('input', 'input', elements * 4), touch('output', 'output', units * 4)]),
      group: args.number('inner') === 1 ? 'reduce' : 'reduce (strided)',
    };
  },
  argReduce: ({ args, units }) => {
    const elements = units * args.number('count');
    return {
      ...plain({ units, elements }, [touch('input', 'input', elements * 4), touch('output', 'output', units * 4)]),
      group: args.number('inner') === 1 ? 'argReduce' : 'argReduce (strided)',
    };
  },
  softmax: ({ args, units }) => {
    const elements = units * args.number('count');
    return plain({ units, elements }, [
      touch('input', 'input', elements * 4),
      touch('scratch', 'output', elements * 4),
      touch('output', 'output', elements * 4),
    ]);
  },
  resizeCubic: ({ args, units }) => {
    const pixels = units * args.number('width');
    return plain({ units, pixels }, [
      touch('input', 'input', (units / args.number('height')) * args.number('inputPlane')),
      touch('output', 'output', pixels * PIXEL_BYTES),
    ]);
  },
  lrn: ({ args, units }) => {
    const plane = args.number('plane');
    const neighbours = neighboursOf(args.number('channels'), args.number('before'), args.number('behind'));
    const elements = units * plane;
    return plain({ units, elements, taps: units * Math.ceil(plane / 4) * neighbours }, [
      touch('input', 'input', elements * 4),
      touch('scratch', 'output', elements * 4),
      touch('output', 'output', elements * 4),
    ]);
  },
  matmul: ({ args, units }) => {
    const [inner, columns] = [args.number('inner'), args.number('columns')];
    const matrices = units / Math.max(1, args.number('groups'));
    const isNarrow = columns < MATMUL_COLUMNS;
    const tiles = isNarrow ? 0 : units * Math.ceil(columns / MATMUL_COLUMNS);
    const single = isNarrow ? units * columns : 0;
    const rightBytes = inner * columns * 4;
    return {
      ...plain({ units, tiles, tileSteps: tiles * inner, columns: single, columnSteps: single * inner }, [
        touch('a', 'input', matrices * args.number('rows') * inner * 4),
        touch('b', 'input', matrices * rightBytes),
        touch('output', 'output', matrices * args.number('rows') * columns * 4),
      ]),
      // Every unit reads the whole of b.
      rereads: [{ role: 'input', bytes: Math.max(0, units - matrices) * rightBytes, distance: rightBytes }],
    };
  },
  normaliseRows: ({ args, units }) => {
    const [channels, inner] = [args.number('channels'), args.number('inner')];
    const count = channels * inner;
    const passes = args.number('rms') === 1 ? 1 : 2;
    const [runs, run] = inner === 1 ? [1, count] : [channels, inner];
    const bytes = units * count * 4;
    return {
      ...plain(
        {
          units,
          runs: units * runs,
          summed: units * passes * Math.floor(count / 4),
          scaled: units * runs * Math.floor(run / 4),
          parameters: inner === 1 ? units * Math.floor(count / 4) : 0,
          elements: units * (passes * (count % 4) + runs * (run % 4)),
        },
        [touch('input', 'input', bytes), touch('output', 'output', bytes)],
      ),
      rereads: [{ role: 'input', bytes: bytes * passes, distance: count * 4 }],
    };
  },
  normaliseChannels: ({ args, units }) => {
    const pixels = units * args.number('width');
    const blocks = pixels * args.number('blocks');
    return plain({ units, pixels, blocks, means: args.number('rms') === 1 ? 0 : blocks }, [
      touch('input', 'input', blocks * PIXEL_BYTES),
      touch('output', 'output', blocks * PIXEL_BYTES),
    ]);
  },
  sequence: ({ units }) => plain({ units }, []),
};

/** Channels that a sum over neighbours takes, on average: there are fewer at the edges. */
function neighboursOf(channels: number, before: number, behind: number): number {
  // Σ min(reach, c) over channels c from 0.
  const onOneSide = (wanted: number): number => {
    const reach = Math.min(wanted, channels - 1);
    return (reach * (reach + 1)) / 2 + (channels - 1 - reach) * reach;
  };
  return 1 + (onOneSide(before) + onOneSide(behind)) / Math.max(1, channels);
}

/** Shares of a gather's blocks that are copied whole, and lanes a block that are copied one by one, over all blocks. */
function gatheredBlocks(table: ArrayLike<number> | null, blocks: number): { whole: number; lanes: number } {
  if (table === null) return { whole: 1, lanes: 0 };
  let whole = 0;
  let lanes = 0;
  for (let block = 0; block < blocks; block++) {
    const first = table[block * 8] ?? 0;
    let inOrder = first >= 0 && first % PIXEL_BYTES === 0;
    let copied = 0;
    for (let lane = 0; lane < 8; lane++) {
      const offset = table[block * 8 + lane] ?? -1;
      if (offset !== first + lane * 4) inOrder = false;
      if (offset !== -1) copied += 1;
    }
    if (inOrder) whole += 1;
    else lanes += copied;
  }
  return { whole: whole / blocks, lanes: lanes / blocks };
}

/** The work of one call. */
export function callWork(kernel: KernelName, called: Called): CallWork {
  return { group: kernel, ...DESCRIPTIONS[kernel](called) };
}
