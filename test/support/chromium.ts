import { existsSync } from 'node:fs';

/** A Chromium to open pages in: Debian's, macOS's, or the one that is named. Null where there is none. */
export const CHROMIUM =
  [
    process.env.CHROMIUM_PATH,
    '/usr/bin/chromium',
    '/usr/bin/chromium-browser',
    '/usr/bin/google-chrome',
    '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
  ].find((path) => path !== undefined && existsSync(path)) ?? null;
