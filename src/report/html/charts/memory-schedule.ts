import type { Report } from '../../../audit/report.ts';
import { nameOf } from '../../rows.ts';
import { bytes, round } from '../../units.ts';
import { AXIS, type Chart, COLOUR, LABEL, stepsTo } from './chart.ts';

interface Step {
  readonly position: number;
  readonly bytes: number;
}

/** Activations that are alive while each layer runs; null where one has no known size. */
export function memorySchedule({ memory, layers }: Report, id: string): Chart | null {
  if (memory === null || memory.schedule.length === 0) return null;
  const steps = memory.schedule.map(({ bytes: alive }, position): Step => ({ position, bytes: alive }));
  const peak = steps.reduce((most, step) => (step.bytes > most.bytes ? step : most));
  const at = layers[memory.schedule[peak.position]?.index ?? -1];
  const told = `${bytes(peak.bytes)}${at ? ` at ${nameOf(at)}` : ''}`;
  const shown = thinned(steps);
  const isRight = peak.position > steps.length / 2;
  return {
    id,
    height: 240,
    alternative: `Step chart of the bytes of activations that are alive while each of ${steps.length} layers runs. The peak is ${told}.`,
    markTitle: () => told,
    option: {
      grid: { left: 58, right: 14, top: 26, bottom: 40 },
      xAxis: {
        ...AXIS,
        ...stepsTo(steps.length),
        splitLine: { show: false },
        name: 'layers, in order',
        nameLocation: 'middle',
        nameGap: 26,
      },
      yAxis: {
        ...AXIS,
        type: 'value',
        min: 0,
        splitNumber: 4,
        axisLabel: { ...LABEL, formatter: (value: number) => (value === 0 ? '0' : round(bytes(value))) },
      },
      series: [
        {
          type: 'line',
          step: 'end',
          showSymbol: false,
          data: [...shown.map((step) => [step.position, step.bytes]), [steps.length, shown.at(-1)?.bytes ?? 0]],
          lineStyle: { color: COLOUR.now, width: 1.5 },
          itemStyle: { color: COLOUR.now },
          areaStyle: { color: COLOUR.saved, opacity: 0.6 },
        },
        {
          type: 'scatter',
          z: 3,
          data: [[peak.position + 0.5, peak.bytes]],
          symbolSize: 7,
          itemStyle: { color: COLOUR.dsc, opacity: 1 },
          label: {
            ...LABEL,
            show: true,
            formatter: told,
            position: isRight ? 'left' : 'right',
            color: COLOUR.ink,
            distance: 7,
            offset: [0, -9],
          },
        },
      ],
    },
  };
}

/** More steps than a screen has columns are told by the highest of neighbours. */
const MAX_STEPS = 800;

function thinned(steps: readonly Step[]): readonly Step[] {
  const width = Math.ceil(steps.length / MAX_STEPS);
  if (width <= 1) return steps;
  const kept: Step[] = [];
  for (let start = 0; start < steps.length; start += width) {
    const group = steps.slice(start, start + width);
    kept.push({ position: start, bytes: Math.max(...group.map((step) => step.bytes)) });
  }
  return kept;
}
