import type { Layer, ReportedShape } from '../../audit/report.ts';
import type { LayerKind } from '../../ops/op-def.ts';
import { convolutionRules } from './convolution-rules.ts';
import { type Attempt, type FigureRules, provenStep, type Step } from './explanation.ts';
import { type Expression, literal, named, product, quotient, sum } from './expression.ts';
import { attentionMacs, denseRules, matmulMacs, recurrentRules } from './product-rules.ts';
import { axes, elementsOf } from './shapes.ts';

type Rules = (layer: Layer) => FigureRules;

const NONE: readonly Attempt[] = [{ formula: literal(0) }];

/** So many operations for each element that is written. */
const perOutput = (layer: Layer, ...rates: readonly (readonly [rate: number, note: string])[]): readonly Attempt[] => {
  const outputs = elementsOf(layer.outputShapes[0]);
  if (outputs === null) return [];
  return rates.map(([rate, note]) => {
    const elements = named('output elements', outputs);
    return { formula: rate === 1 ? elements : product(literal(rate), elements), note };
  });
};

const perInput = (layer: Layer, note: string): readonly Attempt[] => {
  const inputs = elementsOf(layer.inputShapes[0]);
  return inputs === null ? [] : [{ formula: named('input elements', inputs), note }];
};

/** Whole operations an element, where the report does not hold what they follow from. */
function readOff(layer: Layer, symbols: string, note: string): readonly Attempt[] {
  const outputs = elementsOf(layer.outputShapes[0]);
  if (outputs === null || outputs === 0 || layer.flops === null || layer.macs === null) return [];
  const rate = (layer.flops - 2 * layer.macs) / layer.repeats / outputs;
  if (!Number.isInteger(rate)) return [];
  const formula = product(named('output elements', outputs), named(symbols, rate));
  return [{ formula, note: `${symbols} = ${rate} is read off the figure: ${note}`, isReadOff: true }];
}

/** A parameter or several for each channel. */
function perChannel(layer: Layer, ...rates: readonly (readonly [rate: number, note: string])[]): readonly Attempt[] {
  const shape = axes(layer.inputShapes[0]) ?? [];
  const widths = [...new Set([shape[1], shape.at(-1)])].filter((width) => width !== undefined);
  return [
    ...NONE,
    ...rates.flatMap(([rate, note]) =>
      widths.map((width) => {
        const channels = named('C', width);
        return { formula: rate === 1 ? channels : product(literal(rate), channels), note };
      }),
    ),
  ];
}

const NORM_PARAMS = [
  [4, 'Scale and shift are trained, mean and variance are statistics.'],
  [2, 'A scale and a shift for each channel.'],
  [1, 'One parameter for each channel.'],
] as const;

function normFlops(layer: Layer): readonly Attempt[] {
  const isBatchNorm = /batch/i.test(layer.op);
  const rates = isBatchNorm
    ? ([[2, 'One scale and one shift for each element, as inference runs it.']] as const)
    : ([2, 3, 4, 5, 6, 7] as const).map((rate) => [rate, 'So many for each element in a norm of this kind.'] as const);
  return [...perOutput(layer, ...rates), ...readOff(layer, 'operations', 'the report does not hold its attributes.')];
}

const ONCE = [1, 'One operation for each element.'] as const;

const elementwise: Rules = (layer) => ({
  macs: NONE,
  params: perChannel(layer, [1, 'One for each channel.']),
  otherFlops: [
    ...(/softmax/i.test(layer.op) ? perOutput(layer, [5, 'Softmax counts 5 for each element.']) : []),
    ...perOutput(layer, ONCE),
    ...NONE.map((none) => ({ ...none, note: 'It computes nothing.' })),
    ...readOff(layer, 'operations', 'the table of docs/counting.md has the rates.'),
  ],
});

const poolRules: Rules = (layer) => ({
  macs: NONE,
  params: NONE,
  otherFlops: [
    ...(/global/i.test(layer.op) ? perInput(layer, 'Every input element is read once.') : []),
    ...readOff(layer, '∏k', 'the report does not hold the window of a pool.'),
    ...perInput(layer, 'Every input element is read once.'),
  ],
});

const unreadable: Rules = (layer) => ({
  macs: NONE,
  params: NONE,
  otherFlops: [
    ...NONE,
    ...perOutput(layer, ONCE),
    ...readOff(layer, 'operations', 'by the table of docs/counting.md.'),
  ],
});

/** By kind: a kind without rules does not compile. */
const RULES: Readonly<Record<LayerKind, Rules>> = {
  'standard-conv': convolutionRules,
  'pointwise-conv': convolutionRules,
  'depthwise-conv': convolutionRules,
  'grouped-conv': convolutionRules,
  'conv-transpose': convolutionRules,
  dense: denseRules,
  matmul: (layer) => ({
    macs: matmulMacs(layer),
    params: NONE,
    otherFlops: [...NONE, ...perOutput(layer, [1, 'A bias or a scale, 1 an output element.'])],
  }),
  recurrent: recurrentRules,
  attention: (layer) => ({ macs: attentionMacs(layer), params: NONE, otherFlops: [] }),
  norm: (layer) => ({ macs: NONE, params: perChannel(layer, ...NORM_PARAMS), otherFlops: normFlops(layer) }),
  activation: elementwise,
  elementwise,
  pool: poolRules,
  reduce: (layer) => ({
    macs: NONE,
    params: NONE,
    otherFlops: [...perInput(layer, 'Every input element is read once.'), ...unreadable(layer).otherFlops],
  }),
  reshape: () => ({
    macs: NONE,
    params: NONE,
    otherFlops: [{ formula: literal(0), note: 'Moving data costs no arithmetic; its bytes are below.' }],
  }),
  other: unreadable,
};

const NOT_FROM_REPORT = 'This is the figure of the audit: it does not follow from what the report holds of the layer';

/** What the figure is made of, where the formulas above it do not reproduce it. */
const COMPOSITION: Readonly<Partial<Record<LayerKind, string>>> = {
  attention: 'summed are its projections, where it holds them, and the score and value products',
  recurrent: 'summed are all gates over all steps',
  'depthwise-conv': 'a layer of several operators is the sum of them',
};

const otherwise = ({ kind }: Layer): string =>
  `${NOT_FROM_REPORT}${kind in COMPOSITION ? ` (${COMPOSITION[kind]})` : ''}.`;

/** All figures of a layer that the audit prints, each by its formula. */
export function figureSteps(layer: Layer): readonly Step[] {
  const rules = RULES[layer.kind](layer);
  return [
    paramsStep(layer, rules.params),
    provenStep('MACs', layer.macs, rules.macs.map(repeated(layer)), { otherwise: otherwise(layer) }),
    flopsStep(layer, rules.otherFlops),
    bytesStep('Weights', layer.weightBytes, named('params', layer.params.total), 1),
    bytesStep('Read', layer.inputBytes, elementsSum(layer.inputNames, layer.inputShapes), layer.repeats),
    bytesStep('Written', layer.outputBytes, elementsSum(layer.outputNames, layer.outputShapes), layer.repeats),
    intensityStep(layer),
  ];
}

/** A layer in a loop runs several times, and its figures are those of all runs. */
const repeated =
  ({ repeats }: Layer) =>
  (attempt: Attempt): Attempt =>
    repeats === 1 || attempt.formula.value === 0
      ? attempt
      : { ...attempt, formula: product(named('runs', repeats), attempt.formula) };

const HAS_WEIGHTS: ReadonlySet<LayerKind> = new Set<LayerKind>([
  'standard-conv',
  'pointwise-conv',
  'depthwise-conv',
  'grouped-conv',
  'conv-transpose',
  'dense',
  'recurrent',
]);

const ELEMENTS_OF_CONSTANTS =
  'The elements of its learned constants that no layer before has; the report does not hold their shapes.';

const NONE_OF_ITS_OWN = 'None of its own: its weights are computed, or count on the first layer that shares them.';

function paramsStep(layer: Layer, attempts: readonly Attempt[]): Step {
  const { total, trainable } = layer.params;
  const step = provenStep('Params', total, attempts, { otherwise: ELEMENTS_OF_CONSTANTS });
  if (total === 0) {
    return {
      ...step,
      ...{ symbols: '0', substituted: '0', basis: 'formula' },
      note: HAS_WEIGHTS.has(layer.kind) ? NONE_OF_ITS_OWN : null,
    };
  }
  if (trainable === total || step.note !== null) return step;
  return { ...step, note: `${trainable} of them are trainable.` };
}

function flopsStep(layer: Layer, others: readonly Attempt[]): Step {
  const twice = layer.macs === null || layer.macs === 0 ? null : product(literal(2), named('MACs', layer.macs));
  const attempts = others.map(repeated(layer)).map(({ formula, ...rest }) => ({
    ...rest,
    formula: twice === null ? formula : formula.value === 0 ? twice : sum(twice, formula),
  }));
  return provenStep('FLOPs', layer.flops, attempts, {
    otherwise: `${otherwise(layer).slice(0, -1)}; 2 × MACs, and ${remainder(layer)} of other arithmetic.`,
  });
}

const remainder = ({ flops, macs }: Layer): string =>
  flops === null || macs === null ? 'so much' : (flops - 2 * macs).toLocaleString('en-US');

/** Elements of several tensors, each counted once. */
function elementsSum(names: readonly string[], shapes: readonly ReportedShape[]): Expression | null {
  const distinct = shapes.filter((_, at) => names.indexOf(names[at] ?? '') === at);
  const elements = distinct.map(elementsOf);
  const known = elements.filter((count) => count !== null);
  if (known.length !== elements.length || known.length === 0) return null;
  return sum(...known.map((count) => named('elements', count)));
}

/** Bytes an element: 32, 64, 16, 8 and 4 bits. */
const SIZES = [4, 8, 2, 1, 0.5] as const;

function bytesStep(name: string, figure: number | null, elements: Expression | null, repeats: number): Step {
  const counted = elements === null ? [] : repeats === 1 ? [elements] : [product(named('runs', repeats), elements)];
  const attempts: readonly Attempt[] = [
    ...(figure === 0 ? NONE : []),
    ...counted.flatMap((count) =>
      SIZES.map((size) => ({
        formula: product(count, named('bytes', size)),
        note: `${size} bytes an element, the type that it is stored in.`,
      })),
    ),
  ];
  const step = provenStep(name, figure, attempts, {
    unit: 'bytes',
    otherwise: 'Tensors of several types, or packed ones, each by its own.',
  });
  return { ...step, note: step.basis === 'formula' ? null : step.note };
}

function intensityStep(layer: Layer): Step {
  const { flops, inputBytes, outputBytes, weightBytes, repeats, intensity } = layer;
  const attempts =
    flops === null || inputBytes === null || outputBytes === null
      ? []
      : [
          {
            formula: quotient(
              named('FLOPs', flops),
              sum(named('read', inputBytes), named('weights', weightBytes * repeats), named('written', outputBytes)),
            ),
          },
        ];
  return provenStep('Intensity', intensity, attempts, {
    unit: 'FLOPs/byte',
    otherwise: 'FLOPs ÷ (read + weights + written); it reads weights that count on another layer, too.',
  });
}
