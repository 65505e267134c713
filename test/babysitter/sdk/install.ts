/**
 * Babysitter's own SDK, as it is on npm, for the tests and the bench: pinned, with a lock file, into a folder that git ignores.
 * It is for tests only: nothing of ours depends on it.
 */
import { spawnSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';

/** What is tested with. */
export const sdkVersion = '0.0.187';

const top = join(process.cwd(), '.babysitter-sdk');

/** Where it is; its folder has this name only when npm has done its work. Everything here is started in the repository. */
export const sdkFolder = join(top, sdkVersion);

/** The package's folder. */
export const sdkPackage = join(sdkFolder, 'node_modules/@a5c-ai/babysitter-sdk');

/** The stock command line. */
export const sdkProgram = join(sdkPackage, 'dist/cli/main.js');

/** True when the tests that need it can run. */
export const isSdkInstalled = existsSync(sdkProgram);

/** Installs it, unless it is here; what npm said when that did not work. */
export function installSdk(tell: (line: string) => void): string | undefined {
  if (isSdkInstalled) {
    tell(`babysitter-sdk ${sdkVersion}: is here`);
    return undefined;
  }
  tell(`babysitter-sdk ${sdkVersion}: installing, 200 MB, half a minute …`);
  mkdirSync(top, { recursive: true });
  const folder = mkdtempSync(join(top, 'half-'));
  for (const name of ['package.json', 'package-lock.json'])
    copyFileSync(new URL(`pinned/${name}`, import.meta.url), join(folder, name));
  const how = [
    '--omit=optional',
    '--ignore-scripts',
    '--no-audit',
    '--no-fund',
    '--no-update-notifier',
    '--loglevel=error',
  ];
  const { status, stderr } = spawnSync('npm', ['ci', ...how], { cwd: folder, encoding: 'utf8', timeout: 300_000 });
  if (status !== 0) {
    rmSync(folder, { recursive: true, force: true });
    return `npm ended with ${String(status)}\n${stderr}`;
  }
  rmSync(sdkFolder, { recursive: true, force: true });
  renameSync(folder, sdkFolder);
  return undefined;
}
