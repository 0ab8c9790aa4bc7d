#!/usr/bin/env node
import module from 'node:module';

module.enableCompileCache?.();
const { main } = await import('../dist/cli.js');
const { argv, env, stdin, stdout, stderr } = process;
/** What asks the process to end, and what a shell then expects it to exit with: 128 + the signal's number. */
const EXIT_CODES = { SIGINT: 130, SIGTERM: 143, SIGHUP: 129 };
let exitCode = null;
const onInterrupt = (listener) => {
  const listeners = Object.entries(EXIT_CODES).map(([signal, code]) => {
    const listenOnce = () => {
      exitCode = code;
      listener();
    };
    process.once(signal, listenOnce);
    return () => process.removeListener(signal, listenOnce);
  });
  return () => {
    for (const stop of listeners) stop();
  };
};
const code = await main({ argv, env, cwd: () => process.cwd(), stdin, stdout, stderr, onInterrupt });
process.exitCode = code === EXIT_CODES.SIGINT ? (exitCode ?? code) : code;
