import type { Comparison } from '../audit/report.ts';
import type { MeasuredReport } from '../gate/measured-report.ts';
import type { Layout } from './format.ts';

/** How a comparison is laid out; of a file, without width and colour. */
export type ComparisonLayout = Pick<Layout, 'width' | 'colour' | 'all'>;

/** One way to write what two models differ in; `after` is the report on the second. */
export type ComparisonFormat = (comparison: Comparison, after: MeasuredReport, layout: ComparisonLayout) => string;
