import { main } from '../../src/cli/main.ts';
import { fakeTerminal } from '../support/terminal.ts';

const COLUMNS = 100;

/** What `dsc-audit … --help` prints. */
export async function helpOf(...command: readonly string[]): Promise<string> {
  const terminal = fakeTerminal([...command, '--help'], { columns: COLUMNS });
  await main(terminal);
  return terminal.out();
}

/** Names of the commands, as the program lists them. */
export async function commandNames(): Promise<readonly string[]> {
  const [, list = ''] = /\nCommands:\n(.*?)\n\n/s.exec(await helpOf()) ?? [];
  const names = [...list.matchAll(/^ {2}([a-z]+) /gm)].map(([, name = '']) => name);
  return names.filter((name) => name !== 'help');
}

export async function commandsPage(): Promise<string> {
  const sections = (await commandNames()).map(
    async (name) => `## dsc-audit ${name}\n\n\`\`\`\n${(await helpOf(name)).trim()}\n\`\`\``,
  );
  return `# Every command and option

Written by \`npm run golden\` from what the commands print; do not edit.

\`\`\`
${(await helpOf()).trim()}
\`\`\`

${(await Promise.all(sections)).join('\n\n')}
`;
}
