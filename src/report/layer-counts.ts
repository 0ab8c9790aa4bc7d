import type { Comparison } from '../audit/report.ts';

type Counts = Comparison['counts'];

const STATUSES: readonly (keyof Counts)[] = ['added', 'removed', 'changed', 'renamed', 'unchanged'];

/** `1 added, 3 changed, 20 unchanged`: kinds that no layer is of are left out. */
export function layerCounts(counts: Counts, statuses: readonly (keyof Counts)[] = STATUSES): string {
  return statuses
    .filter((status) => counts[status] > 0)
    .map((status) => `${counts[status]} ${status}`)
    .join(', ');
}
