import system, { type PlatformPath, posix, win32 } from 'node:path';
import { DscAuditError } from '../ir/errors.ts';
import { checkGlobs, GLOB_OPTIONS } from '../ir/glob.ts';

/** Folders that hold other people's files. */
const IGNORED = ['**/node_modules/**', '**/.git/**'];

/** Longer than any project takes; a symbolic link may lead out of it. */
const MAX_SEARCH_MS = 30_000;

/**
 * Files that globs match, as paths from `folder`, sorted. A glob with `!` in front leaves out. Throws `limit-exceeded` where
 * there is too much to look through.
 */
export async function filesMatching(patterns: readonly string[], folder: string): Promise<readonly string[]> {
  checkGlobs(patterns);
  const { glob } = await import('tinyglobby');
  const signal = AbortSignal.timeout(MAX_SEARCH_MS);
  const options = { cwd: folder, ignore: IGNORED, onlyFiles: true, expandDirectories: false, signal };
  const found = await glob([...patterns], options);
  if (signal.aborted) {
    const what = `${patterns.join(', ')}: there is too much to look through (from ${folder}); name the folders of the models.`;
    throw new DscAuditError('limit-exceeded', what);
  }
  return found.toSorted();
}

/** Whether a glob looks for files outside of the folder that it is written in; the path of one file may. */
export async function leavesFolder(pattern: string): Promise<boolean> {
  if (!(await isGlob(pattern))) return false;
  // A backslash in front of a character leaves it as it is; braces and brackets hold parts of paths.
  const plain = pattern.replaceAll('\\', '');
  return posix.isAbsolute(plain) || win32.isAbsolute(plain) || /^[a-z]:/i.test(plain) || PARENT.test(plain);
}

const PARENT = /(^|[/{,(|])\.\.($|[/},)|])/;

/** Whether globs written in `folder` match a file. */
export async function matchesFile(
  patterns: readonly string[],
  folder: string,
  file: string,
  { isAbsolute, relative, resolve, sep }: PlatformPath = system,
): Promise<boolean> {
  const { default: picomatch } = await import('picomatch');
  const path = relative(folder, file).split(sep).join('/');
  const matches = (globs: readonly string[]) => {
    const some = globs.filter((glob) => glob !== '');
    checkGlobs(some);
    // On another drive of Windows there is no way from the folder.
    return some.length > 0 && !isAbsolute(path) && picomatch(some, GLOB_OPTIONS)(path);
  };
  const kept = patterns.filter((pattern) => !pattern.startsWith('!'));
  const leftOut = patterns.filter((pattern) => pattern.startsWith('!')).map((pattern) => pattern.slice(1));
  return (kept.some((pattern) => resolve(folder, pattern) === file) || matches(kept)) && !matches(leftOut);
}

/** Without one of these a path is no glob. */
const GLOB_CHARACTER = /[*?[\](){}!]/;

/** A glob as it was typed: on Windows a backslash parts folders, in a glob it never does. */
export const typedGlob = (glob: string, { sep }: Pick<PlatformPath, 'sep'> = system): string =>
  sep === '\\' ? glob.replaceAll(sep, '/') : glob;

/** Whether an argument is a glob rather than a path. */
export async function isGlob(path: string): Promise<boolean> {
  return GLOB_CHARACTER.test(path) && (await import('picomatch')).default.scan(path).isGlob;
}

/** A path as a person in `cwd` would type it: with slashes, which every system takes, and GitHub's annotations need. */
export function pathFrom(cwd: string, path: string, { relative, isAbsolute, sep }: PlatformPath = system): string {
  const short = relative(cwd, path);
  return short === '' || isAbsolute(short) ? path : short.split(sep).join('/');
}
