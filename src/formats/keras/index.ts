import type { Format } from '../format.ts';

/** How files of Keras begin (each byte a character): as JSON, as a zip archive, as HDF5. */
const BEGINNINGS = [/^(\u00ef\u00bb\u00bf)?\s*\{/, /^PK\u0003\u0004/, /^\u0089HDF\r\n\u001a\n/];

/** Keras models. Their reader is loaded when one comes: audits of other formats start without it. */
export const kerasFormat: Format = {
  name: 'keras',
  recognises(head) {
    const text = String.fromCharCode(...head);
    return BEGINNINGS.some((beginning) => beginning.test(text));
  },
  read: async (source) => (await import('./read.ts')).readKeras(source),
};
