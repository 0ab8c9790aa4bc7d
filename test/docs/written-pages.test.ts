import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { commandsPage } from './commands.ts';
import { configurationPage } from './configuration.ts';
import { kerasPage, operatorsPage } from './coverage.ts';
import { papersPage } from './papers.ts';

const DOCS = join(import.meta.dirname, '../../docs');

/** Pages that are written from the code: none can say what is no longer so. */
const PAGES: Readonly<Record<string, () => string | Promise<string>>> = {
  'commands.md': commandsPage,
  'configuration.md': configurationPage,
  'keras-layers.md': kerasPage,
  'operators.md': operatorsPage,
  'papers.md': papersPage,
};

it.each(Object.entries(PAGES))('docs/%s says what holds today', async (name, write) => {
  const path = join(DOCS, name);
  const page = await write();
  if (process.env.REWRITE_GOLDEN === '1') writeFileSync(path, page);
  expect(existsSync(path), `${name} is missing: run npm run golden`).toBe(true);
  expect(readFileSync(path, 'utf8')).toBe(page);
});
