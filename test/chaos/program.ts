/** The code under test, compiled once into a folder of its own, so that hosts start fast and nothing changes under them. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
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

/** Compiles the repository at `root` into `folder`; types are not looked at here. */
export function compile(root: string, folder: string): void {
  mkdirSync(folder, { recursive: true });
  const compilerOptions = {
    rootDir: root,
    outDir: folder,
    noCheck: true,
    declaration: false,
    sourceMap: false,
    incremental: false,
    tsBuildInfoFile: null,
    typeRoots: [join(root, 'node_modules/@types')],
  };
  const files = ['host-program.ts', 'main.ts', 'small-disk.ts'].map((name) => join(root, 'test/chaos', name));
  const config = {
    extends: join(root, 'tsconfig.json'),
    compilerOptions,
    files: [...files, join(root, 'machines/index.ts')],
    include: [],
  };
  writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify(config));
  const door = (name: string) => ({ default: `./src/${name}` });
  const exports = {
    '.': door('index.js'),
    './journal': door('journal/index.js'),
    './harness': door('harness/index.js'),
    './machines': { default: './machines/index.js' },
  };
  writeFileSync(join(folder, 'package.json'), JSON.stringify({ name: 'troupe', type: 'module', exports }));
  symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'));
  execFileSync(process.execPath, [join(root, 'node_modules/typescript/bin/tsc'), '-p', join(folder, 'tsconfig.json')], {
    stdio: 'pipe',
  });
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
