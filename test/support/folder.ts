import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { onTestFinished } from 'vitest';

/** A folder for one test, with files in it; objects are written as JSON. It is its own repository: nothing above counts. */
export function folderWith(files: Readonly<Record<string, string | Uint8Array | object>> = {}): string {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'dsc-audit-')));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  mkdirSync(join(folder, '.git'));
  for (const [name, content] of Object.entries(files)) {
    const path = join(folder, name);
    mkdirSync(dirname(path), { recursive: true });
    const isText = typeof content === 'string' || content instanceof Uint8Array;
    writeFileSync(path, isText ? content : JSON.stringify(content, null, 2));
  }
  return folder;
}
