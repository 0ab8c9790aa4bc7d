/** A file that `dsc-audit init` would write. */
export interface StartingFile {
  readonly path: string;
  readonly content: string;
}

/** One model of a new configuration, with its budgets. */
export interface StartingEntry {
  readonly path: string;
  readonly budgets: Readonly<Record<string, string | undefined>>;
}

export function configurationFile(entries: readonly StartingEntry[], schema: string): StartingFile {
  const content = { $schema: schema, models: entries };
  return { path: 'dsc-audit.config.json', content: `${JSON.stringify(content, null, 2)}\n` };
}

/** @param usesLfs whether the repository keeps files in Git LFS, which a checkout leaves out unless it is told */
export function workflowFile(version: string, usesLfs: boolean): StartingFile {
  const content = `# Fails where a model no longer holds the budgets of dsc-audit.config.json.
name: dsc-audit
on:
  pull_request:
  push:
    branches: [main, master]
permissions:
  contents: read
jobs:
  audit:
    runs-on: ubuntu-latest
    steps:
      - uses: actions/checkout@v4${usesLfs ? '\n        with:\n          lfs: true' : ''}
      - uses: actions/setup-node@v4
        with:
          node-version: 22
      - run: npx --yes dsc-audit@${version} --format github
`;
  return { path: '.github/workflows/dsc-audit.yml', content };
}
