/** Babysitter's SDK: the project's own copy, because a process file and the one who drives it must share it (errors are told apart by their class). */
import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join, resolve } from 'node:path';
import { TroupeError } from '../../error.ts';

const packageName = '@a5c-ai/babysitter-sdk';

/** An effect that a run waits for, as the SDK tells it. */
export interface Action {
  readonly effectId: string;
  readonly invocationKey: string;
  readonly kind: string;
  readonly label?: string;
  readonly taskId?: string;
  readonly taskDef: Readonly<Record<string, unknown>>;
  readonly schedulerHints?: {
    readonly sleepUntilEpochMs?: number;
    readonly parallelGroupId?: string;
    readonly maxConcurrency?: number;
    readonly preferredHarness?: string;
    readonly background?: boolean;
    readonly timeoutMs?: number;
  };
}

/** One pass of a process. */
export type Iterated =
  | { readonly status: 'waiting'; readonly nextActions: readonly Action[] }
  | { readonly status: 'completed'; readonly output?: unknown }
  | { readonly status: 'failed' | 'halted' | 'process-error'; readonly error?: unknown };

/** What is used of the SDK. */
export interface Sdk {
  orchestrateIteration(options: {
    readonly runDir: string;
    readonly process?: { readonly importPath: string; readonly exportName: string };
  }): Promise<Iterated>;
  /** What it knows inside a pass. */
  getActiveProcessContext?(): unknown;
}

/** A loaded SDK. */
export interface LoadedSdk {
  readonly sdk: Sdk;
  readonly version: string;
  readonly folder: string;
}

/** Loads the SDK from `given` (a package's folder, or a folder with one in its `node_modules`), or as `processFile` finds it. Codes: BAD_INPUT. */
export function loadSdk(processFile: string, runDir: string, given: string | undefined): LoadedSdk {
  const folder = given === undefined ? findFrom([processFile, join(runDir, 'run.json')]) : folderIn(resolve(given));
  if (folder === undefined) {
    const where = given ?? dirname(processFile);
    throw new TroupeError(
      'BAD_INPUT',
      `expected ${packageName} to be installed for ${where}, and it is not: install it in the project, or name its folder with --sdk.`,
    );
  }
  const { version } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as { readonly version: string };
  // It chooses how to load process files when it is loaded itself, and chooses wrongly inside a test runner.
  const runner = process.env['VITEST'];
  delete process.env['VITEST'];
  try {
    const sdk = createRequire(join(folder, 'package.json'))(folder) as Partial<Sdk>;
    if (typeof sdk.orchestrateIteration !== 'function')
      throw new TroupeError('BAD_INPUT', `${folder}: expected a babysitter SDK with orchestrateIteration.`);
    return { sdk: sdk as Sdk, version, folder };
  } finally {
    if (runner !== undefined) process.env['VITEST'] = runner;
  }
}

function folderIn(given: string): string | undefined {
  return [given, join(given, 'node_modules', packageName)].find((folder) => {
    const file = join(folder, 'package.json');
    return existsSync(file) && (JSON.parse(readFileSync(file, 'utf8')) as { name?: string }).name === packageName;
  });
}

function findFrom(files: readonly string[]): string | undefined {
  for (const file of files) {
    for (const place of createRequire(file).resolve.paths(packageName) ?? []) {
      const folder = join(place, packageName);
      if (existsSync(join(folder, 'package.json'))) return folder;
    }
  }
  return undefined;
}
