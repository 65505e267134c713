/** The code under test, compiled once into a folder of its own, so that hosts start fast and nothing changes under them. */
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { buildSync } from 'esbuild';
import { bundled } from '../support/bundle.ts';
import type * as Troupe from '../../src/index.ts';
import type * as Journals from '../../src/journal/index.ts';
import type * as Job from './job.ts';

/** A compiled copy: `file` names a module in it by its source path. */
export interface Program {
  readonly folder: string;
  file(source: string): string;
  readonly troupe: typeof Troupe;
  readonly journals: typeof Journals;
  readonly job: typeof Job;
}

const entries = [
  'src/index',
  'src/journal/index',
  'src/harness/index',
  'machines/index',
  ...['host-program', 'job', 'main', 'small-disk'].map((name) => `test/chaos/${name}`),
];

/** Compiles the repository at `root` into `folder`. */
export function compile(root: string, folder: string): void {
  mkdirSync(folder, { recursive: true });
  buildSync({
    ...bundled,
    absWorkingDir: root,
    entryPoints: entries.map((entry) => `${entry}.ts`),
    outbase: root,
    outdir: folder,
    splitting: true,
  });
  const door = (name: string) => ({ default: `./src/${name}` });
  const exports = {
    '.': door('index.js'),
    './journal': door('journal/index.js'),
    './harness': door('harness/index.js'),
    './machines': { default: './machines/index.js' },
  };
  writeFileSync(join(folder, 'package.json'), JSON.stringify({ name: 'troupe', type: 'module', exports }));
  symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'));
}

/** The modules of a compiled copy. A machine's version is the hash of its source text: who verifies must run the same text. */
export async function loadProgram(folder: string): Promise<Program> {
  const file = (source: string) => join(folder, source.replace(/\.ts$/, '.js'));
  const load = async (source: string): Promise<unknown> => import(pathToFileURL(file(source)).href);
  return {
    folder,
    file,
    troupe: (await load('src/index.ts')) as typeof Troupe,
    journals: (await load('src/journal/index.ts')) as typeof Journals,
    job: (await load('test/chaos/job.ts')) as typeof Job,
  };
}
