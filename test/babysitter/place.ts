/** A project with run directories of babysitter, in a temporary folder: `<project>/.a5c/runs/<run>`. */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { openRunFolder } from '../../src/babysitter/run/run-folder.ts';
import { layoutVersion } from '../../src/babysitter/run/names.ts';
import { isSdkInstalled, sdkPackage } from './sdk/install.ts';

/** A temporary folder that goes with the test. */
export function temporary(): string {
  const folder = mkdtempSync(join(tmpdir(), 'troupe-babysitter-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true, maxRetries: 5 }));
  return folder;
}

/** A run directory as babysitter's `createRun` makes it, made without babysitter. */
export async function newRunDir(
  project: string,
  { run = 'run-1', process = 'process.mjs', harness }: { run?: string; process?: string; harness?: string } = {},
): Promise<string> {
  const runDir = join(project, '.a5c/runs', run);
  for (const name of ['journal', 'tasks', 'state', 'blobs']) mkdirSync(join(runDir, name), { recursive: true });
  const entrypoint = { importPath: `../../../${process}`, exportName: 'process' };
  const facts = { runId: run, request: 'a test', processId: 'demo', entrypoint, processPath: entrypoint.importPath };
  const about = { ...facts, layoutVersion, createdAt: new Date().toISOString(), completionProof: '00'.repeat(16) };
  writeFileSync(join(runDir, 'run.json'), JSON.stringify({ ...about, ...(harness === undefined ? {} : { harness }) }));
  writeFileSync(join(runDir, 'inputs.json'), '{}\n');
  const created = { runId: run, processId: 'demo', entrypoint };
  await openRunFolder(runDir).append([{ type: 'RUN_CREATED', data: created }]);
  return runDir;
}

/** What the tests use of babysitter's SDK. */
export interface TestSdk {
  createRun(options: object): Promise<{ readonly runId: string; readonly runDir: string }>;
  orchestrateIteration(options: { readonly runDir: string }): Promise<{
    readonly status: string;
    readonly output?: unknown;
    readonly error?: { readonly message: string };
    readonly nextActions?: readonly {
      readonly effectId: string;
      readonly invocationKey: string;
      readonly kind: string;
      readonly taskDef: Readonly<Record<string, unknown>>;
    }[];
  }>;
  commitEffectResult(options: object): Promise<unknown>;
  appendEvent(options: { readonly runDir: string; readonly eventType: string; readonly event: object }): Promise<{
    readonly path: string;
  }>;
  loadJournal(
    runDir: string,
  ): Promise<readonly { readonly seq: number; readonly ulid: string; readonly type: string }[]>;
}

/** The SDK itself. It looks at VITEST when it is loaded, and then cannot load process files. */
export function loadSdk(): TestSdk {
  if (!isSdkInstalled) throw new Error('not installed: npm run test:babysitter');
  const { env } = globalThis.process;
  delete env['VITEST'];
  env['BABYSITTER_LOG_LEVEL'] = 'error';
  const sdk = createRequire(import.meta.url)(join(sdkPackage, 'dist/index.js')) as unknown;
  env['VITEST'] = 'true';
  return sdk as TestSdk;
}

/** A file's text. */
export const textOf = (...path: readonly string[]): string => readFileSync(join(...path), 'utf8');
