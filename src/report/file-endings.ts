/** What files of a format end with, the usual one first. None for what is only printed. */
export interface FileEndings {
  readonly endings: readonly `.${string}`[];
}

/** Names of a table of formats, in its order. */
export function namesOf<Name extends string>(formats: Readonly<Record<Name, FileEndings>>): readonly Name[] {
  const isName = (name: string): name is Name => Object.hasOwn(formats, name);
  return Object.keys(formats).filter(isName);
}

/** The format of a file by the ending of its name; null where no format has that ending. */
export function formatOfFile<Name extends string>(
  formats: Readonly<Record<Name, FileEndings>>,
  path: string,
): Name | null {
  const name = path.toLowerCase();
  return namesOf(formats).find((format) => formats[format].endings.some((ending) => name.endsWith(ending))) ?? null;
}

/** All endings, as a message lists them. */
export const endingsOf = (formats: Readonly<Record<string, FileEndings>>): readonly string[] =>
  Object.values(formats).flatMap(({ endings }) => endings);
