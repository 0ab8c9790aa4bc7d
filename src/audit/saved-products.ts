/** Algorithms that multiply less than is counted, and the kernels that are named after them. */
const ALGORITHMS = [
  { name: 'Winograd', pattern: /^winograd/ },
  { name: 'Strassen', pattern: /strassen$/ },
] as const;

type Algorithm = (typeof ALGORITHMS)[number]['name'];

/** The algorithm by which a kernel computes fewer products than are counted; null where it computes them all. */
export const algorithmOf = (kernel: string): Algorithm | null =>
  ALGORITHMS.find(({ pattern }) => pattern.test(kernel))?.name ?? null;
