import { execFileSync } from 'node:child_process';
import { copyFileSync, readFileSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { referenceProfile } from '../../src/latency/reference.ts';
import { runBinary } from '../support/binary.ts';
import { folderWith } from '../support/folder.ts';
import { auditFixture, FIXTURES } from '../support/models.ts';
import { onnxBytes } from '../support/onnx-bytes.ts';

const model = (path: string): Uint8Array => readFileSync(join(FIXTURES, path));
const digits = model('onnx/digits_cnn.onnx');
const unknownOperator = model('edge/custom_op_unknown.onnx');
const report = auditFixture('onnx/digits_cnn.onnx');
const reference = await referenceProfile();

/** A cost model in which every cost is the same. */
function profileOfCost(cost: number): object {
  const fits = reference.fits.map((fit) => ({
    ...fit,
    model: {
      functions: {},
      groups: Object.fromEntries(
        Object.entries(fit.model.groups).map(([name, group]) => [
          name,
          { ...group, coefficients: Object.fromEntries(Object.keys(group.coefficients).map((term) => [term, cost])) },
        ]),
      ),
    },
  }));
  return { ...reference, fits };
}

/** A matrix product that fits no number. */
const tooLarge = onnxBytes({
  inputs: { a: [1, 2 ** 30, 2 ** 30], b: [1, 2 ** 30, 2 ** 30] },
  nodes: [{ op: 'MatMul', inputs: ['a', 'b'], outputs: ['y'] }],
  outputs: ['y'],
});

type Files = Readonly<Record<string, string | Uint8Array | object>>;

/** The gate as a CI job meets it: files in a folder, a command, the exit code, and a part of what it said. */
type Case = readonly [what: string, files: Files, args: readonly string[], says: RegExp];

const HELD: readonly Case[] = [
  ['a budget that holds', { 'm.onnx': digits }, ['m.onnx', '--max-params', '200k'], /PASS {2}params {2}195 k ≤ 200 k/],
  [
    'a baseline that is not outgrown',
    { 'm.onnx': digits, 'b.json': report },
    ['m.onnx', '--baseline', 'b.json', '--max-increase', 'macs=0'],
    /1 of 1 budget held/,
  ],
  [
    'a failed budget that only warns',
    {
      'm.onnx': digits,
      'dsc-audit.config.json': { models: [{ path: '*.onnx', budgets: { params: { max: '1k', severity: 'warn' } } }] },
    },
    [],
    /WARN {2}params/,
  ],
  ...(
    [
      ['that no entry names', [{ path: 'old.onnx' }], ['new.onnx'], 'no entry of its models names it'],
      [
        'that an entry leaves out',
        [{ path: ['*.onnx', '!new.onnx'] }],
        ['new.onnx'],
        'no entry of its models names it',
      ],
    ] as const
  ).map(
    ([which, [entry], args, why]): Case => [
      `a model ${which}, beside others that are held to budgets: it is told`,
      { 'new.onnx': digits, 'dsc-audit.config.json': { models: [{ ...entry, budgets: { params: '1k' } }] } },
      args,
      new RegExp(`warning {2}dsc-audit\\.config\\.json sets no budget for this model: ${why}`),
    ],
  ),
  ...(
    [
      ['without any, in front of one with some', [{ path: 'm.onnx' }, { path: '*.onnx', budgets: { params: '1k' } }]],
      ['with none in its braces', [{ path: 'm.onnx', budgets: {} }]],
    ] as const
  ).map(
    ([which, models]): Case => [
      `a model with an entry ${which}: it is told`,
      { 'm.onnx': digits, 'dsc-audit.config.json': { models } },
      ['m.onnx'],
      /neither at the top nor in the entry that counts/,
    ],
  ),
];

const NOT_HELD: readonly Case[] = [
  [
    'a budget that is exceeded',
    { 'm.onnx': digits },
    ['m.onnx', '--max-params', '100k'],
    /FAIL {2}params {2}195 k > 100 k/,
  ],
  [
    'an unknown operator',
    { 'm.onnx': unknownOperator },
    ['m.onnx', '--max-macs', '1T'],
    /only \d+ of \d+ nodes are counted/,
  ],
  [
    'a latency that some layers are missing from',
    { 'm.keras': model('keras/parts.keras') },
    ['m.keras', '--max-latency', '3600s', '--allow-reference-profile'],
    /the profile knows no cost of some layers/,
  ],
  [
    'a profile that costs next to nothing',
    { 'm.onnx': digits, 'p.json': profileOfCost(1e-300) },
    ['m.onnx', '--max-latency', '1s', '--profile', 'p.json'],
    /no machine is as fast as the profile tells/,
  ],
  [
    'a baseline that lacks the metric',
    { 'm.onnx': digits, 'b.json': report },
    ['m.onnx', '--baseline', 'b.json', '--max-increase', 'latency=50%', '--allow-reference-profile'],
    /in the baseline, no cost model projected every layer/,
  ],
  [
    'a latency that nothing projected',
    { 'm.onnx': digits },
    ['m.onnx', '--max-latency', '1s', '--format', 'json'],
    /"actual": null/,
  ],
  [
    'a size of which a part is missing',
    { 'm.onnx': model('onnx/resnet18.onnx') },
    ['m.onnx', '--max-size', '1GB'],
    /external data is not there/,
  ],
  [
    'growth over the baseline',
    { 'm.onnx': digits, 'b.json': { ...report, totals: { ...report.totals, macs: 3_000_000 } } },
    ['m.onnx', '--baseline', 'b.json', '--max-increase', 'macs=2%'],
    /FAIL {2}macs {2}\+33/,
  ],
  [
    'a baseline that lacks the model',
    { 'm.onnx': digits, 'b.json': [] },
    ['m.onnx', '--baseline', 'b.json', '--max-increase', 'macs=2%'],
    /no report of this model/,
  ],
  [
    'a baseline that does not know',
    { 'm.onnx': digits, 'b.json': auditFixture('edge/custom_op_unknown.onnx') },
    ['m.onnx', '--baseline', 'b.json', '--max-increase', 'macs=1000%'],
    /in the baseline/,
  ],
  [
    'a baseline with two reports of the model',
    { 'm.onnx': digits, 'b.json': [{ ...report, totals: { ...report.totals, macs: 2 ** 52 } }, report] },
    ['m.onnx', '--baseline', 'b.json', '--max-increase', 'macs=2%'],
    /no report of this model/,
  ],
  [
    'a model by a way round',
    {
      'm.onnx': digits,
      'x/y': '',
      'dsc-audit.config.json': { models: [{ path: 'm.onnx', budgets: { params: '1k' } }] },
    },
    ['./x/../m.onnx'],
    /FAIL {2}params/,
  ],
  [
    'a budget of less than nothing, which is 0',
    { 'm.onnx': digits, 'dsc-audit.config.json': '{"models":[{"path":"m.onnx","budgets":{"params":-0}}]}' },
    [],
    /FAIL {2}params {2}195 k > 0/,
  ],
  [
    'a configuration with a byte order mark and line ends of Windows',
    {
      'm.onnx': digits,
      'dsc-audit.config.json':
        '\uFEFF{\r\n"models": [\r\n{ "path": "m.onnx", "budgets": { "params": "1k" } }\r\n]\r\n}\r\n',
    },
    [],
    /FAIL {2}params/,
  ],
  [
    'a report that nobody reads',
    { 'm.onnx': digits },
    ['m.onnx', '--max-params', '1k', '-o', 'r.json', '-o', 'r.html'],
    /FAIL {2}params/,
  ],
  [
    'one of several models',
    { 'm.onnx': digits, 'dsc-audit.config.json': { models: [{ path: '*.onnx', budgets: { params: '1k' } }] } },
    [],
    /FAIL/,
  ],
];

const UNUSABLE: readonly Case[] = [
  ['no model and no configuration', {}, [], /dsc-audit init/],
  ['a model that is not there', {}, ['m.onnx', '--max-macs', '1T'], /there is no such file/],
  [
    'a broken model',
    { 'm.onnx': model('broken/neg_truncated.onnx') },
    ['m.onnx', '--max-macs', '1T'],
    /truncated or damaged/,
  ],
  [
    'a broken model among good ones',
    { 'm.onnx': digits, 'n.onnx': 'text' },
    ['m.onnx', 'n.onnx', '--max-params', '1k'],
    /is text/,
  ],
  ['a glob that matches nothing', {}, ['*.onnx'], /matches no file/],
  ['figures beyond 2^53', { 'm.onnx': tooLarge }, ['m.onnx', '--max-macs', '1T'], /2\^53/],
  ['a folder for a model', { 'm.onnx/x': 'x' }, ['m.onnx', '--max-macs', '1T'], /is a directory/],
  [
    'a profile that is not there',
    { 'm.onnx': digits },
    ['m.onnx', '--max-latency', '1s', '--profile', 'p.json'],
    /no profile .*p\.json/,
  ],
  [
    'a profile of zeroes',
    { 'm.onnx': digits, 'p.json': profileOfCost(0) },
    ['m.onnx', '--max-latency', '1s', '--profile', 'p.json'],
    /nothing costs anything with it/,
  ],
  [
    'a profile beyond numbers',
    { 'm.onnx': digits, 'p.json': profileOfCost(1e308) },
    ['m.onnx', '--max-latency', '1s', '--profile', 'p.json'],
    /has a cost of more than/,
  ],
  ['a folder for a profile', { 'm.onnx': digits, 'p/x': 'x' }, ['m.onnx', '--profile', 'p'], /p: is a directory/],
  ['a folder for a baseline', { 'm.onnx': digits, 'b/x': 'x' }, ['m.onnx', '--baseline', 'b'], /b: is a directory/],
  ['a folder for a configuration', { 'm.onnx': digits, 'c/x': 'x' }, ['m.onnx', '--config', 'c'], /c: is a directory/],
  ['NaN as a budget', { 'm.onnx': digits }, ['m.onnx', '--max-macs', 'NaN'], /write it as 5M/],
  ['an empty budget', { 'm.onnx': digits }, ['m.onnx', '--max-macs', ''], /write it as 5M/],
  ['a negative budget', { 'm.onnx': digits }, ['m.onnx', '--max-macs=-1'], /write it as 5M/],
  ['a typo in a budget', { 'm.onnx': digits }, ['m.onnx', '--max-size', '20Mb'], /write it as 20MB/],
  ['a typo in an option', { 'm.onnx': digits }, ['m.onnx', '--max-mac', '5M'], /--max-macs/],
  [
    'a typo in a metric',
    { 'm.onnx': digits, 'b.json': report },
    ['m.onnx', '--baseline', 'b.json', '--max-increase', 'mcas=2%'],
    /did you mean macs/,
  ],
  ['an increase over nothing', { 'm.onnx': digits }, ['m.onnx', '--max-increase', 'macs=2%'], /--baseline/],
  [
    'a baseline that is not there',
    { 'm.onnx': digits },
    ['m.onnx', '--baseline', 'b.json'],
    /b\.json: there is no such file/,
  ],
  ['a baseline that is no JSON', { 'm.onnx': digits, 'b.json': '{' }, ['m.onnx', '--baseline', 'b.json'], /is no JSON/],
  [
    'a baseline of something else',
    { 'm.onnx': digits, 'b.json': { macs: 1 } },
    ['m.onnx', '--baseline', 'b.json'],
    /is no report of dsc-audit/,
  ],
  [
    'a baseline of another schema version',
    { 'm.onnx': digits, 'b.json': { ...report, schemaVersion: '2.0' } },
    ['m.onnx', '--baseline', 'b.json'],
    /schema version '2\.0'/,
  ],
  [
    'a baseline with a figure that is none',
    { 'm.onnx': digits, 'b.json': { ...report, totals: { ...report.totals, macs: '4M' } } },
    ['m.onnx', '--baseline', 'b.json'],
    /totals\.macs is "4M"/,
  ],
  [
    'a baseline with a figure beyond numbers',
    { 'm.onnx': digits, 'b.json': JSON.stringify(report).replace(/"macs":\d+,"flops"/, '"macs":1e999,"flops"') },
    ['m.onnx', '--baseline', 'b.json'],
    /is a damaged report/,
  ],
  [
    'a configuration that is not there',
    { 'm.onnx': digits },
    ['m.onnx', '--config', 'c.json'],
    /c\.json: there is no such file/,
  ],
  [
    'a configuration that is no JSON',
    { 'm.onnx': digits, '.dsc-audit.json': '{' },
    ['m.onnx'],
    /\.dsc-audit\.json: is no JSON/,
  ],
  ['a configuration without models', { 'dsc-audit.config.json': {} }, [], /names no models/],
  ['an empty list of models', { 'dsc-audit.config.json': { models: [] } }, [], /names no models/],
  [
    'a glob in the configuration that matches nothing',
    { 'm.onnx': digits, 'dsc-audit.config.json': { models: [{ path: 'm.onnx' }, { path: 'n/*.onnx' }] } },
    [],
    /models\[1\]\.path matches no file: n\/\*\.onnx/,
  ],
  ...['/etc/**', '../**', '{..,x}/**', 'nets/../../**', 'C:/**'].map(
    (glob): Case => [
      `a glob in the configuration that leaves its folder: ${glob}`,
      { 'm.onnx': digits, 'dsc-audit.config.json': { models: [{ path: ['*.onnx', glob] }] } },
      [],
      /models\[0\]\.path looks outside of /,
    ],
  ),
  [
    'a typo in a metric of the configuration',
    { 'm.onnx': digits, 'dsc-audit.config.json': { models: [{ path: 'm.onnx' }], budgets: { mcas: '5M' } } },
    [],
    /budgets\.mcas is no known key; did you mean macs\?/,
  ],
  [
    'an unknown key',
    { 'dsc-audit.config.json': { models: [{ path: 'm.onnx', budgts: {} }] } },
    [],
    /models\[0\]\.budgts is no known key; did you mean budgets\?/,
  ],
  [
    'a mistyped value',
    { 'dsc-audit.config.json': { models: [{ path: 'm.onnx', budgets: { macs: '5x' } }] } },
    [],
    /dsc-audit\.config\.json: models\[0\]\.budgets\.macs: '5x' is no count/,
  ],
  ...(
    [
      ['1e400', '{"params":1e400}', "'Infinity' is no count"],
      ['"1e400"', '{"params":"1e400"}', "'1e400' is no count"],
      ['1e21', '{"params":1e21}', "'1e+21' is no count"],
      ['-1', '{"params":-1}', "'-1' is no count"],
      ['"NaN"', '{"params":"NaN"}', "'NaN' is no count"],
      ['"Infinity"', '{"params":"Infinity"}', "'Infinity' is no count"],
      ['"١k" (digits of another script)', '{"params":"١k"}', 'is no count'],
      ['""', '{"params":""}', 'is no count'],
      ['null', '{"params":null}', 'budgets.params is no limit'],
      ['true', '{"params":true}', 'budgets.params is no limit'],
      ['[]', '{"params":[]}', 'budgets.params is no limit'],
      ['{}', '{"params":{}}', 'budgets.params is no limit'],
      ['a list', '[]', 'budgets is "a list"; Object is needed'],
      ['a list with something in it', '["params=1k"]', 'budgets is "a list"; Object is needed'],
      ['a text', '"params=1k"', 'budgets is "params=1k"; Object is needed'],
      ['__proto__ with budgets in it', '{"__proto__":{"params":"1k"}}', 'budgets.__proto__ is no known key'],
      ['the same metric twice', '{"params":"1k","params":"1G"}', 'the key "params" twice'],
      ['the same metric twice, once in escapes', '{"params":"1k","par\\u0061ms":"1G"}', 'the key "params" twice'],
    ] as const
  ).map(
    ([what, budgets, says]): Case => [
      `in the configuration, for budgets: ${what}`,
      { 'm.onnx': digits, 'dsc-audit.config.json': `{"models":[{"path":"m.onnx","budgets":${budgets}}]}` },
      [],
      new RegExp(says.replace(/[.+]/g, '\\$&')),
    ],
  ),
  ...['', ' ', 'null', '[]', 'true', '0', '"{}"'].map(
    (content): Case => [
      `a configuration that holds ${content.trim() === '' ? 'nothing' : content}`,
      { 'm.onnx': digits, 'dsc-audit.config.json': content },
      ['m.onnx'],
      /dsc-audit\.config\.json: (is no JSON|the file is .*; Object is needed)/,
    ],
  ),
  [
    'budgets twice in the configuration',
    {
      'm.onnx': digits,
      'dsc-audit.config.json': '{"budgets":{"params":"1k"},"models":[{"path":"m.onnx"}],"budgets":{}}',
    },
    [],
    /has the key "budgets" twice/,
  ],
  [
    'a configuration twice in package.json',
    { 'm.onnx': digits, 'package.json': '{"dsc-audit":{"budgets":{"params":"1k"}},"dsc-audit":{"budgets":{}}}' },
    ['m.onnx'],
    /has the key "dsc-audit" twice/,
  ],
  [
    'a glob in the configuration that matches only a folder',
    { 'm.onnx/x': 'x', 'dsc-audit.config.json': { models: [{ path: '*.onnx' }] } },
    [],
    /models\[0\]\.path matches no file/,
  ],
  [
    'an entry that only leaves out',
    { 'm.onnx': digits, 'dsc-audit.config.json': { models: [{ path: '!n.onnx' }] } },
    [],
    /models\[0\]\.path matches no file/,
  ],
  ['an empty name of a model', { 'm.onnx': digits }, ['', '--max-params', '1k'], /there is no such file/],
  [
    'a model that is named like an option, behind --',
    { 'c.onnx': '{}' },
    ['--max-params', '1k', '--', '--config=c.onnx'],
    /--config=c\.onnx: there is no such file/,
  ],
  [
    'two configurations side by side',
    { 'dsc-audit.config.json': {}, 'package.json': { 'dsc-audit': {} } },
    [],
    /only one of dsc-audit\.config\.json and package\.json#dsc-audit/,
  ],
];

describe.each([
  [0, 'every budget held', HELD],
  [1, 'a budget was exceeded, or cannot be determined', NOT_HELD],
  [2, 'nothing can be judged', UNUSABLE],
] as const)('exit %i: %s', (code, _meaning, cases) => {
  it.each(cases)('%s', async (_what, files, args, says) => {
    const done = await runBinary(args, { cwd: folderWith(files) });
    expect(done.out + done.err).toMatch(says);
    expect(done.code, done.err).toBe(code);
    expect(done.err).not.toMatch(/\n\s+at /);
  });
});

describe.skipIf(process.platform === 'win32')('a link to nowhere', () => {
  it.each([
    ['dsc-audit.config.json', ['m.onnx'], /there is no such file/],
    ['.dsc-audit.json', ['m.onnx'], /there is no such file/],
    ['n.onnx', ['n.onnx'], /is a link to .*nowhere, which is not there/],
    ['n.onnx', ['n*.onnx'], /n\*\.onnx: matches no file/],
  ] as const)('as %s', async (name, args, says) => {
    const cwd = folderWith({ 'm.onnx': digits });
    symlinkSync(join(cwd, 'nowhere'), join(cwd, name));
    const done = await runBinary([...args, '--max-params', '1G'], { cwd });
    expect(done.err).toMatch(says);
    expect(done.code).toBe(2);
  });
});

describe('a model that nothing is held against, beside others', () => {
  const files = { 'new.onnx': digits, 'dsc-audit.config.json': { models: [{ path: 'x', budgets: { params: '1k' } }] } };

  it.each(['table', 'json', 'markdown', 'html', 'github'])('is told in %s', async (format) => {
    const done = await runBinary(['new.onnx', '--format', format], { cwd: folderWith(files) });
    expect(done.out).toContain('sets no budget for this model');
    expect(done.code).toBe(0);
  });

  it('is none where the command line has a budget, or nothing has', async () => {
    const cwd = folderWith(files);
    for (const args of [['--max-params', '1G'], ['--no-config']]) {
      const done = await runBinary(['new.onnx', ...args], { cwd });
      expect(done.out).not.toContain('sets no budget');
      expect(done.code).toBe(0);
    }
  });

  it('names the code and the configuration in JSON', async () => {
    const done = await runBinary(['new.onnx', '--format', 'json'], { cwd: folderWith(files) });
    const told = { code: 'no-budgets', severity: 'warning', layer: null };
    const args = { configuration: 'dsc-audit.config.json', isNamed: false };
    expect(JSON.parse(done.out).diagnostics[0]).toMatchObject({ ...told, args });
  });
});

describe.skipIf(process.platform === 'win32')('a pipe that nobody writes to', () => {
  const CASES: readonly (readonly [string, readonly string[]])[] = [
    ['a model', ['pipe']],
    ['a profile', ['m.onnx', '--profile', 'pipe']],
    ['a baseline', ['m.onnx', '--baseline', 'pipe']],
    ['a configuration', ['m.onnx', '--config', 'pipe']],
    ['samples', ['rewrite', 'm.onnx', '-o', 'n.onnx', '--samples', 'pipe']],
    ['labels', ['rewrite', 'm.onnx', '-o', 'n.onnx', '--samples', 'x.npy', '--labels', 'pipe']],
    ['one side of a diff', ['diff', 'm.onnx', 'pipe']],
  ];

  it.each(CASES)('is no %s: it says so, and does not wait', async (_, args) => {
    const cwd = folderWith({ 'm.onnx': digits, 'x.npy': npyOf([1, 1, 8, 8]) });
    execFileSync('mkfifo', [join(cwd, 'pipe')]);
    const done = await runBinary(args, { cwd });
    expect(done.err).toMatch(/pipe: is a pipe/);
    expect(done.code).toBe(2);
  });

  it("is no profile of this machine's either", async () => {
    const cwd = folderWith({ 'm.onnx': digits, 'dsc-audit/x': 'x' });
    execFileSync('mkfifo', [join(cwd, 'dsc-audit/profile-builtin.json')]);
    const done = await runBinary(['m.onnx', '--max-latency', '10s'], { cwd, env: { XDG_CACHE_HOME: cwd } });
    expect(done.out).toMatch(/profile-builtin\.json is not used/);
    expect(done.code).toBe(1);
  });

  /** Zeroes, as NumPy writes them. */
  function npyOf(shape: readonly number[]): Uint8Array {
    const header = Buffer.from(`{'descr': '<f4', 'fortran_order': False, 'shape': (${shape.join(', ')}), }\n`);
    const elements = shape.reduce((product, extent) => product * extent, 1);
    return Buffer.concat([
      Buffer.from([0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59, 1, 0, header.length, 0]),
      header,
      new Uint8Array(4 * elements),
    ]);
  }
});

describe('a pipeline', () => {
  it('judges a model from standard input', async () => {
    const done = await runBinary(['-', '--max-params', '100k'], { cwd: folderWith(), stdin: digits });
    expect(done.code).toBe(1);
  });

  it('audits the rest beside a broken model, and exits 2', async () => {
    const cwd = folderWith({ 'bad.onnx': 'text' });
    copyFileSync(join(FIXTURES, 'onnx/digits_cnn.onnx'), join(cwd, 'good.onnx'));
    const done = await runBinary(['good.onnx', 'bad.onnx', '--max-params', '100k'], { cwd });
    expect(done.out).toContain('FAIL  params');
    expect(done.code).toBe(2);
  });
});
