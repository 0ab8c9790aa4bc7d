import type { ChalkInstance } from 'chalk';
import type { TrainingSection } from '../audit/report.ts';
import { bytes, quantity } from './units.ts';

/** How many times the model's own batch is shown. */
const TIMES = [1, 8, 32, 128] as const;

const LABEL_WIDTH = 24;
const CELL_WIDTH = 11;

/** One step of training by batch: products and activations grow with it; weights, gradients and state do not. */
export function trainingLines(training: TrainingSection | null, style: ChalkInstance): readonly string[] {
  if (training === null) return [];
  const { batch, macs, weightBytes, gradientBytes, optimizerBytes, activationBytes } = training;
  const line = (label: string, cells: readonly string[]) =>
    [label.padEnd(LABEL_WIDTH), ...cells.map((cell) => cell.padStart(CELL_WIDTH))].join('').trimEnd();
  const grows = (label: string, figure: number | null, text: (value: number | null) => string) =>
    line(
      label,
      TIMES.map((times) => text(figure === null ? null : figure * times)),
    );
  const same = (label: string, text: string) =>
    line(
      label,
      TIMES.map(() => text),
    );
  const fixed = weightBytes + gradientBytes + optimizerBytes.adam;
  return [
    '',
    style.dim(
      line(
        'Training, one step',
        TIMES.map((times) => `batch ${(batch ?? 1) * times}`),
      ),
    ),
    grows('MACs forward', macs.forward, quantity),
    grows('MACs backward', macs.backward, quantity),
    same('Weights', bytes(weightBytes)),
    same('Gradients', bytes(gradientBytes)),
    same('State, momentum', bytes(optimizerBytes.momentum)),
    same('State, Adam', bytes(optimizerBytes.adam)),
    grows('Activations kept', activationBytes, bytes),
    line(
      'Memory with Adam',
      TIMES.map((times) => bytes(activationBytes === null ? null : activationBytes * times + fixed)),
    ),
    '',
  ];
}
