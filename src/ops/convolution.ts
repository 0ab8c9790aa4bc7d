import { addDims, type Dim, multiplyDims, subtractDims } from '../ir/dim.ts';
import { addExact, multiplyExact } from '../ir/exact.ts';
import { type Fact, type Shape, staticExtents, tensorFact } from '../ir/fact.ts';
import type { ConvAttrs, ConvolutionAttrs, ResultType, WindowAttrs } from '../ir/operators.ts';
import type { Cost, CostContext, InferContext, LayerKind, OpDef, OpFamily, SizedTensor } from './op-def.ts';
import { ShapeConflict } from './op-def.ts';
import { extentAt, extentNumber, sameAsInput } from './shape-rules.ts';
import { effectiveKernel, windowExtent } from './window.ts';

/** What a plain convolution has and its relatives lack. */
export const PLAIN_CONV = {
  channelsLast: false,
  weightChannelsLast: false,
  activation: null,
  result: 'same',
} as const satisfies Partial<ConvAttrs>;

/** What a convolution's weight tells of it. */
export interface ConvGeometry {
  readonly inChannels: number;
  readonly outChannels: number;
  readonly kernel: readonly number[];
}

/** Reads channels and kernel off the weight (O, I/groups, spatial…, or O, spatial…, I/groups); null where unknown. */
export function convGeometry(attrs: ConvAttrs, weight: Fact | null | undefined): ConvGeometry | null {
  const shape = staticExtents(weight);
  if (shape === null || shape.length < 2) return null;
  const [outChannels = 0, ...rest] = shape;
  const perGroup = (attrs.weightChannelsLast ? rest.at(-1) : rest[0]) ?? 0;
  const kernel = attrs.weightChannelsLast ? rest.slice(0, -1) : rest.slice(1);
  return { inChannels: perGroup * attrs.groups, outChannels, kernel };
}

/** Depthwise if every input channel has filters of its own; a single input channel is a standard convolution. */
function convKind({ inChannels, outChannels, kernel }: ConvGeometry, groups: number): LayerKind {
  if (groups > 1) return groups === inChannels && outChannels % groups === 0 ? 'depthwise-conv' : 'grouped-conv';
  return kernel.every((extent) => extent === 1) ? 'pointwise-conv' : 'standard-conv';
}

export function resultType(result: ResultType, context: InferContext) {
  if (result === 'same') return context.tensor(0).dtype;
  return typeof result === 'string' ? result : context.tensor(result.likeInput).dtype;
}

/** Spatial extents of the window: the attribute, or the weight's own. */
function kernelOf(attrs: WindowAttrs, weightSpatial: Shape): readonly number[] {
  const { kernel, padding } = attrs;
  if (padding.mode === 'explicit' && padding.pads.length !== 0 && padding.pads.length !== 2 * weightSpatial.length) {
    throw new ShapeConflict(`${padding.pads.length} pads for ${weightSpatial.length} axes`);
  }
  if (kernel && kernel.length !== weightSpatial.length) {
    throw new ShapeConflict(`a kernel shape of ${kernel.length} axes and a weight of ${weightSpatial.length}`);
  }
  return weightSpatial.map((extent, axis) => {
    const asked = kernel?.[axis];
    if (asked !== undefined && typeof extent === 'number' && asked !== extent) {
      throw new ShapeConflict(`a kernel shape of ${asked} where the weight has ${extent}`);
    }
    if (asked !== undefined) return asked;
    if (typeof extent !== 'number') throw new ShapeConflict('the kernel is not known');
    return extent;
  });
}

function inferConv(attrs: ConvAttrs, context: InferContext): readonly Fact[] {
  const dtype = resultType(attrs.result, context);
  const { shape } = context.tensor(0);
  const weight = context.tensor(1).shape;
  if (shape === null || weight === null) return [tensorFact(dtype, null)];
  if (shape.length !== weight.length) {
    throw new ShapeConflict(`an input of ${shape.length} axes and a weight of ${weight.length}`);
  }
  const last = attrs.channelsLast;
  checkChannels(
    extentAt(shape, last ? shape.length - 1 : 1),
    weight.at(attrs.weightChannelsLast ? -1 : 1),
    attrs.groups,
  );
  const weightSpatial = attrs.weightChannelsLast ? weight.slice(1, -1) : weight.slice(2);
  const kernel = kernelOf(attrs, weightSpatial);
  const spatial = (last ? shape.slice(1, -1) : shape.slice(2)).map((extent, axis) =>
    windowExtent(extent, axis, kernel[axis] ?? 1, attrs),
  );
  const [batch, channels] = [extentAt(shape, 0), extentAt(weight, 0)];
  return [tensorFact(dtype, last ? [batch, ...spatial, channels] : [batch, channels, ...spatial])];
}

function checkChannels(inChannels: Dim, perGroup: Dim | undefined, groups: number): void {
  if (typeof inChannels !== 'number' || typeof perGroup !== 'number') return;
  if (inChannels !== perGroup * groups) {
    throw new ShapeConflict(`${inChannels} input channels where the weight takes ${perGroup * groups}`);
  }
}

/** MACs: output elements × C_in/groups × ∏k. FLOPs beside: bias, residual and activation, 1 an output element each. */
function convCost(attrs: ConvAttrs, { inputs, outputs }: CostContext): Cost | null {
  const [, weight, bias, residual] = inputs;
  const output = outputs[0];
  if (!weight || !output) return null;
  const filters = extentNumber(weight, 0);
  const macsPerOutput = filters === 0 ? 0 : weight.elements / filters;
  const epilogues = [bias, residual, attrs.activation].filter(Boolean).length;
  return {
    macs: multiplyExact(output.elements, macsPerOutput),
    otherFlops: multiplyExact(epilogues, output.elements),
  };
}

type TransposeAttrs = ConvolutionAttrs['convTranspose'];

/** (in − 1)·stride + output padding + effective kernel − pads; `same`: in·stride; or the extent asked for. */
function transposedExtent(attrs: TransposeAttrs, input: Dim, axis: number, kernel: number): Dim {
  const asked = attrs.outputShape;
  // Some writers list batch and channels too.
  const spatialRank = attrs.kernel?.length ?? 0;
  const requested = asked?.[axis + (asked.length > spatialRank && spatialRank > 0 ? asked.length - spatialRank : 0)];
  if (requested !== undefined) return requested;
  const stride = attrs.strides[axis] ?? 1;
  const { padding } = attrs;
  if (padding.mode === 'same-upper' || padding.mode === 'same-lower') return multiplyDims(input, stride);
  const pads = padding.mode === 'explicit' ? padding.pads : [];
  const padded = (pads[axis] ?? 0) + (pads[axis + pads.length / 2] ?? 0);
  const covered = effectiveKernel(kernel, attrs.dilations[axis] ?? 1);
  const steps = multiplyDims(subtractDims(input, 1), stride);
  return addDims(steps, (attrs.outputPadding[axis] ?? 0) + covered - padded);
}

function inferTranspose(attrs: TransposeAttrs, context: InferContext): readonly Fact[] {
  const { dtype, shape } = context.tensor(0);
  const weight = context.tensor(1).shape;
  if (shape === null || weight === null) return [tensorFact(dtype, null)];
  if (shape.length !== weight.length) {
    throw new ShapeConflict(`an input of ${shape.length} axes and a weight of ${weight.length}`);
  }
  const kernel = kernelOf(attrs, weight.slice(2));
  const settled = { ...attrs, kernel };
  const last = attrs.channelsLast;
  const inChannels = extentAt(shape, last ? shape.length - 1 : 1);
  const filters = extentAt(weight, 0);
  if (typeof inChannels === 'number' && typeof filters === 'number' && inChannels !== filters) {
    throw new ShapeConflict(`${inChannels} input channels where the weight takes ${filters}`);
  }
  const spatial = (last ? shape.slice(1, -1) : shape.slice(2)).map((extent, axis) =>
    transposedExtent(settled, extent, axis, kernel[axis] ?? 1),
  );
  const channels = multiplyDims(extentAt(weight, 1), attrs.groups);
  const batch = extentAt(shape, 0);
  return [tensorFact(dtype, last ? [batch, ...spatial, channels] : [batch, channels, ...spatial])];
}

/** MACs: **input** elements × C_out/groups × ∏k: every input element meets every tap once, whatever the stride. */
function transposeCost(_attrs: TransposeAttrs, { inputs, outputs }: CostContext): Cost | null {
  const [input, weight, bias] = inputs;
  const output = outputs[0];
  if (!input || !weight || !output) return null;
  const filters = extentNumber(weight, 0);
  return {
    macs: filters === 0 ? 0 : multiplyExact(input.elements, weight.elements / filters),
    otherFlops: bias ? output.elements : 0,
  };
}

/** As a convolution of the values sampled at the offsets: bilinear interpolation takes 4 operations a tap and channel. */
function deformCost(_attrs: ConvolutionAttrs['deformConv'], { inputs, outputs }: CostContext): Cost | null {
  const [input, weight, , bias, mask] = inputs;
  const output = outputs[0];
  if (!input || !weight || !output) return null;
  const filters = extentNumber(weight, 0);
  const taps = multiplyExact(...weight.shape.slice(2));
  const positions = multiplyExact(extentNumber(output, 0), ...output.shape.slice(2));
  const sampled = multiplyExact(positions, extentNumber(input, 1), taps);
  return {
    macs: filters === 0 ? 0 : multiplyExact(output.elements, weight.elements / filters),
    otherFlops: addExact(multiplyExact(sampled, mask ? 5 : 4), bias ? output.elements : 0),
  };
}

function causalCost(
  { activation }: ConvolutionAttrs['causalConv'],
  { inputs, outputs }: { readonly inputs: readonly (SizedTensor | null)[]; readonly outputs: CostContext['outputs'] },
): Cost | null {
  const [, weight, bias] = inputs;
  const output = outputs[0];
  if (!weight || !output) return null;
  const epilogues = [bias, activation].filter(Boolean).length;
  return {
    macs: multiplyExact(output.elements, extentNumber(weight, 2)),
    otherFlops: multiplyExact(epilogues, output.elements),
  };
}

const convolution: OpDef<'conv' | 'blockedConv'> = {
  kind: (attrs, inputs) => {
    const geometry = convGeometry(attrs, inputs[1]);
    return geometry ? convKind(geometry, attrs.groups) : 'standard-conv';
  },
  roles: { 1: 'weight', 2: 'weight' },
  infer: inferConv,
  cost: convCost,
};

export const convolutionOps: OpFamily<ConvolutionAttrs> = {
  conv: convolution,
  blockedConv: convolution,
  convTranspose: {
    kind: 'conv-transpose',
    roles: { 1: 'weight', 2: 'weight' },
    infer: inferTranspose,
    cost: transposeCost,
  },
  deformConv: {
    kind: (attrs, inputs) => {
      const geometry = convGeometry({ ...attrs, ...PLAIN_CONV }, inputs[1]);
      return geometry ? convKind(geometry, attrs.groups) : 'standard-conv';
    },
    roles: { 1: 'weight', 3: 'weight' },
    infer: (attrs, context) => inferConv({ ...attrs, ...PLAIN_CONV }, context),
    cost: deformCost,
  },
  causalConv: {
    kind: 'depthwise-conv',
    roles: { 1: 'weight', 2: 'weight' },
    infer: (attrs, context) => {
      const { dtype, shape } = context.tensor(0);
      const weight = context.tensor(1).shape;
      const state =
        shape === null || weight === null
          ? null
          : [extentAt(shape, 0), extentAt(shape, 1), subtractDims(extentAt(weight, 2), 1)];
      return [...sameAsInput(attrs, context), tensorFact(dtype, state)];
    },
    cost: causalCost,
  },
};
