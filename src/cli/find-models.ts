import { isAbsolute, relative, resolve, sep } from 'node:path';

/** Folders that hold other people's files. */
const IGNORED = ['**/node_modules/**', '**/.git/**'];

/** Files that globs match, as paths from `folder`, sorted. A glob with `!` in front leaves out. */
export async function filesMatching(patterns: readonly string[], folder: string): Promise<readonly string[]> {
  const { glob } = await import('tinyglobby');
  const found = await glob([...patterns], { cwd: folder, ignore: IGNORED, onlyFiles: true, expandDirectories: false });
  return found.toSorted();
}

/** Whether globs written in `folder` match a file. */
export async function matchesFile(patterns: readonly string[], folder: string, file: string): Promise<boolean> {
  const { default: picomatch } = await import('picomatch');
  const path = relative(folder, file).split(sep).join('/');
  const matches = (globs: readonly string[]) => globs.length > 0 && picomatch([...globs], { dot: true })(path);
  const kept = patterns.filter((pattern) => !pattern.startsWith('!'));
  const leftOut = patterns.filter((pattern) => pattern.startsWith('!')).map((pattern) => pattern.slice(1));
  return (kept.some((pattern) => resolve(folder, pattern) === file) || matches(kept)) && !matches(leftOut);
}

/** Without one of these a path is no glob. */
const GLOB_CHARACTER = /[*?[\](){}!]/;

/** Whether an argument is a glob rather than a path. */
export async function isGlob(path: string): Promise<boolean> {
  return GLOB_CHARACTER.test(path) && (await import('picomatch')).default.scan(path).isGlob;
}

/** A path as a person in `cwd` would type it. */
export function pathFrom(cwd: string, path: string): string {
  const short = relative(cwd, path);
  return short === '' || isAbsolute(short) ? path : short;
}
