import type { Command } from 'commander';
import type { Terminal } from '../terminal.ts';

const NOTES = `
It looks for *.onnx, *.keras and *.h5 in this folder and below. Budgets lie just above
today's figures. Files that are there are left as they are.`;

/** `dsc-audit init`: a configuration and a workflow to begin with. */
export function defineInit(program: Command, terminal: Terminal): void {
  program
    .command('init')
    .summary('write a configuration and a CI workflow')
    .description("Writes dsc-audit.config.json with budgets for this folder's models, and a GitHub workflow.")
    .addHelpText('after', NOTES)
    .action(async () => {
      const { runInit } = await import('../run-init.ts');
      await runInit(terminal);
    });
}
