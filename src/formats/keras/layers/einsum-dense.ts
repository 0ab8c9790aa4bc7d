import type { ValueId } from '../../../ir/graph.ts';
import type { LayerCall } from '../layer-call.ts';
import { activate, binary } from './activation.ts';
import { adapted, isAdapted } from './lora.ts';
import type { LayerRow, LayerRows } from './row.ts';

/** The three terms of an equation, and where the ellipsis stands in the first. */
interface Equation {
  readonly input: string;
  readonly kernel: string;
  readonly output: string;
  readonly ellipsis: 'left' | 'right' | 'none';
}

/** `ab,bc->ac`, `...ab,bc->...ac` or `ab...,bc->ac...`; null for what Keras takes for none. */
function parseEquation(text: string): Equation | null {
  const match = /^(\.\.\.)?([A-Za-z]+)(\.\.\.)?,([A-Za-z]+)->(\.\.\.)?([A-Za-z]+)(\.\.\.)?$/.exec(
    text.replaceAll(' ', ''),
  );
  if (match === null) return null;
  const [, left, input = '', right, kernel = '', outputLeft, output = '', outputRight] = match;
  if (left !== outputLeft || right !== outputRight || (left !== undefined && right !== undefined)) return null;
  return { input, kernel, output, ellipsis: left !== undefined ? 'left' : right !== undefined ? 'right' : 'none' };
}

/**
 * The extents of the kernel follow from the input's and from `output_shape`, which lists those of the output behind the
 * batch, without what the ellipsis stands for. (keras.layers.EinsumDense)
 */
const lowerEinsumDense: LayerRow = (call) => {
  const { config, input } = call;
  const text = config.text('equation');
  const equation = parseEquation(text);
  if (equation === null) throw config.invalid('equation', "an equation such as 'abc,cd->abd'");
  const known = extentsOf(call, equation);
  const shape = [...equation.kernel].map((label) => {
    const extent = known.get(label);
    if (extent === undefined) throw config.invalid('equation', `one whose '${label}' has a known extent`);
    return extent;
  });
  const weight = call.weight('kernel', shape, { frozen: isAdapted(call) });
  const bias = biasOf(call, equation, known);
  const kernel = adapted(call, { weight, stored: shape, name: 'lora_kernel' });
  const product = call.node({ kind: 'einsum', attrs: { equation: text } }, input, kernel);
  return activate(call, bias === null ? product : binary(call, 'add', product, bias));
};

/** Extents by label: the output's where it tells them, else the input's. */
function extentsOf(call: LayerCall, { input, output, ellipsis }: Equation): ReadonlyMap<string, number> {
  const { config } = call;
  const listed = config.value('output_shape');
  const given = Array.isArray(listed) ? listed : [listed];
  const extents = new Map<string, number>();
  const rank = call.rank(call.input);
  const hidden = rank - input.length;
  if (hidden < 0 || (hidden > 0 && ellipsis === 'none')) {
    throw call.invalid(`is called on a tensor of ${rank} axes, for which its equation has ${input.length} labels`);
  }
  [...input].forEach((label, index) => {
    const extent = call.shape(call.input)[ellipsis === 'left' ? index + hidden : index];
    if (typeof extent === 'number') extents.set(label, extent);
  });
  // The batch is the output's first axis, and `output_shape` leaves it out.
  const labels = ellipsis === 'left' && hidden > 0 ? [...output] : [...output].slice(1);
  labels.forEach((label, index) => {
    const extent = given[index];
    if (typeof extent === 'number') extents.set(label, extent);
  });
  return extents;
}

/** The bias has an extent of 1 on the axes that it has none for, from its first axis on. */
function biasOf(
  call: LayerCall,
  { input, output, ellipsis }: Equation,
  known: ReadonlyMap<string, number>,
): ValueId | null {
  const axes = call.config.optionalText('bias_axes');
  if (axes === null || axes === '') return null;
  const places = [...axes].map((label) => output.indexOf(label));
  if (places.includes(-1)) throw call.config.invalid('bias_axes', `labels of its output '${output}'`);
  const behind = ellipsis === 'right' ? call.rank(call.input) - input.length : 0;
  const shape = [...output.slice(Math.min(...places))].map((label) => {
    if (!axes.includes(label)) return 1;
    const extent = known.get(label);
    if (extent === undefined) throw call.config.invalid('bias_axes', `labels whose extents are known`);
    return extent;
  });
  return call.weight('bias', [...shape, ...Array.from({ length: behind }, () => 1)]);
}

export const einsumDenseRows: LayerRows = { EinsumDense: lowerEinsumDense };
