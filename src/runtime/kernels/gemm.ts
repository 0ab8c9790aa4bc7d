import type { FunctionBody, Local } from '../wasm/function-body.ts';
import type { I32, V128 } from '../wasm/values.ts';
import { BLOCK, defineKernel, indices, type KernelContext, NO_ACTIVATION, PIXEL_BYTES } from './kernel.ts';
import { overSpans } from './spans.ts';

/**
 * The matrix product behind every convolution that is not depthwise: for each pixel p and output channel n,
 * y[p, n] = act(bias[n] + Σ_t Σ_c x[p + table[t], c] · w[n, t, c] + residual[p, n]).
 *
 * A step t of the sum reads `channelsPerStep` channels at a byte offset that the table holds, so that one kernel serves
 * pointwise layers (a step a block of channels), direct convolution (a step a tap and block), grouped convolution (a
 * table an output block), transposed convolution (a call a phase) and Winograd's products (a batch of 36).
 *
 * A unit is one group of output blocks over `pixelsPerUnit` pixels of one batch item, output blocks fastest: the panel of
 * weights stays in the first-level cache, the pixels in the second.
 */
const GEMM_ARGUMENTS = {
  /** Address of the first pixel's first tap. */
  input: 'i32',
  output: 'i32',
  /** Panels: [output block][step][channel][8]. */
  weights: 'i32',
  /** 8 floats an output block. */
  bias: 'i32',
  table: 'i32',
  steps: 'i32',
  /** Bytes from one output block's table to the next; 0 where they share one. */
  tableBlock: 'i32',
  outputBlocks: 'i32',
  /** Index of the first pixel in its image. */
  firstPixel: 'i32',
  pixels: 'i32',
  pixelsPerUnit: 'i32',
  /** Pixels of an output row; row and pixel strides are in bytes. */
  width: 'i32',
  inputRow: 'i32',
  inputPixel: 'i32',
  inputBatch: 'i32',
  outputRow: 'i32',
  outputPixel: 'i32',
  outputBlock: 'i32',
  outputBatch: 'i32',
  weightsBatch: 'i32',
  /** Address of a tensor to add, or 0; strides as the output's. */
  residual: 'i32',
  residualRow: 'i32',
  residualPixel: 'i32',
  residualBlock: 'i32',
  residualBatch: 'i32',
  low: 'f32',
  high: 'f32',
  /** Code of a function to apply after the clamp, or −1. */
  activation: 'i32',
  alpha: 'f32',
  beta: 'f32',
} as const;

type Context = KernelContext<typeof GEMM_ARGUMENTS>;

export interface GemmTile {
  readonly pixels: number;
  readonly blocks: number;
  /** 8 where steps read whole blocks of channels, 1 where each reads one channel. */
  readonly channelsPerStep: number;
}

/** The kernel with the variant's own tile; `blocks` or `pixels` in `fixed` override it. */
export function gemmKernel(fixed: Partial<GemmTile>) {
  return defineKernel(GEMM_ARGUMENTS, (context) => {
    const tile: GemmTile = { channelsPerStep: BLOCK, ...context.variant.tile, ...fixed };
    const { body, begin, end } = context;
    body.loop(begin, end, 1, (unit) => writeUnit(context, tile, unit));
  });
}

/** Where a tile reads and writes, by pixel and by output block. */
interface TileLocals {
  readonly sources: readonly Local<I32>[];
  readonly targets: readonly Local<I32>[];
  readonly residuals: readonly Local<I32>[];
  readonly panels: readonly Local<I32>[];
  readonly biases: readonly Local<I32>[];
  readonly outputs: readonly Local<I32>[];
  /** Two vectors a block, by pixel. */
  readonly sums: readonly (readonly Local<V128>[])[];
}

function writeUnit(context: Context, tile: GemmTile, unit: I32): void {
  const { body, args } = context;
  const groups = args.outputBlocks.add(tile.blocks - 1).div(tile.blocks);
  const unitsOfPixels = args.pixels.add(args.pixelsPerUnit).sub(1).div(args.pixelsPerUnit);
  const group = body.i32(unit.rem(groups));
  const rest = body.i32(unit.div(groups));
  const batch = body.i32(rest.div(unitsOfPixels));
  const first = body.i32(rest.rem(unitsOfPixels).mul(args.pixelsPerUnit).add(args.firstPixel));
  const end = body.i32(first.add(args.pixelsPerUnit).min(args.firstPixel.add(args.pixels)));

  const blocks = indices(tile.blocks).map((j) => body.i32(group.mul(tile.blocks).add(j).min(args.outputBlocks.sub(1))));
  const panelBytes = body.i32(args.steps.mul(tile.channelsPerStep * PIXEL_BYTES));
  const locals: TileLocals = {
    panels: blocks.map((block) => body.i32(args.weights.add(batch.mul(args.weightsBatch)).add(block.mul(panelBytes)))),
    biases: blocks.map((block) => body.i32(args.bias.add(block.mul(PIXEL_BYTES)))),
    outputs: blocks.map((block) => body.i32(block.mul(args.outputBlock))),
    sources: indices(tile.pixels).map(() => body.i32()),
    targets: indices(tile.pixels).map(() => body.i32()),
    residuals: indices(tile.pixels).map(() => body.i32()),
    sums: indices(tile.pixels).map(() => indices(tile.blocks * 2).map(() => body.v128())),
  };
  const table = body.i32(args.table.add((blocks[0] ?? group).mul(args.tableBlock)));
  const input = body.i32(args.input.add(batch.mul(args.inputBatch)));
  const output = body.i32(args.output.add(batch.mul(args.outputBatch)));
  const residual = body.i32(
    args.residual.add(batch.mul(args.residualBatch)).add(group.mul(args.residualBlock).mul(tile.blocks)),
  );

  const x = body.i32(first.rem(args.width));
  const y = body.i32(first.div(args.width));
  const at: PixelPosition = { x, y, input, output, residual };
  body.loop(first, end, tile.pixels, (pixel) => {
    const isInside = pixel.add(tile.pixels).le(end).and(x.add(tile.pixels).le(args.width));
    body.if(
      isInside,
      () => addressInRow(context, locals, at),
      () => addressEach(context, locals, at, end.sub(pixel)),
    );
    startFromBias(body, locals);
    multiply(context, tile, locals, table);
    store(context, locals, blocks);
  });
  writeActivation(context, locals, output, first, end);
}

interface PixelPosition {
  readonly x: Local<I32>;
  readonly y: Local<I32>;
  readonly input: I32;
  readonly output: I32;
  readonly residual: I32;
}

/** Addresses of a tile that ends in the row in which it begins: from one pixel to the next. */
function addressInRow(context: Context, locals: TileLocals, at: PixelPosition): void {
  const { body, args } = context;
  const follow = (pixels: readonly Local<I32>[], step: I32): void => {
    for (const [i, next] of pixels.slice(1).entries()) {
      const previous = pixels[i];
      if (previous) body.set(next, previous.add(step));
    }
  };
  addressPixel(context, locals, 0, at);
  follow(locals.sources, args.inputPixel);
  follow(locals.targets, args.outputPixel);
  follow(locals.residuals, args.residualPixel);
  body.increase(at.x, locals.sources.length);
  wrap(context, at);
}

/** Addresses of any tile. Past the end, `left` pixels from here, it repeats the last one, and stores the same value again. */
function addressEach(context: Context, locals: TileLocals, at: PixelPosition, left: I32): void {
  const { body } = context;
  for (const i of locals.sources.keys()) {
    addressPixel(context, locals, i, at);
    body.if(left.gt(i + 1), () => {
      body.increase(at.x, 1);
      wrap(context, at);
    });
  }
}

function wrap({ body, args }: Context, { x, y }: PixelPosition): void {
  body.if(x.eq(args.width), () => {
    body.set(x, 0);
    body.increase(y, 1);
  });
}

function addressPixel({ body, args }: Context, locals: TileLocals, i: number, at: PixelPosition): void {
  const set = (local: Local<I32> | undefined, base: I32, row: I32, pixel: I32): void => {
    if (local) body.set(local, base.add(at.y.mul(row)).add(at.x.mul(pixel)));
  };
  set(locals.sources[i], at.input, args.inputRow, args.inputPixel);
  set(locals.targets[i], at.output, args.outputRow, args.outputPixel);
  set(locals.residuals[i], at.residual, args.residualRow, args.residualPixel);
}

function startFromBias(body: FunctionBody, { biases, sums }: TileLocals): void {
  for (const row of sums) {
    for (const [index, sum] of row.entries()) {
      const bias = biases[index >> 1];
      if (bias) body.set(sum, bias.loadVector((index & 1) * 16));
    }
  }
}

function multiply(context: Context, tile: GemmTile, locals: TileLocals, table: I32): void {
  const { body, args } = context;
  const step = body.i32(table);
  const lastStep = body.i32(table.add(args.steps.shl(2)));
  const offset = body.i32();
  const registers: StepLocals = {
    weights: locals.panels.map((panel) => body.i32(panel)),
    taps: locals.sources.map(() => body.i32()),
    input: body.v128(),
    panel: locals.panels.flatMap(() => [body.v128(), body.v128()]),
  };
  body.block(() =>
    body.whileTrue(step.lt(lastStep), () => {
      body.set(offset, step.loadI32());
      for (const [i, source] of locals.sources.entries()) {
        for (const tap of registers.taps.slice(i, i + 1)) body.set(tap, source.add(offset));
      }
      for (const channel of indices(tile.channelsPerStep)) multiplyChannel(context, locals, registers, channel);
      for (const address of registers.weights) body.increase(address, tile.channelsPerStep * PIXEL_BYTES);
      body.increase(step, 4);
    }),
  );
}

interface StepLocals {
  /** Where the weights of the step are, by output block. */
  readonly weights: readonly Local<I32>[];
  /** Where the step reads, by pixel. */
  readonly taps: readonly Local<I32>[];
  readonly input: Local<V128>;
  /** Two vectors of weights an output block. */
  readonly panel: readonly Local<V128>[];
}

/** One channel of every pixel times its weights. */
function multiplyChannel({ body, variant }: Context, locals: TileLocals, registers: StepLocals, channel: number): void {
  const { weights, taps, input, panel } = registers;
  for (const [j, vector] of panel.entries()) {
    const address = weights[j >> 1];
    if (address) body.set(vector, address.loadVector(channel * PIXEL_BYTES + (j & 1) * 16));
  }
  for (const [i, tap] of taps.entries()) {
    body.set(input, tap.loadSplat(channel * 4));
    for (const [j, sum] of (locals.sums[i] ?? []).entries()) {
      const vector = panel[j];
      if (vector) body.set(sum, variant.multiplyAdd(input, vector, sum));
    }
  }
  const guard = taps[0];
  // Never taken: no address is that small. Each compares with another value, or V8 would see that one decides all.
  if (variant.guardSteps && guard) body.exitIf(guard.eq(channel + 1), 2);
}

function store({ body, args }: Context, locals: TileLocals, blocks: readonly Local<I32>[]): void {
  const addResidual = body.i32(args.residual.ne(0));
  body.if(addResidual, () => {
    for (const [i, row] of locals.sums.entries()) {
      const source = locals.residuals[i];
      for (const [j, sum] of row.entries()) {
        const block = blocks[j >> 1];
        const first = blocks[0];
        if (!source || !block || !first) continue;
        const address = j < 2 ? source : source.add(block.sub(first).mul(args.residualBlock));
        body.set(sum, sum.add(address.loadVector((j & 1) * 16)));
      }
    }
  });
  const low = body.v128(args.low.splat());
  const high = body.v128(args.high.splat());
  for (const [i, row] of locals.sums.entries()) {
    const target = locals.targets[i];
    for (const [block, output] of locals.outputs.entries()) {
      if (!target) continue;
      // One address for both halves: only then does V8 see that they lie side by side.
      const address = body.i32(target.add(output));
      for (const [half, sum] of row.slice(block * 2, block * 2 + 2).entries()) {
        body.storeVector(address, sum.max(low).min(high), half * 16);
      }
    }
  }
}

/** Applies a function that is no clamp to what the unit has just stored, while it is in the first-level cache. */
function writeActivation(context: Context, locals: TileLocals, output: I32, first: I32, end: I32): void {
  const { body, args, shared } = context;
  body.if(args.activation.ne(NO_ACTIVATION), () => {
    for (const [j, block] of locals.outputs.entries()) {
      // A group past the last block repeats it: its function must be applied once.
      const previous = locals.outputs[j - 1];
      const isNew = previous ? block.ne(previous) : args.activation.ne(NO_ACTIVATION);
      body.if(isNew, () =>
        overSpans(body, args, first, end, (offset, pixels) => {
          const at = body.i32(output.add(block).add(offset));
          body.call(shared.mapSpan, at, at, pixels.shl(1), args.activation, args.alpha.splat(), args.beta.splat());
        }),
      );
    }
  });
}
