import type { Figures, Report, ScalingSection } from '../audit/report.ts';
import { STRATEGY_WORDS } from './strategy-text.ts';

/** The stages that a model is compared at: as it is, scaled where that was asked for, and with every candidate converted that would not be slower. */
export function stagesOf({ dsc, scaling, totals }: Report): readonly Stage[] {
  const { before, after } = dsc.projection;
  const now = { title: 'now', figures: before, peak: totals.peakActivationBytes };
  const title = convertedText(dsc);
  const asDsc = title === null ? [] : [{ title, figures: after, peak: after.peakActivationBytes }];
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

/** `all as DSC`, `16 as DSC` where the others would be slower; null where nothing is converted. */
function convertedText({ candidates, strategy }: Report['dsc']): string | null {
  const { all, some } = STRATEGY_WORDS[strategy];
  const converted = candidates.filter(({ recommended }) => recommended).length;
  if (converted === 0) return null;
  return converted === candidates.length ? all : `${converted} ${some}`;
}

/** `α 0.75 ρ 160` */
function scalingText({ width, resolution }: ScalingSection): string {
  return [width === null ? [] : `α ${width}`, resolution === null ? [] : `${resolution} px`].flat().join(' ');
}
