import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { papersPage } from './papers.ts';

const path = join(import.meta.dirname, '../../docs/papers.md');

it("docs/papers.md holds the papers' figures as they are computed today", () => {
  const page = papersPage();
  if (process.env.REWRITE_GOLDEN) writeFileSync(path, page);
  expect(readFileSync(path, 'utf8')).toBe(page);
});
