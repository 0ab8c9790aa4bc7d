// The GitHub Action: runs dsc-audit, and puts its report on the pull request. Node's own modules only.
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { appendFile, readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { auditArguments, readInputs } from './inputs.js';
import { checkOutBase, findCommand, run } from './processes.js';
import { commentBody, commentOn } from './pull-request.js';

const STATUS = { 0: 'pass', 1: 'fail' };

/** As dsc-audit exits where it cannot be used. */
const UNUSABLE = 2;

try {
  process.exitCode = await main(process.env);
} catch (error) {
  tell('error', error.message);
  process.exitCode = UNUSABLE;
}

async function main(env) {
  const inputs = readInputs(env);
  const folder = resolve(inputs.workingDirectory);
  const temporary = mkdtempSync(join(env.RUNNER_TEMP || tmpdir(), 'dsc-audit-'));
  const event = env.GITHUB_EVENT_PATH ? JSON.parse(readFileSync(env.GITHUB_EVENT_PATH, 'utf8')) : {};
  const command = await findCommand(inputs.version, folder, temporary);
  const baseline = inputs.baseline || (await auditBase(inputs, event, command, temporary));
  const files = { markdown: join(temporary, 'report.md'), json: join(temporary, 'report.json') };
  const code = await run(
    process.execPath,
    [
      command,
      ...auditArguments({ ...inputs, baseline }, ['--format', 'github', '-o', files.markdown, '-o', files.json]),
    ],
    { cwd: folder },
  );
  if (env.GITHUB_OUTPUT) {
    await appendFile(env.GITHUB_OUTPUT, `status=${STATUS[code] ?? 'error'}\nreport=${files.json}\n`);
  }
  if (inputs.comment) {
    const markdown = await readFile(files.markdown, 'utf8').catch(() => null);
    const told = await commentOn(event, commentBody(inputs.commentKey, markdown, code), inputs, env);
    if (told !== null) tell('notice', told);
  }
  return code;
}

/** The report of the base branch's models, with the base branch's configuration; empty where there is none to be had. */
async function auditBase(inputs, event, command, temporary) {
  const base = event.pull_request?.base?.sha;
  if (!inputs.compareWithBase || typeof base !== 'string' || !/^[0-9a-f]{40,64}$/.test(base)) return '';
  const folder = await checkOutBase(base, join(temporary, 'base'));
  const report = join(temporary, 'base.json');
  // Its configuration may limit growth: compared with nothing that fails, and there is a report all the same.
  const nothing = join(temporary, 'nothing.json');
  writeFileSync(nothing, '[]');
  const args = auditArguments({ ...inputs, baseline: nothing, budgets: [], maxIncrease: [] }, ['-o', report]);
  const cwd = folder && resolve(folder, inputs.workingDirectory);
  const code = cwd === null ? UNUSABLE : await run(process.execPath, [command, ...args], { cwd, quiet: true });
  if (code < UNUSABLE) return report;
  tell('warning', 'The models of the base branch cannot be audited: nothing is compared.');
  return '';
}

/** An annotation of the workflow; what GitHub would read as its end, or as another command, is escaped. */
function tell(level, text) {
  const escaped = text.replaceAll('%', '%25').replaceAll('\r', '%0D').replaceAll('\n', '%0A');
  process.stdout.write(`::${level} title=dsc-audit::${escaped}\n`);
}
