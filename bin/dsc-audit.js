#!/usr/bin/env node
import module from 'node:module';

module.enableCompileCache?.();
const { main } = await import('../dist/cli.js');
const { argv, env, stdin, stdout, stderr } = process;
const onInterrupt = (listener) => {
  process.once('SIGINT', listener);
  return () => process.removeListener('SIGINT', listener);
};
process.exitCode = await main({ argv, env, cwd: () => process.cwd(), stdin, stdout, stderr, onInterrupt });
