// The licences of the packages that the bundle contains, passed on as they ask.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** What a package in the bundle may be licensed under: it asks for its notice to be kept, and for nothing else. */
const PERMISSIVE = new Set(['0BSD', 'Apache-2.0', 'BSD-2-Clause', 'BSD-3-Clause', 'ISC', 'MIT']);

/** Packages whose licence has no name of its own; somebody read it. h5wasm: a notice of NIST's, and HDF5's BSD licence. */
const READ = new Set(['h5wasm']);

/** What a package tells of its terms: its licence, what it passes on itself, and its notice. */
const LEGAL_FILE = /^(licen[cs]e|notice|copying)/i;

/**
 * The text of `THIRD-PARTY-LICENSES.txt`.
 *
 * @param root the folder that `inputs` start from
 * @param inputs the files of the bundle
 * @throws {Error} where a package's licence is none of those that may be bundled
 */
export function thirdPartyLicences(root, inputs) {
  const folders = new Set(inputs.map((path) => /^.*node_modules\/(?:@[^/]+\/)?[^/]+/.exec(path)?.[0]).filter(Boolean));
  const licences = new Set([...folders].map((folder) => licenceOf(join(root, folder))));
  return [...licences].sort().join(`\n${'-'.repeat(78)}\n\n`);
}

function licenceOf(folder) {
  const { name, version, license } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
  if (!PERMISSIVE.has(license) && !READ.has(name))
    throw new Error(
      `${name} is licensed under ${license}: read it, then list it in scripts/licences.js, or do without.`,
    );
  const texts = legalFiles(folder).map((file) => readFileSync(file, 'utf8').trim());
  return `${[`${name} ${version} (${license})`, ...(texts.length > 0 ? texts : [license])].join('\n\n')}\n`;
}

function legalFiles(folder) {
  const own = filesIn(folder).filter((file) => LEGAL_FILE.test(file));
  const passedOn = filesIn(join(folder, 'licenses')).map((file) => join('licenses', file));
  return [...own, ...passedOn].map((file) => join(folder, file));
}

function filesIn(folder) {
  if (!existsSync(folder)) return [];
  const entries = readdirSync(folder, { withFileTypes: true });
  return entries.flatMap((entry) => (entry.isFile() ? [entry.name] : [])).sort();
}
