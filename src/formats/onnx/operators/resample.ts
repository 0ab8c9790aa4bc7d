import type { ValueId } from '../../../ir/graph.ts';
import type { Lowered, OnnxNode } from '../onnx-node.ts';
import { always, type Rows } from './row.ts';

type Mode = 'cubic' | 'linear' | 'nearest';

/** The older spellings `bilinear` and `bicubic` among them. */
function modeOf(node: OnnxNode, fallback: Mode): Mode {
  const name = node.string('mode', fallback);
  if (name.endsWith('cubic')) return 'cubic';
  return name.endsWith('linear') ? 'linear' : 'nearest';
}

const DEFAULT_CUBIC_COEFFICIENT = -0.75;

const POLICIES = ['not_larger', 'not_smaller'] as const;

export const resampleRows: Rows = {
  Resize: (node) => ({
    kind: 'resize',
    attrs: {
      mode: modeOf(node, 'nearest'),
      axes: node.optionalInts('axes'),
      policy: POLICIES.find((policy) => policy === node.string('keep_aspect_ratio_policy', 'stretch')) ?? 'stretch',
      // Before operator set 11 positions were not centred.
      coordinates: node.string('coordinate_transformation_mode', node.opset < 11 ? 'asymmetric' : 'half_pixel'),
      nearest: node.string('nearest_mode', node.opset < 11 ? 'floor' : 'round_prefer_floor'),
      cubicCoefficient: node.optionalFloat('cubic_coeff_a') ?? DEFAULT_CUBIC_COEFFICIENT,
      excludesOutside: node.flag('exclude_outside'),
      antialiases: node.flag('antialias'),
    },
    // Operator set 11 put the region of interest second, which no runtime sizes the result by.
    inputs: node.opset < 11 ? [node.input(0), node.input(1)] : [node.input(0), node.input(2), node.input(3)],
  }),
  Upsample: (node) => resizeBy(node, upsampleScales(node)),
  GridSample: (node) => ({ kind: 'gridSample', attrs: { mode: modeOf(node, 'linear') } }),
  AffineGrid: always('affineGrid', {}),
};

/** By factors alone, all axes. */
export function resizeBy(node: OnnxNode, scales: ValueId | null): Lowered {
  return {
    kind: 'resize',
    attrs: {
      mode: modeOf(node, 'nearest'),
      axes: null,
      policy: 'stretch',
      coordinates: node.string('coordinate_transformation_mode', 'asymmetric'),
      nearest: 'floor',
      cubicCoefficient: DEFAULT_CUBIC_COEFFICIENT,
      excludesOutside: false,
      antialiases: false,
    },
    inputs: [node.input(0), scales],
  };
}

/** An input since operator set 9; a list before; two numbers in the first. */
function upsampleScales(node: OnnxNode) {
  const height = node.optionalFloat('height_scale');
  const width = node.optionalFloat('width_scale');
  return height !== null && width !== null ? node.numbers([1, 1, height, width]) : node.inputOrFloats(1, 'scales');
}
