import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { describe, expect, it } from 'vitest';
import { commandNames, helpOf } from './commands.ts';

const ROOT = join(import.meta.dirname, '../..');

const read = (path: string): string => readFileSync(join(ROOT, path), 'utf8');

function markdownIn(folder: string): readonly string[] {
  return readdirSync(join(ROOT, folder), { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return folder === '.' ? [] : markdownIn(path);
    return entry.name.endsWith('.md') ? [path] : [];
  });
}

const DOCUMENTS = ['.', 'docs', 'fixtures', 'bench'].flatMap(markdownIn);

/** As GitHub makes them of headings. */
function anchorsOf(markdown: string): ReadonlySet<string> {
  const headings = [...markdown.matchAll(/^#+ (.*)$/gm)].map(([, heading = '']) => heading);
  return new Set(
    headings.map((text) =>
      text
        .toLowerCase()
        .replace(/[^\p{L}\p{N} _-]/gu, '')
        .replaceAll(' ', '-'),
    ),
  );
}

/** Text outside code, where links are links. */
const prose = (markdown: string): string => markdown.replace(/^```[\s\S]*?^```/gm, '').replace(/`[^`\n]*`/g, '');

/** Lines of code blocks that call the command. */
const callsIn = (markdown: string): readonly string[] =>
  [...markdown.matchAll(/^```\w*\n([\s\S]*?)^```/gm)].flatMap(([, block = '']) =>
    [...block.matchAll(/(?:^|[|&$]|npx(?: --yes)?) *(dsc-audit(?:@[\d.]+)? .*)$/gm)].map(([, call = '']) => call),
  );

describe.each(DOCUMENTS)('%s', (path) => {
  const markdown = read(path);

  it('links to what there is', () => {
    const dead = [...prose(markdown).matchAll(/\]\(([^)\s]+)\)/g)].flatMap(([, target = '']) => {
      if (/^[a-z]+:/.test(target)) return [];
      const [file = '', anchor] = target.split('#');
      const other = file === '' ? path : relative(ROOT, join(ROOT, dirname(path), file));
      if (!existsSync(join(ROOT, other))) return [target];
      return anchor === undefined || anchorsOf(read(other)).has(anchor) ? [] : [target];
    });
    expect(dead).toEqual([]);
  });

  it('names files of the repository that there are', () => {
    const named = [...markdown.matchAll(/`((?:src|test|scripts|bench|docs|schema|fixtures)\/[\w./-]+)`/g)];
    const gone = named.flatMap(([, file = '']) => (existsSync(join(ROOT, file)) ? [] : [file]));
    expect(gone).toEqual([]);
  });

  it('names scripts of package.json that there are', () => {
    const scripts = { ...JSON.parse(read('package.json')).scripts, ...JSON.parse(read('bench/package.json')).scripts };
    const named = [...markdown.matchAll(/npm run ([\w:-]+)/g)].map(([, name = '']) => name);
    expect(named.filter((name) => !Object.hasOwn(scripts, name))).toEqual([]);
  });
});

describe('commands that documents quote', async () => {
  const names = new Set(await commandNames());
  const quoted = DOCUMENTS.flatMap((path) => callsIn(read(path)).map((call) => [call, path] as const));

  it('are found', () => expect(quoted.length).toBeGreaterThan(40));

  it.each(quoted)('%s (%s) has only options that there are', async (call) => {
    const [, ...words] = (call.split(/ {2,}| # | \| | > /)[0] ?? '').split(' ');
    const command = words[0] !== undefined && names.has(words[0]) ? [words[0]] : [];
    const known = new Set((await helpOf(...command)).match(/(?<![\w-])--?[a-z][a-z-]*/g));
    const options = words.filter((word) => /^--?[a-z]/.test(word)).map((word) => word.replace(/[=)].*$/, ''));
    expect(options.filter((option) => !known.has(option))).toEqual([]);
  });
});

it('documents quote the version of the package', () => {
  const { version } = JSON.parse(read('package.json'));
  const quoted = DOCUMENTS.flatMap((path) => read(path).match(/(?<=dsc-audit@)\d[\w.-]*/g) ?? []);
  expect(new Set(quoted)).toEqual(new Set([version]));
});

describe('docs/architecture.md', () => {
  const page = read('docs/architecture.md');

  it('says of every folder of src what lives there and what may not, in the order of imports', () => {
    const rows = [...page.matchAll(/^\| `src\/([a-z]+)` \| (.+) \| (.*) \|$/gm)].map(([, folder]) => folder);
    const folders = readdirSync(join(ROOT, 'src')).filter((name) => statSync(join(ROOT, 'src', name)).isDirectory());
    expect([...rows].sort()).toEqual(folders.sort());
    const rule = /Imports point down the house: ([a-z >]+)\./.exec(read('biome.json'))?.[1];
    expect(rows.join(' > ')).toBe(rule);
  });

  it('names files below src that there are', () => {
    const named = [...page.matchAll(/`([a-z-]+\/[\w./-]*(?:\.ts|\/))`/g)].map(([, file = '']) => file);
    const exists = (file: string): boolean => existsSync(join(ROOT, 'src', file)) || existsSync(join(ROOT, file));
    expect(named.filter((file) => !exists(file))).toEqual([]);
  });
});
