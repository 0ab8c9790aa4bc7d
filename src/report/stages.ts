import type { Figures, Report, ScalingSection } from '../audit/report.ts';
import { STRATEGY_WORDS } from './strategy-text.ts';

/** The stages that a model is compared at: as it is, scaled where that was asked for, and with every candidate converted. */
export function stagesOf({ dsc, scaling, totals }: Report): readonly Stage[] {
  const converts = dsc.candidates.length > 0;
  const { before, after } = dsc.projection;
  const now = { title: 'now', figures: before, peak: totals.peakActivationBytes };
  const { all } = STRATEGY_WORDS[dsc.strategy];
  const asDsc = converts ? [{ title: all, figures: after, peak: after.peakActivationBytes }] : [];
  if (scaling === null) return [now, ...asDsc];
  const { original } = scaling;
  return [
    { ...now, figures: original.before, peak: original.peakActivationBytes },
    ...asDsc.map((stage) => ({ ...stage, figures: original.after, peak: original.after.peakActivationBytes })),
    { ...now, title: scalingText(scaling) },
    ...asDsc.map((stage) => ({ ...stage, title: 'both' })),
  ];
}

export interface Stage {
  readonly title: string;
  readonly figures: Figures;
  readonly peak: number | null;
}

/** `α 0.75 ρ 160` */
function scalingText({ width, resolution }: ScalingSection): string {
  return [width === null ? [] : `α ${width}`, resolution === null ? [] : `${resolution} px`].flat().join(' ');
}
