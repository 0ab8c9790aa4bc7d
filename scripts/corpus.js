import { join } from 'node:path';
import { root } from './bundle-options.js';

/** Real models with known figures; the tests look in the same place. */
export const CORPUS = process.env.DSC_AUDIT_CORPUS ?? join(root, '../shared/corpus');
