/** A user's file, TypeScript or JavaScript, as a module; `troupe` and `xstate` mean this program's copies to it. */
import { stat } from 'node:fs/promises';
import { createRequire, register } from 'node:module';
import { dirname, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { TroupeError } from '../error.ts';
import { captureConsole } from './capture-console.ts';
import { explainLoadError, isMissingTypeScript } from './load-error.ts';
import type { PackageHookData } from './package-hooks.ts';
import { complain } from './terminal.ts';

/** What a module exports, by name. */
export type Module = Readonly<Record<string, unknown>>;

/** Loads a file; `expected` says what it should be: `a process file, such as …`. Codes: PROCESS_INVALID, with file and line where they are known. */
export async function loadModule(
  given: string,
  expected: string,
): Promise<{ readonly file: string; readonly module: Module }> {
  const file = resolve(given);
  const found = await stat(file).catch(() => undefined);
  if (found?.isFile() !== true) {
    throw new TroupeError(
      'PROCESS_INVALID',
      `there is no file ${given}${found === undefined ? '' : ' (it is a folder)'}; expected ${expected}.`,
      { file },
    );
  }
  // What it says while it is loaded is not what the command prints.
  const release = captureConsole(complain);
  const module = await importFile(file)
    .catch(async (error: unknown) => {
      throw await explainLoadError(error, file, given);
    })
    .finally(release);
  return { file, module };
}

async function importFile(file: string): Promise<Module> {
  const url = pathToFileURL(file).href;
  if (/\.[cm]?tsx?$/.test(file) && !isTypeScriptOn) await useTypeScript();
  if (!sharesPackages(file)) useOwnPackages();
  try {
    return (await import(url)) as Module;
  } catch (error) {
    if (isTypeScriptOn || !isMissingTypeScript(error)) throw error;
    // JavaScript that imports TypeScript: once more, under another URL, for Node remembers the failure.
    await useTypeScript();
    return (await import(`${url}?typescript`)) as Module;
  }
}

let isTypeScriptOn = false;
let areOwnPackagesOn = false;

/** tsx translates; loaded only when it is needed, it takes 100 ms. Our hooks after it, so that they are asked first. */
async function useTypeScript(): Promise<void> {
  isTypeScriptOn = true;
  const tsx = await import('tsx/esm/api');
  tsx.register();
  register('./typescript-hooks.js', import.meta.url);
}

function useOwnPackages(): void {
  if (areOwnPackagesOn) return;
  areOwnPackagesOn = true;
  const data: PackageHookData = { from: import.meta.url };
  register('./package-hooks.js', import.meta.url, { data });
}

/** True when `troupe` and `xstate` mean this program's copies to the file without any hooks, as in most projects. */
function sharesPackages(file: string): boolean {
  const theirs = createRequire(file);
  const ours = createRequire(import.meta.url);
  try {
    return ['troupe/package.json', 'xstate/package.json'].every(
      (name) => dirname(theirs.resolve(name)) === dirname(ours.resolve(name)),
    );
  } catch {
    return false;
  }
}
