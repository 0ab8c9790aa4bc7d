import type { Format } from '../format.ts';

/** How archives and HDF5 files begin, each byte a character. */
const SIGNATURES = ['PK\u0003\u0004', '\u0089HDF\r\n\u001a\n'];

/** A byte order mark in UTF-8. */
const MARK = '\u00ef\u00bb\u00bf';

/** Keras models. Their reader is loaded when one comes: audits of other formats start without it. */
export const kerasFormat: Format = {
  name: 'keras',
  recognises(head) {
    const text = String.fromCharCode(...head);
    return SIGNATURES.some((signature) => text.startsWith(signature)) || /^\s*\{/.test(text.replace(MARK, ''));
  },
  read: async (source, limits) => (await import('./read.ts')).readKeras(source, limits),
};
