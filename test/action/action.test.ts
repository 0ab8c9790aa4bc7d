import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { run } from '../support/binary.ts';
import { folderWith } from '../support/folder.ts';

const ROOT = join(import.meta.dirname, '../..');

/** Stands for dsc-audit: remembers how it was called, and writes the reports that it was asked for. */
const STUB = `
import { appendFileSync, writeFileSync } from 'node:fs';
const args = process.argv.slice(2);
appendFileSync(process.env.CALLS, JSON.stringify({ args, cwd: process.cwd(), token: process.env.DSC_AUDIT_TOKEN ?? null }) + '\\n');
const code = Number(process.env.EXIT ?? 0);
if (code < 2) args.forEach((arg, index) => {
  if (arg === '-o') writeFileSync(args[index + 1], args[index + 1].endsWith('.md') ? 'the report' : '{}');
});
process.exit(code);
`;

interface Seen {
  readonly method: string | undefined;
  readonly url: string | undefined;
  readonly body: string;
}

/** GitHub's API on loopback, with these comments on the pull request. */
async function fakeGitHub(comments: readonly object[], status = 200) {
  const seen: Seen[] = [];
  const server = createServer((request, response) => {
    let body = '';
    request.on('data', (chunk) => {
      body += chunk;
    });
    request.on('end', () => {
      seen.push({ method: request.method, url: request.url, body: body === '' ? '' : JSON.parse(body).body });
      const page = Number(new URL(request.url ?? '', 'http://localhost').searchParams.get('page') ?? 1);
      const answer = request.method === 'GET' ? comments.slice((page - 1) * 100, page * 100) : {};
      response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(answer));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void server.close());
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, seen };
}

const pullRequest = (more: object = {}) => ({
  repository: { full_name: 'team/models' },
  pull_request: { number: 7, base: { sha: 'a'.repeat(40) }, head: { repo: { full_name: 'team/models' } }, ...more },
});

async function act(inputs: Record<string, string>, event: object, api: string, exit = 0) {
  const folder = folderWith({
    'node_modules/dsc-audit/package.json': { type: 'module' },
    'node_modules/dsc-audit/bin/dsc-audit.js': STUB,
    'event.json': event,
    calls: '',
    output: '',
  });
  const env = {
    ...Object.fromEntries(Object.entries(inputs).map(([name, value]) => [`DSC_AUDIT_${name}`, value])),
    DSC_AUDIT_TOKEN: inputs.TOKEN ?? 'secret',
    RUNNER_TEMP: folder,
    GITHUB_EVENT_PATH: join(folder, 'event.json'),
    GITHUB_OUTPUT: join(folder, 'output'),
    GITHUB_REPOSITORY: 'team/models',
    GITHUB_API_URL: api,
    CALLS: join(folder, 'calls'),
    EXIT: String(exit),
  };
  const finished = await run(process.execPath, [join(ROOT, 'action/main.js')], { cwd: folder, env });
  const calls = readFileSync(env.CALLS, 'utf8').split('\n').filter(Boolean);
  return { ...finished, calls: calls.map((line) => JSON.parse(line)), output: readFileSync(env.GITHUB_OUTPUT, 'utf8') };
}

const NO_API = 'http://127.0.0.1:9';

describe('the action', () => {
  it('runs dsc-audit with its inputs, each of them one argument', async () => {
    const inputs = {
      MODELS: 'a.onnx\n--version\n$(touch x).onnx\n',
      CONFIG: 'ci.json',
      BUDGETS: 'macs=600M\nparams: 5M; rm -rf .\n',
      MAX_INCREASE: 'macs=2%',
      BASELINE: 'base.json',
    };
    const { calls, code } = await act(inputs, {}, NO_API);
    expect(code).toBe(0);
    expect(calls).toHaveLength(1);
    expect(calls[0].args.filter((arg: string) => !arg.includes('report.'))).toEqual([
      '--format',
      'github',
      '-o',
      '-o',
      '--config=ci.json',
      '--baseline=base.json',
      '--max-macs=600M',
      '--max-params=5M; rm -rf .',
      '--max-increase=macs=2%',
      '--',
      'a.onnx',
      '--version',
      '$(touch x).onnx',
    ]);
  });

  it('keeps the token from the process that reads models', async () => {
    expect((await act({}, {}, NO_API)).calls[0].token).toBeNull();
  });

  it.each([
    [0, 'pass'],
    [1, 'fail'],
    [2, 'error'],
    [70, 'error'],
  ])('ends with the exit code of dsc-audit: %i is %s', async (exit, status) => {
    const { code, output } = await act({}, {}, NO_API, exit);
    expect(code).toBe(exit);
    expect(output).toContain(`status=${status}\n`);
  });

  it.each(['--global', '../evil', 'git+https://example.com/x', 'file:x'])('installs no %s', async (version) => {
    const { code, out, calls } = await act({ VERSION: version }, {}, NO_API);
    expect(code).toBe(2);
    expect(out).toContain('is no version of dsc-audit');
    expect(calls).toEqual([]);
  });

  it('puts no input into a command line', () => {
    const definition = readFileSync(join(ROOT, 'action.yml'), 'utf8');
    const commands = definition.match(/^\s*(?:- )?run:.*$/gm) ?? [];
    expect(commands).toHaveLength(1);
    for (const command of commands) expect(command).not.toContain('${{');
    expect(definition).not.toContain('uses:');
  });

  it('hands every input on', () => {
    const definition = readFileSync(join(ROOT, 'action.yml'), 'utf8');
    const inputs = /inputs:\n([\s\S]*?)\noutputs:/.exec(definition)?.[1]?.match(/^ {2}[a-z-]+(?=:)/gm) ?? [];
    expect(inputs.length).toBeGreaterThan(8);
    for (const name of inputs) expect(definition).toContain(`\${{ inputs.${name.trim()} }}`);
  });
});

describe('its comment', () => {
  const own = { id: 3, user: { type: 'Bot' }, body: '<!-- dsc-audit:default -->\nold' };

  it('is written once', async () => {
    const { url, seen } = await fakeGitHub([{ id: 1, user: { type: 'User' }, body: 'hello' }]);
    expect((await act({ COMMENT: 'true' }, pullRequest(), url)).code).toBe(0);
    expect(seen.map(({ method }) => method)).toEqual(['GET', 'POST']);
    expect(seen[1]).toMatchObject({
      url: '/repos/team/models/issues/7/comments',
      body: '<!-- dsc-audit:default -->\nthe report',
    });
  });

  it('is edited from then on, however far down it stands', async () => {
    const others = Array.from({ length: 150 }, (_, id) => ({ id: 100 + id, user: { type: 'User' }, body: 'hm' }));
    const { url, seen } = await fakeGitHub([...others, own]);
    await act({ COMMENT: 'true' }, pullRequest(), url);
    expect(seen.map(({ method }) => method)).toEqual(['GET', 'GET', 'PATCH']);
    expect(seen[2]?.url).toBe('/repos/team/models/issues/comments/3');
  });

  it("is never somebody else's, whatever that says", async () => {
    const { url, seen } = await fakeGitHub([{ ...own, user: { type: 'User' } }]);
    await act({ COMMENT: 'true' }, pullRequest(), url);
    expect(seen.map(({ method }) => method)).toEqual(['GET', 'POST']);
  });

  it('is one for each key', async () => {
    const { url, seen } = await fakeGitHub([own]);
    await act({ COMMENT: 'true', COMMENT_KEY: 'a --> b' }, pullRequest(), url);
    expect(seen[1]).toMatchObject({ method: 'POST', body: '<!-- dsc-audit:a-----b -->\nthe report' });
  });

  it('says so where nothing could be audited: an old verdict does not stay', async () => {
    const { url, seen } = await fakeGitHub([own]);
    expect((await act({ COMMENT: 'true' }, pullRequest(), url, 2)).code).toBe(2);
    expect(seen[1]?.method).toBe('PATCH');
    expect(seen[1]?.body).toContain('could not audit');
  });

  it('is left to the step summary for a fork, and where the API refuses', async () => {
    const { url, seen } = await fakeGitHub([]);
    const fork = pullRequest({ head: { repo: { full_name: 'stranger/models' } } });
    const forked = await act({ COMMENT: 'true' }, fork, url);
    expect(seen).toEqual([]);
    expect(forked).toMatchObject({ code: 0 });
    expect(forked.out).toContain('step summary');
    const refusing = await fakeGitHub([], 403);
    const refused = await act({ COMMENT: 'true' }, pullRequest(), refusing.url, 1);
    expect(refused.code).toBe(1);
    expect(refused.out).toContain('GitHub answered 403');
  });

  it('is not written for a push, nor where it is not wanted', async () => {
    const { url, seen } = await fakeGitHub([]);
    await act({ COMMENT: 'true' }, { repository: { full_name: 'team/models' } }, url);
    await act({ COMMENT: 'false' }, pullRequest(), url);
    expect(seen).toEqual([]);
  });
});

describe('compare-with-base', () => {
  it('audits the base commit with the same models, and compares with that', async () => {
    const origin = folderWith({ 'model.onnx': 'old' });
    const git = (cwd: string, ...args: string[]) => {
      const identity = ['-c', 'user.name=t', '-c', 'user.email=t@example.com', '-c', 'commit.gpgsign=false'];
      const done = spawnSync('git', [...identity, ...args], { cwd, encoding: 'utf8' });
      expect(done.stderr + done.status).toMatch(/0$/);
      return done.stdout.trim();
    };
    git(origin, 'init', '-q');
    git(origin, 'add', '.');
    git(origin, 'commit', '-qm', 'base');
    const sha = git(origin, 'rev-parse', 'HEAD');
    const folder = folderWith({
      'node_modules/dsc-audit/package.json': { type: 'module' },
      'node_modules/dsc-audit/bin/dsc-audit.js': STUB,
      'event.json': pullRequest({ base: { sha } }),
      calls: '',
    });
    git(folder, 'init', '-q');
    git(folder, 'remote', 'add', 'origin', origin);
    const env = {
      DSC_AUDIT_MODELS: 'model.onnx',
      DSC_AUDIT_BUDGETS: 'macs=1M',
      DSC_AUDIT_COMPARE_WITH_BASE: 'true',
      RUNNER_TEMP: folder,
      GITHUB_EVENT_PATH: join(folder, 'event.json'),
      CALLS: join(folder, 'calls'),
    };
    expect((await run(process.execPath, [join(ROOT, 'action/main.js')], { cwd: folder, env })).code).toBe(0);
    const [base, head] = readFileSync(env.CALLS, 'utf8')
      .split('\n')
      .filter(Boolean)
      .map((line) => JSON.parse(line));
    expect(base.cwd).toMatch(/base$/);
    expect(readFileSync(join(base.cwd, 'model.onnx'), 'utf8')).toBe('old');
    expect(base.args).not.toContain('--max-macs=1M');
    expect(head.args).toContain(`--baseline=${base.args[base.args.indexOf('-o') + 1]}`);
  });
});
