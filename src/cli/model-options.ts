import type { Command } from 'commander';
import type { InputOptions } from '../audit/analyse.ts';
import { collectDim, collectShape } from './option-values.ts';

/** Options of every command that reads a model. */
export interface ModelOptions {
  readonly dim?: ReadonlyMap<string, number>;
  readonly shape?: ReadonlyMap<string, readonly number[]>;
}

export function modelOptions(command: Command): Command {
  return command
    .optionsGroup('Model:')
    .option('--shape <[input=]1x3x224x224>', "an input's shape (repeatable)", collectShape)
    .option('--dim <name=value>', 'an open dimension by name (repeatable); the batch defaults to 1', collectDim);
}

/** What they bind. */
export function bindingsOf({ dim = new Map(), shape = new Map() }: ModelOptions): InputOptions {
  return { dims: Object.fromEntries(dim), shapes: Object.fromEntries(shape) };
}
