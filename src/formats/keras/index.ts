import type { Format } from '../format.ts';

/** Keras models: JSON. Its reader is loaded where it is needed: audits of other formats start without it. */
export const kerasFormat: Format = {
  name: 'keras',
  recognises: (head) => /^(\u00ef\u00bb\u00bf)?\s*\{/.test(String.fromCharCode(...head)),
  read: async (source) => (await import('./read.ts')).readKeras(source),
};
