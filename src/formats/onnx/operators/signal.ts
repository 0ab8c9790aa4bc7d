import type { Rows } from './row.ts';

export const signalRows: Rows = {
  // The axis became an input in operator set 20; it was an attribute, 1 by default.
  DFT: (node) => ({
    kind: 'dft',
    attrs: {
      axis: node.opset < 20 ? node.int('axis', 1) : null,
      inverse: node.flag('inverse'),
      oneSided: node.flag('onesided'),
    },
  }),
  STFT: (node) => ({ kind: 'stft', attrs: { oneSided: node.flag('onesided', true) } }),
};
