import { always, type Rows } from './row.ts';

export const detectionRows: Rows = { NonMaxSuppression: always('nonMaxSuppression', {}) };
