import type { ComparedModel, Comparison, ProfileSection, RelativeChange } from '../audit/report.ts';
import { change, milliseconds, movedTexts } from './units.ts';

/** A total of two models side by side, as it is printed. */
interface ComparedTotal {
  readonly label: TotalName;
  readonly before: string;
  readonly after: string;
  readonly change: string;
}

export type TotalName = 'Params' | 'MACs' | 'FLOPs' | 'Weights' | 'Activations' | 'Peak memory' | 'Latency' | 'File';

interface Total {
  readonly label: TotalName;
  readonly change: keyof RelativeChange;
  read(model: ComparedModel): number | null;
  spell(before: number | null, after: number | null): readonly [before: string, after: string];
  /** Whether a part of it is missing; left out where its totals do not tell. */
  isLowerBound?(totals: ComparedModel['totals']): boolean;
}

const counts: Total['spell'] = (before, after) => movedTexts(before, after, 'count');
const bytes: Total['spell'] = (before, after) => movedTexts(before, after, 'bytes');
/** A projection has an interval: more digits would tell nothing. */
const times: Total['spell'] = (before, after) => [milliseconds(before), milliseconds(after)];

const lacksLayers: Total['isLowerBound'] = ({ isLowerBound }) => isLowerBound;

const TOTALS: readonly Total[] = [
  { label: 'Params', change: 'params', read: ({ totals }) => totals.params.total, spell: counts },
  { label: 'MACs', change: 'macs', read: ({ totals }) => totals.macs, spell: counts, isLowerBound: lacksLayers },
  { label: 'FLOPs', change: 'flops', read: ({ totals }) => totals.flops, spell: counts, isLowerBound: lacksLayers },
  { label: 'Weights', change: 'weightBytes', read: ({ totals }) => totals.weightBytes, spell: bytes },
  {
    label: 'Activations',
    change: 'activationBytes',
    read: ({ totals }) => totals.activationBytes,
    spell: bytes,
    isLowerBound: lacksLayers,
  },
  {
    label: 'Peak memory',
    change: 'peakActivationBytes',
    read: ({ totals }) => totals.peakActivationBytes,
    spell: bytes,
  },
  {
    label: 'Latency',
    change: 'latencyMs',
    read: ({ totals }) => totals.latencyMs?.value ?? null,
    spell: times,
    isLowerBound: ({ isLatencyLowerBound }) => isLatencyLowerBound,
  },
  { label: 'File', change: 'fileBytes', read: ({ fileBytes }) => fileBytes, spell: bytes },
];

/** Totals that one of the two has; a change is told only where both are exact, and mean the same. */
export function comparedTotals({ before, after, change: changes }: Comparison): readonly ComparedTotal[] {
  return TOTALS.flatMap(({ label, change: key, read, spell, isLowerBound }) => {
    const [was, is] = [read(before), read(after)];
    if (was === null && is === null) return [];
    const [wasText, isText] = spell(was, is);
    const told = (value: number | null, text: string, { totals }: ComparedModel): string =>
      value !== null && isLowerBound?.(totals) ? `≥ ${text}` : text;
    const isKnown = changes[key] !== null || (was === 0 && is !== null);
    const difference = isKnown && was !== null && is !== null ? change(was, is) : 'unknown';
    return [{ label, before: told(was, wasText, before), after: told(is, isText, after), change: difference }];
  });
}

const SOURCES: Readonly<Record<ProfileSection['source'], string>> = {
  reference: 'of the reference machine',
  machine: 'of the machine that ran the audit',
  file: 'of the machine that the given profile is of',
};

/** Whose milliseconds they are, or why they are not compared; null where there are none. */
export function latencyNote(
  { before, after, change: { latencyMs } }: Comparison,
  profile: Pick<ProfileSection, 'source'> | null,
): string | null {
  if (before.totals.latencyMs === null && after.totals.latencyMs === null) return null;
  if (latencyMs === null)
    return 'Latency is not compared: it is not known of both, not of every layer, or was projected with different profiles.';
  return profile === null ? null : `Latency is projected: milliseconds ${SOURCES[profile.source]}.`;
}
