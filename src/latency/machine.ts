import { arch, availableParallelism, cpus, platform } from 'node:os';
import type { Machine } from './profile.ts';

/** The machine that this process runs on. */
export function thisMachine(): Machine {
  return {
    cpu: cpus()[0]?.model.trim() || 'unknown processor',
    cores: availableParallelism(),
    arch: arch(),
    platform: platform(),
    node: process.versions.node,
  };
}

/** One line for people. */
export const machineText = ({ cpu, cores, platform: system, arch: kind }: Machine): string =>
  `${cpu}, ${cores} ${cores === 1 ? 'core' : 'cores'}, ${system} ${kind}`;
