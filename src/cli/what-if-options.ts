import { type Command, Option } from 'commander';
import type { ScalingOptions } from '../audit/scale-analysis.ts';
import { ROUNDINGS, type Rounding } from '../dsc/scaling/rounding.ts';
import { positiveNumber, wholeNumber } from './option-values.ts';

/** Options that ask for the model as it would be with other widths or at another resolution. */
export interface WhatIfOptions {
  readonly width?: number;
  readonly rounding?: Rounding;
  readonly resolution?: number;
  readonly training?: boolean;
  readonly memory?: boolean;
}

export function whatIfOptions(command: Command): Command {
  return command
    .optionsGroup('What if:')
    .option('--width <alpha>', "every number of channels times this (MobileNet's α)", positiveNumber)
    .addOption(
      new Option('--rounding <how>', 'scaled channels in multiples of 8, or none').choices(Object.keys(ROUNDINGS)),
    )
    .option('--resolution <pixels>', 'another height and width of the input image (ρ)', wholeNumber)
    .option('--training', 'what training costs: gradients, optimiser state, activations kept')
    .option('--memory', 'peak memory by other schedules: a better order, blocks in slices');
}

export function scalingOf({ width, rounding, resolution }: WhatIfOptions): ScalingOptions {
  return {
    ...(width === undefined ? {} : { width }),
    ...(rounding === undefined ? {} : { rounding }),
    ...(resolution === undefined ? {} : { resolution }),
  };
}
