import picomatch from 'picomatch';
import { checkGlobs, GLOB_OPTIONS } from '../ir/glob.ts';
import type { LayerChoice } from './eligibility.ts';
import { matchablePaths, type NamedLayer } from './layer-path.ts';

/** Globs on layer names and modules: `layer1`, `layer1/**`, `*.conv2`. */
export interface LayerPatterns {
  readonly include: readonly string[];
  readonly exclude: readonly string[];
}

export function layerChoice({ include, exclude }: LayerPatterns): LayerChoice {
  const isIncluded = matcherOf(include);
  const isExcluded = matcherOf(exclude);
  return { isIncluded, isExcluded };
}

/** Whether any pattern matches. */
export function matcherOf(patterns: readonly string[]): (layer: NamedLayer) => boolean {
  if (patterns.length === 0) return () => false;
  checkGlobs(patterns);
  const matches = picomatch(
    patterns.map((pattern) => pattern.replace(/^\//, '')),
    GLOB_OPTIONS,
  );
  return (layer) => matchablePaths(layer).some((path) => matches(path));
}
