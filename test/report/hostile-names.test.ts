import { Chalk } from 'chalk';
import { describe, expect, it } from 'vitest';
import type { Report } from '../../src/audit/report.ts';
import { main } from '../../src/cli/main.ts';
import { FORMAT_NAMES } from '../../src/report/formats.ts';
import { renderJson } from '../../src/report/json.ts';
import { renderTable } from '../../src/report/table.ts';
import { documentOf } from '../support/documents.ts';
import { auditJson, conv2d, functional } from '../support/keras.ts';
import { auditSpec } from '../support/models.ts';
import { onnxBytes } from '../support/onnx-bytes.ts';
import { fakeTerminal } from '../support/terminal.ts';

const ESCAPE = String.fromCharCode(27);
const HOSTILE = `${ESCAPE}[2J${ESCAPE}]0;title${String.fromCharCode(7)}\n::error::forged\r\u202eevil\u0000`;

/** A model all of whose names are one text. */
const specOf = (name: string) => ({
  name,
  inputs: { [name]: [1, 3, 8, 8] },
  initializers: { w: { dims: [4, 3, 3, 3] }, v: { dims: [64, 4, 3, 3] } },
  nodes: [
    { op: 'Conv', inputs: [name, 'w'], outputs: ['a'], name },
    { op: 'Conv', inputs: ['a', 'v'], outputs: ['b'], name: `${name}2` },
    { op: `Op${name}`, domain: name, inputs: ['b'], outputs: ['y'], name: `b${name}` },
  ],
  outputs: ['y'],
});

/** The same in everything else that a report takes from strangers: the path, a baseline's name. */
function auditNamed(name: string): Report {
  const report = auditSpec(specOf(name), { path: name });
  const named = { ...report, model: { ...report.model, path: name, producer: name } };
  const { totals } = report;
  const compared = { name, path: name, fileBytes: null, totals };
  const figures = { before: null, after: 1 };
  return {
    ...named,
    baseline: {
      before: compared,
      after: compared,
      change: {
        params: 0,
        macs: 0,
        flops: 0,
        weightBytes: 0,
        activationBytes: 0,
        peakActivationBytes: null,
        fileBytes: null,
        latencyMs: null,
      },
      counts: { added: 1, removed: 0, changed: 0, renamed: 0, unchanged: 2 },
      layers: [
        { status: 'added', before: null, after: name, op: name, differences: [], params: figures, macs: figures },
      ],
    },
  };
}

/** A Keras model all of whose names are one text: layers, models within it, classes, activations. */
async function auditKerasNamed(name: string): Promise<Report> {
  const inner = {
    name: 'NAMEmodel',
    inputs: { NAMEin: [null, 8, 8, 8] },
    layers: [conv2d('NAMEinner', [['NAMEin']])],
    outputs: ['NAMEinner'],
  };
  const model = functional({
    name: 'NAME',
    inputs: { x: [null, 8, 8, 3] },
    layers: [
      conv2d('NAME', [['x']]),
      conv2d('NAME2', [['NAME']]),
      { of: 'Functional', name: 'NAMEmodel', calls: [['NAME2']], module: 'keras', model: inner },
      { of: 'OpNAME', name: 'NAMElast', calls: [['NAMEmodel']], module: 'NAME', registeredName: 'NAME>OpNAME' },
    ],
    outputs: ['NAMElast'],
  });
  const json = { ...model, keras_version: 'NAME' };
  return auditJson(
    JSON.parse(JSON.stringify(json), (_, value) =>
      typeof value === 'string' ? value.replaceAll('NAME', () => name) : value,
    ),
  );
}

/** Reports of both formats. */
const NAMED = [auditNamed, auditKerasNamed];

/** Anything that a terminal would act upon, line ends aside. */
const CONTROL = /[^\P{C}\n\r]/u;

describe('names from the file', () => {
  it('do nothing in a terminal', () => {
    for (const width of [80, 200, null]) {
      for (const grouping of ['layers', 'blocks', { depth: 1 }] as const) {
        const style = new Chalk({ level: 0 });
        const text = renderTable(auditNamed(HOSTILE), { width, models: 1, sort: 'order', grouping, all: true, style });
        expect(text).not.toMatch(CONTROL);
        expect(text).not.toMatch(/^::error/m);
      }
    }
  });

  it('do nothing in an error message either', async () => {
    const broken = { ...specOf(HOSTILE), initializers: {} };
    const terminal = fakeTerminal(['-'], { stdin: [onnxBytes(broken)] });
    expect(await main(terminal)).toBe(2);
    expect(terminal.err()).not.toMatch(CONTROL);
    expect(terminal.err().trim().split('\n')).toHaveLength(1);
  });

  it('survive in JSON as they are', () => {
    for (const name of [HOSTILE, '##[error]forged', '\u009b2J']) {
      const text = renderJson(auditSpec(specOf(name)));
      expect(JSON.parse(text).layers[0].name).toBe(name);
      expect(text).not.toMatch(/##\[|[^\P{C}\n]/u);
    }
  });

  it.each([
    ['bench', '--runs', '1', '--threads', '1', '--profile', 'none'],
    ['rewrite', '--dry-run', '--profile', 'none'],
    ['explain', '--profile', 'none'],
  ])('do nothing in the JSON of %s', async (command, ...options) => {
    for (const name of [HOSTILE, '##[error]forged', '\u009b2J']) {
      const floats = Array.from({ length: 8 * 8 * 9 }, (_, index) => Math.sin(index));
      const model = onnxBytes({
        inputs: { [name]: [1, 8, 8, 8] },
        initializers: { w: { dims: [8, 8, 3, 3], floats } },
        nodes: [{ op: 'Conv', inputs: [name, 'w'], outputs: ['y'], name }],
        outputs: ['y'],
      });
      const terminal = fakeTerminal([command, '-', ...options, '--format', 'json'], { stdin: [model] });
      expect(await main(terminal)).toBe(0);
      expect(terminal.out()).not.toMatch(/##\[|[^\P{C}\n]/u);
    }
  });

  it('that every object answers to are names like others', () => {
    const report = auditSpec({
      inputs: { ['__proto__']: [1, 3, 8, 8], constructor: [1, 3, 8, 8] },
      nodes: [{ op: 'Add', inputs: ['constructor', 'constructor'], outputs: ['toString'], name: 'hasOwnProperty' }],
      outputs: ['toString'],
    });
    expect(report.model.outputs[0]).toMatchObject({ name: 'toString', shape: [1, 3, 8, 8] });
  });

  it.each(FORMAT_NAMES)('put no control character into %s, for one model or for several', async (format) => {
    const [report, keras] = [auditNamed(HOSTILE), await auditKerasNamed(HOSTILE)];
    for (const reports of [[report], [report, report], [keras], [keras, report]]) {
      expect(await documentOf(format, reports)).not.toMatch(CONTROL);
    }
  });
});

describe('in the log of a CI job', () => {
  /** What the runner takes for a command: `::` where a line starts, `##[` anywhere. */
  const COMMAND = /^\s*::|##\[/m;

  it.each(['::error::forged', '  ::set-output name=a::b', '##[error]forged', 'a##[group]b', '\n::error::forged'])(
    'no table obeys %j',
    async (name) => {
      expect(await documentOf('table', [auditNamed(name), await auditKerasNamed(name)])).not.toMatch(COMMAND);
    },
  );

  it.each(['x\n::error::forged', 'a,title=forged::b', 'a%0A::error::forged', '::stop-commands::x'])(
    'annotations are those that dsc-audit makes, with %j too',
    async (name) => {
      const lines = (await documentOf('github', [auditNamed(name)])).trimEnd().split('\n');
      for (const line of lines) {
        expect(line).toMatch(/^::(warning|notice) file=[^,:]*,title=dsc-audit::/);
        expect(line.replace(/^::\w+ file=[^,:]*,title=dsc-audit::/, '')).not.toMatch(/%(?!25|0A|0D)/);
      }
    },
  );
});

describe('in CSV', () => {
  it.each([
    '=1+1',
    '+1',
    '-1',
    '@SUM(A1)',
    '\t=1',
    '\r=1',
    ' =1',
    '＝1',
    '=HYPERLINK("http://x","y")',
    'a;=1+1',
    '|calc',
  ])('no cell is a formula: %j', async (name) => {
    for (const cell of cellsOf(await documentOf('csv', [auditNamed(name)])).flat()) {
      expect(cell).not.toMatch(/(^|;)\s*[=+\-@|%＝＋－＠]/);
    }
  });

  it.each(['a,b', 'a"b', 'a\nb', 'a\r\n"x",y', "a'b", '"'])('every row has every cell: %j', async (name) => {
    const text = await documentOf('csv', [auditNamed(name), auditNamed(name)]);
    const rows = cellsOf(text);
    expect(rows).toHaveLength(1 + 2 * 3);
    expect(new Set(rows.map((row) => row.length)).size).toBe(1);
    expect(text.endsWith('\r\n')).toBe(true);
  });

  /** RFC 4180, read back. */
  function cellsOf(text: string): string[][] {
    const rows: string[][] = [[]];
    for (const [, quoted, plain = '', end] of text.matchAll(/(?:"((?:[^"]|"")*)"|([^",\r\n]*))(,|\r\n|$)/g)) {
      rows.at(-1)?.push(quoted === undefined ? plain : quoted.replaceAll('""', '"'));
      if (end === '\r\n') rows.push([]);
      else if (end === '') break;
    }
    return rows.slice(0, -1);
  }
});

describe('in markdown', () => {
  const NAMES = [
    '@octocat',
    '#1',
    'a|b',
    'a\\|b',
    '`rm -rf`',
    '```\n# big',
    '`',
    '<img src=x onerror=alert(1)>',
    '</details><script>alert(1)</script>',
    '[link](https://evil.example)',
    '![image](https://evil.example/x.png)',
    'https://evil.example',
    '**bold** _it_ ~~no~~',
    ':rocket:',
    '$x^2$',
  ];

  it.each(NAMES)('%j stands in code only, and ends no cell', async (name) => {
    const [onnx, keras] = await Promise.all(NAMED.map((audit) => audit(name)));
    if (onnx === undefined || keras === undefined) throw new Error('There are two reports.');
    for (const reports of [[onnx], [keras], [onnx, keras, auditNamed('plain')]]) {
      const text = await documentOf('markdown', reports);
      const [withoutCode, blocks] = outsideCode(text);
      for (const word of ['octocat', 'alert', 'evil', 'bold', 'rocket', 'onerror', 'rm -rf', 'big']) {
        expect(withoutCode).not.toContain(word);
      }
      expect(withoutCode).not.toMatch(/[@$]|#\d/);
      expect(blocks).toBe(0);
      for (const table of tablesOf(text)) expect(new Set(table.map(cellsIn)).size).toBe(1);
    }
  });

  /** What is left of a text without code blocks, code spans and `<code>`; and the fences that were left open. */
  function outsideCode(text: string): readonly [string, number] {
    const rest: string[] = [];
    let fence: string | null = null;
    for (const line of text.split('\n')) {
      const mark = /^(`{3,})/.exec(line)?.[1] ?? null;
      if (fence !== null) {
        if (line === fence) fence = null;
      } else if (mark !== null) fence = mark;
      else rest.push(line.replace(/(?<!`)(`+)(?!`).*?(?<!`)\1(?!`)/g, '').replace(/<code>[^<>`]*<\/code>/g, ''));
    }
    return [rest.join('\n'), fence === null ? 0 : 1];
  }

  const tablesOf = (text: string): readonly (readonly string[])[] =>
    text
      .split(/\n(?!\|)/)
      .map((block) => block.split('\n').filter((line) => line.startsWith('|')))
      .filter((lines) => lines.length > 0);

  /** Cells as GitHub splits them: before code spans, at every pipe that no backslash precedes. */
  const cellsIn = (line: string): number => line.replace(/\\./g, '').split('|').length;
});

describe('in HTML', () => {
  it.each([
    '<script>alert(1)</script>',
    '</title><script>alert(1)</script>',
    '"><img src=x onerror=alert(1)>',
    "' onmouseover='alert(1)",
    '</svg><script>alert(1)</script>',
    ']]><script>alert(1)</script>',
    '&lt;script&gt;',
    '</style><script>alert(1)</script>',
  ])('%j is text', async (name) => {
    const reports = await Promise.all(NAMED.map((audit) => audit(name)));
    const page = await documentOf('html', [...reports, auditNamed('plain')]);
    const tags = page.match(/<[a-z][^>]*>/gi) ?? [];
    expect(tags.filter((tag) => /^<(script|img|iframe|object|link)/i.test(tag))).toEqual(['<script>']);
    expect(tags.filter((tag) => / on\w+=| style=|javascript:/i.test(tag.replace(/="[^"]*"/g, '=""')))).toEqual([]);
  });
});
