import type { BlockSection } from '../audit/report.ts';

/** What a kind of block is called, one and many. */
export const BLOCK_NAMES: Readonly<Record<BlockSection['kind'], readonly [one: string, many: string]>> = {
  'inverted-residual': ['inverted residual', 'inverted residual blocks'],
  'fused-inverted-residual': ['fused inverted residual', 'fused inverted residual blocks'],
  bottleneck: ['bottleneck', 'bottleneck blocks'],
  'basic-residual': ['basic residual', 'basic residual blocks'],
  shuffle: ['shuffle block', 'shuffle blocks'],
  fire: ['Fire module', 'Fire modules'],
  'parallel-branches': ['parallel branches', 'modules of parallel branches'],
  'depthwise-separable': ['depthwise separable', 'depthwise separable pairs'],
  'squeeze-excite': ['squeeze-excite', 'squeeze-and-excite blocks'],
};

/** `inverted residual t6 +SE`: with the expansion, and what else tells blocks of a kind apart. */
export function blockText({ kind, expansion, squeezeExcite, shortcut }: BlockSection): string {
  const [name] = BLOCK_NAMES[kind];
  const width = expansion === null || kind === 'bottleneck' ? '' : ` t${Number(expansion.toFixed(2))}`;
  const gate = squeezeExcite && kind !== 'squeeze-excite' ? ' +SE' : '';
  return `${name}${width}${gate}${shortcut === 'projection' ? ' (projected)' : ''}`;
}
