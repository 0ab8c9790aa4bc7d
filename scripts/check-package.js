// Checks what would be published: its manifest, its files, its size, its entry points and types.
// usage: npm run check:package        (after npm run build)
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { checkPackage, createPackageFromTarballData } from '@arethetypeswrong/core';
import { publint } from 'publint';
import { formatMessage } from 'publint/utils';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');

/** Bytes of the tarball, and of what it unpacks to. */
const MAX_TARBALL_BYTES = 2_000_000;
const MAX_UNPACKED_BYTES = 9_000_000;

/** Files that must be in it, and nothing else may. Chunks of the bundle are named by their content. */
const FILES = [
  'LICENSE',
  'README.md',
  'THIRD-PARTY-LICENSES.txt',
  'package.json',
  'bin/dsc-audit.js',
  'dist/audit-thread.js',
  'dist/cli.js',
  'dist/hdf5-thread.js',
  'dist/index.js',
  'dist/runtime.js',
  'dist/types/index.d.ts',
  'dist/types/runtime/index.d.ts',
  'schema/bench.schema.json',
  'schema/config.schema.json',
  'schema/diff.schema.json',
  'schema/report.schema.json',
  'schema/rewrite.schema.json',
];
const MORE_FILES = [/^dist\/[\w-]+-[A-Z0-9]{8}\.js$/, /^dist\/types\/[\w/-]+\.d\.ts$/];

/** What npm would run, or warn of, where the package is installed. */
const INSTALL_SCRIPTS = ['preinstall', 'install', 'postinstall', 'preprepare', 'prepare', 'postprepare'];

/** What a package of ECMAScript modules alone cannot be: CommonJS, or found by resolvers older than `exports`. */
const NOT_MEANT = new Set(['node10', 'node16-cjs']);

const folder = mkdtempSync(join(tmpdir(), 'dsc-audit-package-'));
try {
  const problems = await check(pack());
  for (const problem of problems) console.error(problem);
  process.exitCode = problems.length === 0 ? 0 : 1;
} finally {
  rmSync(folder, { recursive: true, force: true });
}

function pack() {
  const args = ['pack', '--json', '--ignore-scripts', '--pack-destination', folder];
  const printed = execFileSync('npm', args, { cwd: root, encoding: 'utf8', shell: process.platform === 'win32' });
  const [packed] = JSON.parse(printed);
  return { ...packed, tarball: readFileSync(join(folder, packed.filename)) };
}

async function check({ files, size, unpackedSize, tarball }) {
  console.log(`${files.length} files, ${size} bytes packed, ${unpackedSize} unpacked`);
  return [
    ...manifestProblems(JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))),
    ...fileProblems(files.map(({ path }) => path)),
    ...(size > MAX_TARBALL_BYTES ? [`The tarball has ${size} bytes, and may have ${MAX_TARBALL_BYTES}.`] : []),
    ...(unpackedSize > MAX_UNPACKED_BYTES ? [`It unpacks to ${unpackedSize} bytes of ${MAX_UNPACKED_BYTES}.`] : []),
    ...(await entryPointProblems(tarball)),
    ...(await typeProblems(tarball)),
  ];
}

function manifestProblems({ dependencies = {}, optionalDependencies = {}, scripts = {} }) {
  const needed = Object.keys({ ...dependencies, ...optionalDependencies });
  const run = INSTALL_SCRIPTS.filter((name) => Object.hasOwn(scripts, name));
  return [
    ...needed.map((name) => `${name} is a dependency: it belongs into the bundle, and into devDependencies.`),
    ...run.map((name) => `The script '${name}' would run where dsc-audit is installed.`),
  ];
}

function fileProblems(paths) {
  const isExpected = (path) => FILES.includes(path) || MORE_FILES.some((pattern) => pattern.test(path));
  return [
    ...FILES.filter((file) => !paths.includes(file)).map((file) => `${file} is missing.`),
    ...paths.filter((path) => !isExpected(path)).map((path) => `${path} is not meant to be published.`),
  ];
}

async function entryPointProblems(tarball) {
  const { buffer, byteOffset, byteLength } = tarball;
  const { messages, pkg } = await publint({
    strict: true,
    pack: { tarball: buffer.slice(byteOffset, byteOffset + byteLength) },
  });
  return messages.map((message) => `publint: ${formatMessage(message, pkg, { color: false })}`);
}

async function typeProblems(tarball) {
  const { types, problems } = await checkPackage(createPackageFromTarballData(tarball));
  if (!types) return ['No types were found.'];
  return problems
    .filter(({ resolutionKind }) => !NOT_MEANT.has(resolutionKind))
    .map((problem) => `attw: ${JSON.stringify(problem)}`);
}
