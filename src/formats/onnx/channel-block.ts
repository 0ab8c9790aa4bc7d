import type { GraphProto, NodeProto } from './proto.ts';

/** The domain of operators in onnxruntime's blocked layout, NCHWc: its optimiser writes them for the machine that it runs on. */
export const BLOCKED_DOMAIN = 'com.microsoft.nchwc';

/** Channels in a block, with vectors of 256 and of 512 bits. */
const BLOCKS = { narrow: 8, wide: 16 } as const;

/**
 * How many channels onnxruntime put into a block: no attribute says so, but weights are filled up to whole blocks. Channels
 * of an image, which lie in none, are fewer than a block has.
 */
export function channelBlockOf(graph: GraphProto): number {
  const weights = new Set(
    (graph.node ?? []).flatMap((node) => (isBlocked(node) && node.opType === 'Conv' ? (node.input?.[1] ?? []) : [])),
  );
  if (weights.size === 0) return BLOCKS.wide;
  const isNarrow = (graph.initializer ?? []).some(({ name, dims }) => {
    if (!weights.has(name ?? '')) return false;
    const [filters = 0, channels = 0] = (dims ?? []).map(Number);
    return filters % BLOCKS.wide !== 0 || (channels > BLOCKS.wide && channels % BLOCKS.wide !== 0);
  });
  return isNarrow ? BLOCKS.narrow : BLOCKS.wide;
}

/** Whether a node computes on channels in blocks. */
export const isBlocked = ({ domain }: NodeProto): boolean => domain === BLOCKED_DOMAIN;
