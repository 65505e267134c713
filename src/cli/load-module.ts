/** A user's file, TypeScript or JavaScript, as a module; `troupe` and `xstate` mean this program's copies to it. */
import { existsSync } from 'node:fs';
import { stat } from 'node:fs/promises';
import * as nodeModule from 'node:module';
import type { LoadHook } from 'node:module';
import { dirname, join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { TroupeError } from '../error.ts';
import { captureConsole } from './capture-console.ts';
import { explainLoadError, isMissingTypeScript } from './load-error.ts';
import type { PackageHookData } from './package-hooks.ts';
import { shareRequired } from './required-packages.ts';
import { complain } from './terminal.ts';
import { again } from './typescript-hooks.ts';

const { createRequire, register } = nodeModule;
/** Hooks in this thread, since Node 22.15, not in the types of 20. Before, there was only `register`, of which Node 26 warns. */
const { registerHooks } = nodeModule as { readonly registerHooks?: (hooks: object) => { deregister(): void } };

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
  const loading = importFile(file).catch(async (error: unknown) => {
    throw await explainLoadError(error, file, given);
  });
  const module = await Promise.race([loading, refuseEndless(loading, file, given)]).finally(release);
  return { file, module: asWritten(module) };
}

/** Rejects when nothing is left that could end the loading, with which Node would end the program. */
function refuseEndless(loading: Promise<Module>, file: string, given: string): Promise<never> {
  return new Promise((_resolve, reject) => {
    const refuse = () => {
      const why = 'a top-level `await` in it, or in a file that it imports, waits for what never comes';
      reject(new TroupeError('PROCESS_INVALID', `${given} cannot be loaded: ${why}.`, { file }));
    };
    process.once('beforeExit', refuse);
    const forget = () => process.off('beforeExit', refuse);
    loading.then(forget, forget);
  });
}

/** CommonJS that stands for a module, as `export default` is translated to: all that it exports is the default to Node. */
function asWritten(module: Module): Module {
  const whole = module['default'];
  return typeof whole === 'object' && whole !== null && '__esModule' in whole ? (whole as Module) : module;
}

async function importFile(file: string): Promise<Module> {
  const url = pathToFileURL(file).href;
  if (/\.[cm]?tsx?$/.test(file) && !isTypeScriptOn) await useTypeScript(file);
  if (!sharesPackages(file)) await useOwnPackages();
  const guard = isTypeScriptOn ? undefined : registerHooks?.({ load: refuseTypeScript });
  const imported = await import(url)
    .then(
      (module: Module) => ({ module }),
      (error: unknown) => ({ error }),
    )
    .finally(() => guard?.deregister());
  if ('module' in imported) return imported.module;
  if (isTypeScriptOn || !isMissingTypeScript(imported.error)) throw imported.error;
  // JavaScript that imports TypeScript: once more, under another URL.
  await useTypeScript(file);
  return (await import(url + again)) as Module;
}

/** Newer versions of Node load TypeScript, but not all that people write: without tsx they are to say what older ones say. */
const refuseTypeScript: LoadHook = (url, context, next) => {
  if (!/^file:.*\.[cm]?tsx?(\?|$)/.test(url)) return next(url, context);
  throw Object.assign(new TypeError(`Unknown file extension in ${url}`), { code: 'ERR_UNKNOWN_FILE_EXTENSION' });
};

let isTypeScriptOn = false;
let areOwnPackagesOn = false;

/** tsx translates; loaded only when it is needed, it takes 100 ms. Our hooks after it, so that they are asked first. */
async function useTypeScript(file: string): Promise<void> {
  isTypeScriptOn = true;
  const tsx = await import('tsx/esm/api');
  const tsconfig = tsconfigOf(file);
  try {
    tsx.register(tsconfig === undefined ? {} : { tsconfig });
  } catch {
    // It extends what is not there, for one: the file is translated without it, as tsx does where it looks by itself.
    tsx.register({ tsconfig: false });
  }
  if (registerHooks === undefined) register('./typescript-hooks.js', import.meta.url);
  else registerHooks(await import('./typescript-hooks.ts'));
}

/** The tsconfig.json that editors take for the file: tsx alone looks above the folder that the command runs in. */
function tsconfigOf(file: string): string | undefined {
  for (let folder = dirname(file); ; folder = dirname(folder)) {
    const path = join(folder, 'tsconfig.json');
    if (existsSync(path)) return path;
    if (folder === dirname(folder)) return undefined;
  }
}

async function useOwnPackages(): Promise<void> {
  if (areOwnPackagesOn) return;
  areOwnPackagesOn = true;
  shareRequired(import.meta.url);
  const data: PackageHookData = { from: import.meta.url };
  if (registerHooks === undefined) {
    register('./package-hooks.js', import.meta.url, { data });
    return;
  }
  const hooks = await import('./package-hooks.ts');
  void hooks.initialize(data);
  registerHooks(hooks);
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
