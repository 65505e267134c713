/** Starts the program as users do: the built one, in processes of its own, in a project of the test's own. */
import { spawn, type ChildProcess, type SpawnOptions } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { onTestFinished } from 'vitest';

/** The built program; `test/build.ts` builds it before the tests. */
export const program = fileURLToPath(new URL('../../dist/bundle/main.js', import.meta.url));

const root = fileURLToPath(new URL('../..', import.meta.url));

/** For `expect.poll`: a busy machine takes its time. */
export const patience = { timeout: 20_000 };

/** How a program ended, and all that it wrote. */
export interface Ended {
  readonly code: number | null;
  readonly signal: string | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** A program that runs. */
export interface Running {
  readonly child: ChildProcess;
  readonly ended: Promise<Ended>;
  /** Resolves with what was written to standard output so far, once `pattern` occurs in it; rejects when it ends before. */
  said(pattern: RegExp | string): Promise<string>;
}

/** A folder with files in it, and the program in it; gone after the test. */
export interface Project {
  readonly folder: string;
  path(name: string): string;
  write(name: string, text: string): void;
  /** Lines of a file; none when it is missing. */
  lines(name: string): readonly string[];
  /** Runs `troupe` to its end. */
  troupe(...args: readonly string[]): Promise<Ended>;
  /** Starts `troupe`. */
  start(...args: readonly string[]): Running;
  /** Starts any program. */
  spawn(file: string, args: readonly string[], options?: SpawnOptions): Running;
}

/** The environment of the test run, without what would change what the program prints. */
function cleanEnv(): NodeJS.ProcessEnv {
  const env = { ...process.env };
  for (const name of Object.keys(env)) {
    if (/^(TROUPE_|NO_COLOR$|FORCE_COLOR$|COLUMNS$|NODE_OPTIONS$|VITEST|NODE_ENV$)/.test(name)) delete env[name];
  }
  return env;
}

/** Makes a project of these files, in which the packages are installed. */
export function project(files: Readonly<Record<string, string>> = {}): Project {
  const made = bareProject(files);
  mkdirSync(made.path('node_modules'));
  symlinkSync(root, made.path('node_modules/troupe'), 'dir');
  symlinkSync(join(root, 'node_modules/xstate'), made.path('node_modules/xstate'), 'dir');
  return made;
}

/** A project in which nothing is installed. */
export function bareProject(files: Readonly<Record<string, string>> = {}): Project {
  const folder = mkdtempSync(join(tmpdir(), 'troupe-cli-'));
  const running = new Set<ChildProcess>();
  onTestFinished(async () => {
    for (const child of running) child.kill('SIGKILL');
    // A harness that is killed with its host may still be writing.
    rmSync(folder, { recursive: true, force: true, maxRetries: 20, retryDelay: 100 });
  });
  const path = (name: string) => join(folder, name);
  for (const [name, text] of Object.entries(files)) writeFileSync(path(name), text);

  const start = (file: string, args: readonly string[], options: SpawnOptions = {}): Running => {
    const child = spawn(file, args, {
      cwd: folder,
      stdio: ['pipe', 'pipe', 'pipe'],
      ...options,
      env: { ...cleanEnv(), ...options.env },
    });
    running.add(child);
    let stdout = '';
    let stderr = '';
    let look = () => {};
    child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      stdout += text;
      look();
    });
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      stderr += text;
    });
    const ended = new Promise<Ended>((resolve, reject) => {
      child.once('error', reject);
      child.once('close', (code, signal) => {
        running.delete(child);
        resolve({ code, signal, stdout, stderr });
      });
    });
    return {
      child,
      ended,
      said: (pattern) =>
        new Promise((resolve, reject) => {
          look = () => {
            if (typeof pattern === 'string' ? stdout.includes(pattern) : pattern.test(stdout)) resolve(stdout);
          };
          look();
          ended.then(() => reject(new Error(`ended before it said ${String(pattern)}:\n${stdout}\n${stderr}`)), reject);
        }),
    };
  };
  return {
    folder,
    path,
    write: (name, text) => writeFileSync(path(name), text),
    lines: (name) => (existsSync(path(name)) ? readFileSync(path(name), 'utf8').split('\n').slice(0, -1) : []),
    troupe: (...args) => {
      const { child, ended } = start(process.execPath, [program, ...args]);
      child.stdin?.end();
      return ended;
    },
    start: (...args) => start(process.execPath, [program, ...args]),
    spawn: start,
  };
}

/**
 * A process of one group `work`: each member notes its name in `started.txt`; those called `held…` then wait until a file `go`
 * is there, those called `bad…` fail. Output: who succeeded. In JavaScript, and of shells: what starts faster is tested more.
 */
export const workProcess = `
import { defineProcess } from 'troupe';
import { fanOut } from 'troupe/machines';

const work = \`
  echo "$0 $$" >> started.txt
  echo "hello from $0"
  case $0 in held*) while [ ! -e go ]; do sleep 0.05; done ;; esac
  case $0 in bad*) exit 3 ;; esac
\`;

export default defineProcess('work', async (ctx, input) => {
  const members = (input?.members ?? ['a', 'b']).map((id) => ({ id, command: ['sh', '-c', work, id] }));
  const { results, failed } = await ctx.group('work', fanOut, { members, concurrency: 3, checkpointEvery: 2 }).output;
  return { succeeded: results.map(({ id }) => id), failed: failed.map(({ id }) => id) };
});
`;

/** Input of {@link workProcess}. */
export const members = (...names: readonly string[]) => JSON.stringify({ members: names });

/** Names of the members that were started, sorted: one for each attempt. */
export function startedIn({ lines }: Project): readonly string[] {
  return lines('started.txt')
    .map((line) => line.split(' ')[0] ?? '')
    .toSorted();
}

/** Pids of attempts that live: a dead one that nobody has asked for does not. */
export function livingIn({ lines }: Project): readonly number[] {
  return lines('started.txt')
    .map((line) => Number(line.split(' ')[1]))
    .filter((pid) => /^State:\s+[^ZX]/m.test(readStatus(pid)));
}

function readStatus(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/status`, 'utf8');
  } catch {
    return '';
  }
}

/** The last line of output, as JSON. */
export function lastJson({ stdout }: Ended): unknown {
  return JSON.parse(stdout.trimEnd().split('\n').at(-1) ?? '');
}
