// Processes that the action starts: dsc-audit, npm and git. No shell reads any input.
import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Runs a process and returns its exit code. Secrets stay here; `quiet` keeps its output, and the step's summary, to itself. */
export function run(command, args, { cwd, quiet = false, shell = false }) {
  const { DSC_AUDIT_TOKEN: _token, GITHUB_STEP_SUMMARY, ...env } = process.env;
  const own = quiet || GITHUB_STEP_SUMMARY === undefined ? env : { ...env, GITHUB_STEP_SUMMARY };
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, {
      cwd,
      shell,
      env: own,
      stdio: ['ignore', quiet ? 'ignore' : 'inherit', 'inherit'],
    });
    child.on('error', reject);
    child.on('close', (code) => resolve(code ?? 70));
  });
}

/** A version, or a tag of the registry; never a path, a URL or an option. */
const VERSION = /^[0-9A-Za-z][0-9A-Za-z.-]*$/;

/** The command's path: the project's own, or one that is installed beside it. */
export async function findCommand(version, folder, temporary) {
  if (version === '') {
    const own = installedAbove(folder);
    if (own !== null) return own;
  }
  const wanted = version === '' ? actionVersion() : version;
  if (!VERSION.test(wanted)) throw new Error(`'${wanted}' is no version of dsc-audit; write 1.2.3 or latest.`);
  const prefix = join(temporary, 'install');
  mkdirSync(prefix);
  const args = [
    'install',
    '--prefix',
    '.',
    '--no-save',
    '--ignore-scripts',
    '--no-audit',
    '--no-fund',
    `dsc-audit@${wanted}`,
  ];
  // On Windows npm is a script that only a shell can start; every word of it is known here.
  const code = await run('npm', args, { cwd: prefix, shell: process.platform === 'win32' });
  if (code !== 0) throw new Error(`dsc-audit ${wanted} cannot be installed.`);
  return commandIn(prefix);
}

const commandIn = (folder) => join(folder, 'node_modules', 'dsc-audit', 'bin', 'dsc-audit.js');

function installedAbove(folder) {
  if (existsSync(commandIn(folder))) return commandIn(folder);
  return dirname(folder) === folder ? null : installedAbove(dirname(folder));
}

function actionVersion() {
  const file = join(dirname(fileURLToPath(import.meta.url)), '..', 'package.json');
  return JSON.parse(readFileSync(file, 'utf8')).version;
}

/** A commit in a folder of its own; null where it cannot be had. The checkout's credentials may read it, from a fork too. */
export async function checkOutBase(sha, folder) {
  const fetched = await run('git', ['fetch', '--no-tags', '--depth=1', 'origin', sha], { quiet: true });
  if (fetched !== 0) return null;
  const added = await run('git', ['worktree', 'add', '--detach', folder, sha], { quiet: true });
  return added === 0 ? folder : null;
}
