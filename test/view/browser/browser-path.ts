/** Where a real browser is: the Chromium that the machine has. */
import { existsSync } from 'node:fs';

const known = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'];

/** Where the browser is; undefined when there is none. `TROUPE_CHROMIUM` names another. */
export const browserPath = [process.env['TROUPE_CHROMIUM'] ?? '', ...known].find(
  (path) => path !== '' && existsSync(path),
);

/** Why what needs a browser is left out, and how it is not. */
export const withoutBrowser =
  browserPath === undefined
    ? ' — left out: there is no Chromium; install Debian’s `chromium`, or name one in TROUPE_CHROMIUM'
    : '';
