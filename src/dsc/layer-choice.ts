import picomatch from 'picomatch';
import type { ConvLayer } from './conv-layer.ts';
import type { LayerChoice } from './eligibility.ts';

/** Paths that a pattern may match: the layer's name, and each module around it. A leading slash is not needed. */
export function pathsOf(layer: Pick<ConvLayer, 'name' | 'scope'>): readonly string[] {
  const full = [...layer.scope, ...layer.name.split('/').filter(Boolean)];
  const modules = full.map((_, index) => full.slice(0, index + 1).join('/'));
  return [layer.name.replace(/^\//, ''), ...modules];
}

/** Globs on layer names and modules: `layer1`, `layer1/**`, `*.conv2`. */
export interface LayerPatterns {
  readonly include: readonly string[];
  readonly exclude: readonly string[];
}

/** Longest pattern that is taken: matching takes time that grows with it. */
export const MAX_PATTERN_LENGTH = 1024;

export function layerChoice({ include, exclude }: LayerPatterns): LayerChoice {
  const isIncluded = matcherOf(include);
  const isExcluded = matcherOf(exclude);
  return { isIncluded, isExcluded };
}

/** Whether any pattern matches. */
export function matcherOf(patterns: readonly string[]): (layer: Pick<ConvLayer, 'name' | 'scope'>) => boolean {
  if (patterns.length === 0) return () => false;
  const matches = picomatch(
    patterns.map((pattern) => pattern.replace(/^\//, '')),
    { dot: true, maxLength: MAX_PATTERN_LENGTH },
  );
  return (layer) => pathsOf(layer).some((path) => matches(path));
}
