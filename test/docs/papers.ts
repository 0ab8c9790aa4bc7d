import type { AuditOptions } from '../../src/audit/audit.ts';
import type { Report } from '../../src/audit/report.ts';
import { auditFixture, auditSpec } from '../support/models.ts';
import { ssdPredictionLayers } from '../support/ssd.ts';

/** One figure of a paper, and the same as the audit computes it. */
interface Figure {
  readonly what: string;
  /** As printed: `569 M`. */
  readonly paper: string;
  readonly computed: string;
  /** Why they differ; empty where they do not. */
  readonly note: string;
}

const exact = (value: number): string => value.toLocaleString('en-US');

const v1 = (options: AuditOptions = {}) => auditFixture('onnx/mobilenet_v1_1.0_224.onnx', options).totals;

function figure(what: string, paper: string, value: number, note = ''): Figure {
  return { what, paper, computed: exact(value), note };
}

function table3(): readonly Figure[] {
  const rows = [
    ['convolution', 'table3_conv', '462 M', '2.36 M'],
    ['depthwise separable', 'table3_dsc', '52.3 M', '0.27 M'],
    ['α = 0.75', 'table3_dsc_a075', '29.6 M', '0.15 M'],
    ['ρ = 0.714', 'table3_dsc_a075_r0714', '15.1 M', '0.15 M'],
  ] as const;
  return rows.flatMap(([what, file, macs, params]) => {
    const { totals } = auditFixture(`onnx/${file}.onnx`);
    return [
      figure(`${what}, multiply-adds`, macs, totals.macs),
      figure(`${what}, parameters`, params, totals.params.total),
    ];
  });
}

const FOLDED = 'BatchNorm is folded into biases in the file; the paper leaves it out';

function table4(): readonly Figure[] {
  const full = auditFixture('onnx/conv_mobilenet_1.0_224.onnx');
  const classifier = full.layers.find(({ op }) => op === 'Gemm')?.macs ?? 0;
  const { after } = full.dsc.projection;
  return [
    figure(
      'full convolutions, multiply-adds',
      '4866 M',
      full.totals.macs - classifier,
      'without the classifier, as the paper has it',
    ),
    figure('full convolutions, parameters', '29.3 M', full.totals.params.total),
    figure(
      'the same with every candidate as DSC, multiply-adds',
      '569 M',
      after.macs ?? 0,
      'with the classifier, as the paper has it',
    ),
    figure('depthwise separable, multiply-adds', '569 M', v1().macs),
    figure('depthwise separable, parameters', '4.2 M', v1().params.total, FOLDED),
  ];
}

/** Widths and resolutions from the one file of α = 1 at 224 pixels. */
function tables6and7(): readonly Figure[] {
  const widths = [
    [1, '569 M', '4.2 M'],
    [0.75, '325 M', '2.6 M'],
    [0.5, '149 M', '1.3 M'],
    [0.25, '41 M', '0.5 M'],
  ] as const;
  const resolutions = [
    [224, '569 M', ''],
    [192, '418 M', ''],
    [160, '290 M', 'the paper cuts 290.7 M off'],
    [128, '186 M', ''],
  ] as const;
  return [
    ...widths.flatMap(([width, macs, params]) => {
      const totals = v1({ width });
      return [
        figure(`--width ${width}, multiply-adds`, macs, totals.macs),
        figure(`--width ${width}, parameters`, params, totals.params.total, FOLDED),
      ];
    }),
    ...resolutions.map(([resolution, macs, note]) =>
      figure(`--resolution ${resolution}, multiply-adds`, macs, v1({ resolution }).macs, note),
    ),
  ];
}

function v2(): readonly Figure[] {
  const at = (options: AuditOptions = {}) => auditFixture('onnx/mobilenet_v2.onnx', options).totals;
  const blocks = auditFixture('onnx/mobilenet_v2.onnx').blocks.filter(({ kind }) => kind === 'inverted-residual');
  return [
    figure('multiply-adds', '300 M', at().macs),
    figure(
      'parameters',
      '3.4 M',
      at().params.total,
      'the published implementations have 3,504,872 with BatchNorm, folded here',
    ),
    figure(
      '--width 1.4, multiply-adds',
      '585 M',
      at({ width: 1.4 }).macs,
      'the published implementations give 582,195,824 too',
    ),
    figure('bottleneck blocks (Table 2)', '17', blocks.length),
  ];
}

const KB = 1000;

/** At 16 bit; the files have 32. */
const halfKilobytes = (bytes: number): string => `${exact(bytes / 2 / KB)} kB`;

/** The largest tensor: between blocks where there are blocks, since what is inside them is never whole. */
function largestTensor(path: string, isWhole: (report: Report, index: number) => boolean): string {
  const report = auditFixture(path);
  const outputs = report.layers.flatMap(({ index, outputShapes, outputBytes }) => {
    const [shape = null] = outputShapes;
    return shape !== null && isWhole(report, index) ? [{ shape, bytes: outputBytes ?? 0 }] : [];
  });
  const [largest] = outputs.sort((a, b) => b.bytes - a.bytes);
  return `${largest?.shape.slice(1).join('×')}: ${halfKilobytes(largest?.bytes ?? 0)}`;
}

function table3OfV2(): readonly Figure[] {
  const isLast = ({ blocks }: Report, index: number): boolean => blocks.some(({ layers }) => layers.at(-1) === index);
  const plans = auditFixture('onnx/mobilenet_v2.onnx', { memory: true }).memory?.plans;
  const figureOf = (what: string, paper: string, computed: string, note = ''): Figure => ({
    what,
    paper,
    computed,
    note,
  });
  const stem = auditFixture('onnx/mobilenet_v2.onnx').layers[0];
  return [
    figureOf(
      'MobileNetV1, largest tensor (112×112)',
      '1600 kB',
      largestTensor('onnx/mobilenet_v1_1.0_224.onnx', () => true),
    ),
    figureOf(
      'MobileNetV2, largest tensor that is ever whole',
      '400 kB',
      largestTensor('onnx/mobilenet_v2.onnx', isLast),
      `what blocks hand on; the stem's ${stem?.outputShapes[0]?.slice(1).join('×')} (${halfKilobytes(stem?.outputBytes ?? 0)}) is run in slices with the first block (section 5)`,
    ),
    figureOf(
      'MobileNetV2, peak with blocks in slices (--memory)',
      '–',
      halfKilobytes(plans?.slicedBlocksBytes ?? 0),
      'the 32 channels of the stem, before and after their activation',
    ),
    figureOf(
      "MobileNetV2, peak in the model's order (--memory)",
      '–',
      halfKilobytes(plans?.modelOrderBytes ?? 0),
      'the 96 channels inside of the first expanded block, before and after their activation',
    ),
  ];
}

function ssdLite(): readonly Figure[] {
  const { totals, dsc } = auditSpec(ssdPredictionLayers());
  const { after } = dsc.projection;
  const lite = after.macs ?? 0;
  const backbone = auditFixture('onnx/mobilenet_v2.onnx', { resolution: 320 });
  const classifier = backbone.layers.find(({ op }) => op === 'Gemm')?.macs ?? 0;
  const network = backbone.totals.macs - classifier + lite;
  return [
    figure('SSD, parameters', '14.8 M', totals.params.total),
    figure('SSD, multiply-adds', '1.25 B', totals.macs),
    figure('SSDLite (every candidate as DSC), parameters', '2.1 M', after.params),
    figure(
      'SSDLite (every candidate as DSC), multiply-adds',
      '0.35 B',
      lite,
      `half of what the paper prints: ${exact(lite)} × 2 = ${exact(2 * lite)}. Its Table 6 agrees with what is computed (next line)`,
    ),
    figure('MobileNetV2 + SSDLite at 320 pixels (Table 6), multiply-adds', '0.8 B', network, 'without the classifier'),
    figure(
      'MobileNetV2 + SSDLite (Table 6), parameters',
      '4.3 M',
      backbone.totals.params.total -
        (backbone.layers.find(({ op }) => op === 'Gemm')?.params.total ?? 0) +
        after.params,
      'without the classifier',
    ),
  ];
}

const TABLES: readonly (readonly [title: string, figures: () => readonly Figure[]])[] = [
  ['MobileNetV1 (1704.04861), Table 3: one layer, 512 → 512 channels, 3×3, 14×14', table3],
  ['MobileNetV1, Table 4: the whole network', table4],
  ['MobileNetV1, Tables 6 and 7: width and resolution, from the file of α = 1 at 224 pixels', tables6and7],
  ['MobileNetV2 (1801.04381)', v2],
  ['MobileNetV2, Table 3: the largest tensor that must be held, at 16 bit', table3OfV2],
  ['MobileNetV2, Tables 5 and 6: SSD and SSDLite on MobileNetV2 at 320 pixels, 80 classes', ssdLite],
];

/** The page: what the papers print, beside what the audit computes from model files. */
export function papersPage(): string {
  const sections = TABLES.map(([title, figures]) => {
    const rows = figures().map(({ what, paper, computed, note }) => `| ${what} | ${paper} | ${computed} | ${note} |`);
    return [`## ${title}`, '', '| | paper | computed | |', '|---|---:|---:|---|', ...rows].join('\n');
  });
  return `# The papers' figures

Written by \`npm run golden\` from the tool's own output on the models in \`fixtures/onnx\`; do not edit.

${sections.join('\n\n')}
`;
}
