import type { Command } from 'commander';
import type { Terminal } from '../terminal.ts';
import { defineAudit } from './audit.ts';
import { defineBench } from './bench.ts';
import { defineCalibrate } from './calibrate.ts';
import { defineCompletion } from './completion.ts';
import { defineDiff } from './diff.ts';
import { defineExplain } from './explain.ts';
import { defineInit } from './init.ts';
import { defineRewrite } from './rewrite.ts';

/** Adds a command to the program. What it runs is loaded when it runs. */
export type DefineCommand = (program: Command, terminal: Terminal) => void;

/** Every command. The first is what the program does without a command's name. */
export const COMMANDS: readonly DefineCommand[] = [
  defineAudit,
  defineCalibrate,
  defineBench,
  defineRewrite,
  defineDiff,
  defineExplain,
  defineInit,
  defineCompletion,
];
