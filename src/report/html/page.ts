import { createHash } from 'node:crypto';
import { html } from './markup.ts';
import { SCRIPT } from './script.ts';
import { STYLE } from './style.ts';

const hashOf = (text: string): string => `'sha256-${createHash('sha256').update(text).digest('base64')}'`;

/** Nothing is loaded, sent or run but the page's own style sheet and script. */
const policy = (): string =>
  [
    "default-src 'none'",
    `style-src ${hashOf(STYLE)}`,
    `script-src ${hashOf(SCRIPT)}`,
    "base-uri 'none'",
    "form-action 'none'",
  ].join('; ');

/** A page up to its first article. */
export function opening(title: string): string {
  const head = html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy()}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="referrer" content="no-referrer">
<title>${title} – dsc-audit</title>
`;
  return `${head}<style>${STYLE}</style>\n</head>\n<body>\n<main>\n`;
}

/** The rest of it. */
export const closing = (): string => `</main>\n<script>${SCRIPT}</script>\n</body>\n</html>\n`;
