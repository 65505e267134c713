/** A project with babysitter's SDK and this package, for tests that start programs in it as its users do. */
import { spawn } from 'node:child_process';
import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { sdkPackage, sdkProgram } from './sdk/install.ts';
import { temporary } from './place.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const troupeProgram = join(root, 'dist/bundle/main.js');

/** How a program ended. */
export interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** A project in a temporary folder. */
export interface Project {
  readonly folder: string;
  /** Makes a run of `process.mjs`; its directory. */
  create(run: string): Promise<string>;
  /** The stock command line. */
  stock(...args: readonly string[]): Promise<Ended>;
  /** Ours; killed after so many ms, or as soon as `kill` says so, looked at every 10 ms. */
  troupe(args: readonly string[], kill?: number | (() => boolean)): Promise<Ended>;
  /** Lines that members and commands have written into `ran.log`. */
  ran(): readonly string[];
}

const create = `
const [, , run, project] = process.argv;
require('@a5c-ai/babysitter-sdk').createRun({
  runsDir: project + '/.a5c/runs', runId: run, request: 'a test', inputs: {},
  process: { processId: 'demo', importPath: project + '/process.mjs', exportName: 'process' },
});`;

/** A project whose process is this text. */
export function projectWith(process: string): Project {
  const folder = temporary();
  mkdirSync(join(folder, 'node_modules/@a5c-ai'), { recursive: true });
  mkdirSync(join(folder, '.a5c/runs'), { recursive: true });
  symlinkSync(sdkPackage, join(folder, 'node_modules/@a5c-ai/babysitter-sdk'));
  symlinkSync(root, join(folder, 'node_modules/troupe'));
  symlinkSync(join(root, 'node_modules/xstate'), join(folder, 'node_modules/xstate'));
  writeFileSync(join(folder, 'process.mjs'), process);
  writeFileSync(join(folder, 'create.cjs'), create);

  const { VITEST: _, ...env } = globalThis.process.env;
  const start = async (args: readonly string[], kill?: number | (() => boolean)): Promise<Ended> => {
    const child = spawn(globalThis.process.execPath, args, {
      cwd: folder,
      env: { ...env, HOME: folder, BABYSITTER_LOG_LEVEL: 'error', NO_COLOR: '1' },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let stdout = '';
    let stderr = '';
    child.stdout.on('data', (chunk: Buffer) => (stdout += chunk.toString()));
    child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
    const bornMs = performance.now();
    const isDue = typeof kill === 'number' ? () => performance.now() - bornMs >= kill : kill;
    const timer = isDue === undefined ? undefined : setInterval(() => isDue() && child.kill('SIGKILL'), 10);
    const code = await new Promise<number | null>((resolve) => child.once('close', resolve));
    clearInterval(timer);
    return { code, stdout, stderr };
  };
  return {
    folder,
    async create(run) {
      const made = await start(['create.cjs', run, folder]);
      if (made.code !== 0) throw new Error(`createRun: ${made.stderr}`);
      return join(folder, '.a5c/runs', run);
    },
    stock: (...args) => start([sdkProgram, ...args]),
    troupe: (args, kill) => start([troupeProgram, ...args], kill),
    ran() {
      try {
        return readFileSync(join(folder, 'ran.log'), 'utf8').split('\n').slice(0, -1);
      } catch {
        return [];
      }
    },
  };
}

/** A process with two groups and a command side by side, and a command after them. */
export const twoGroups = `
import { group } from 'troupe/babysitter';
import { fanOut } from 'troupe/machines';
const say = { id: 'say', build: ({ word }) => ({ kind: 'shell', title: 'say ' + word, shell: { command: 'echo ' + word + ' >> ran.log; echo ' + word } }) };
const members = (name) => [1, 2, 3].map((n) => ({
  id: name + '-' + n,
  command: ['sh', '-c', 'sleep 0.05; echo ' + name + '-' + n + ' >> ran.log; echo ' + n],
}));
export async function process(inputs, ctx) {
  const [alpha, beta, said] = await ctx.parallel.all([
    () => group(ctx, 'alpha', fanOut, { members: members('alpha'), checkpointEvery: 1 }),
    () => group(ctx, 'beta', fanOut, { members: members('beta'), concurrency: 1 }),
    () => ctx.task(say, { word: 'beside' }),
  ]);
  const after = await ctx.task(say, { word: 'after' });
  return {
    alpha: alpha.results.map(({ id }) => id).sort(),
    beta: beta.results.map(({ id }) => id).sort(),
    said: [said.stdout.trim(), after.stdout.trim()],
  };
}
`;

/** What {@link twoGroups} comes to. */
export const twoGroupsOutput = {
  alpha: ['alpha-1', 'alpha-2', 'alpha-3'],
  beta: ['beta-1', 'beta-2', 'beta-3'],
  said: ['beside', 'after'],
};
