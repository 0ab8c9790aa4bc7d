import type { Command } from 'commander';
import type { InputOptions } from '../audit/analyse.ts';
import { LIMIT_NAMES, type LimitName } from '../formats/raisable-limits.ts';
import { collectDim, collectLimit, collectShape } from './option-values.ts';

/** Options of every command that reads a model. */
export interface ModelOptions {
  readonly dim?: ReadonlyMap<string, number>;
  readonly shape?: ReadonlyMap<string, readonly number[]>;
  readonly limit?: ReadonlyMap<LimitName, number>;
}

export function modelOptions(command: Command): Command {
  return command
    .optionsGroup('Model:')
    .option('--shape <[input=]1x3x224x224>', "an input's shape (repeatable)", collectShape)
    .option('--dim <name=value>', 'an open dimension by name (repeatable); the batch defaults to 1', collectDim)
    .option(
      '--limit <messages=8M>',
      `move a limit on what a file may ask for, where it is trusted (repeatable): ${LIMIT_NAMES.join(', ')}`,
      collectLimit,
    );
}

/** What they bind. */
export function bindingsOf({ dim = new Map(), shape = new Map(), limit = new Map() }: ModelOptions): InputOptions {
  return { dims: Object.fromEntries(dim), shapes: Object.fromEntries(shape), limits: Object.fromEntries(limit) };
}
