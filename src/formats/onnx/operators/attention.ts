import { always, type Lowering, type Rows } from './row.ts';

const multiHead: Lowering = (node) => ({
  kind: 'multiHeadAttention',
  attrs: { heads: node.requiredCount('num_heads') },
});

export const attentionRows: Rows = {
  Attention: (node) => ({
    kind: 'attention',
    attrs: { heads: node.optionalCount('q_num_heads'), keyValueHeads: node.optionalCount('kv_num_heads') },
  }),
  LinearAttention: (node) => ({
    kind: 'linearAttention',
    attrs: {
      heads: node.requiredCount('q_num_heads'),
      keyValueHeads: node.requiredCount('kv_num_heads'),
      deltaRule: node.string('update_rule', 'gated_delta').endsWith('delta'),
    },
  }),
  RotaryEmbedding: always('rotaryEmbedding', {}),
};

export const microsoftAttentionRows: Rows = {
  Attention: (node) => ({
    kind: 'projectedAttention',
    attrs: {
      heads: node.requiredCount('num_heads'),
      sizes: node.optionalExtents('qkv_hidden_sizes'),
      result: 'same',
    },
  }),
  // x, w, bias, x scale, w scale, mask, … → x, w, bias, mask, past.
  QAttention: (node) => ({
    kind: 'projectedAttention',
    // The input's scale, which comes behind the named ones, has the type of the result.
    attrs: { heads: node.requiredCount('num_heads'), sizes: null, result: { likeInput: 5 } },
    inputs: node.reorder(0, 1, 2, 5, 8),
  }),
  MultiHeadAttention: multiHead,
  GroupQueryAttention: (node) => ({
    kind: 'groupQueryAttention',
    attrs: { heads: node.requiredCount('num_heads'), keyValueHeads: node.requiredCount('kv_num_heads') },
  }),
  RotaryEmbedding: always('rotaryEmbedding', {}),
};
