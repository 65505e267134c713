/** Runs git. */
import { spawn } from 'node:child_process';
import { setTimeout as delay } from 'node:timers/promises';
import { gitPlaces, without } from '../program/env.ts';

/** A git command that failed. */
export class GitError extends Error {
  override readonly name = 'GitError';
  readonly exitCode: number | null;
  readonly stderr: string;

  constructor(args: readonly string[], exitCode: number | null, stderr: string) {
    const said = stderr.trim().split('\n').slice(-3).join(' ').slice(0, 500);
    super(`git ${args.slice(0, 3).join(' ')}: ${said || `ended with ${exitCode}`}`);
    this.exitCode = exitCode;
    this.stderr = stderr;
  }
}

/** Longer answers are cut. */
const outputMax = 4 * 1024 * 1024;

/** Another git has what this one needs, or is making it, the user's or another host's: it has done nothing, and does not wait. So often it is asked again, and after so long, ms. */
const locked = /could not lock|\.lock': File exists|failed to read .*commondir/;
const triesMax = 60;
/** What a git that has ended wrote last is there within so long, ms. */
const lingerMs = 1_000;
const lockedMs = 50;

/**
 * Standard output of `git -C <folder> …`, without the last line's end. In a process group of its own: a Ctrl-C at the terminal does not
 * stop it half-way. Rejects with {@link GitError}.
 */
export function git(folder: string, ...args: readonly string[]): Promise<string> {
  return gitWith({}, folder, ...args);
}

/** The same, with more variables in its environment. */
export async function gitWith(
  more: Readonly<Record<string, string>>,
  folder: string,
  ...args: readonly string[]
): Promise<string> {
  for (let tries = 1; ; tries += 1) {
    try {
      return await run(more, folder, args);
    } catch (error) {
      if (!(error instanceof GitError) || !locked.test(error.stderr) || tries === triesMax) throw error;
      await delay(lockedMs);
    }
  }
}

function run(more: Readonly<Record<string, string>>, folder: string, args: readonly string[]): Promise<string> {
  return new Promise((resolve, reject) => {
    const env = { ...process.env, ...without(gitPlaces), LC_ALL: 'C', GIT_TERMINAL_PROMPT: '0', ...more };
    const child = spawn('git', ['-C', folder, ...args], { env, detached: true, stdio: ['ignore', 'pipe', 'pipe'] });
    let stdout = '';
    let stderr = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      if (stdout.length < outputMax) stdout += text;
    });
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      if (stderr.length < outputMax) stderr += text;
    });
    child.on('error', (error: NodeJS.ErrnoException) => {
      const why = error.code === 'ENOENT' ? 'git is not installed' : error.message;
      reject(new GitError(args, null, why));
    });
    const ended = (code: number | null) => {
      if (code === 0) resolve(stdout.replace(/\n$/, ''));
      else reject(new GitError(args, code, stderr));
    };
    child.on('close', ended);
    // What a hook has started, and left running, holds its output open for as long as it likes.
    child.on('exit', (code) => {
      const release = setTimeout(() => {
        child.stdout.destroy();
        child.stderr.destroy();
        ended(code);
      }, lingerMs);
      child.on('close', () => clearTimeout(release));
    });
  });
}

/** The same, undefined where git says no; where it could not be asked it rejects. */
export async function gitOrNone(folder: string, ...args: readonly string[]): Promise<string | undefined> {
  try {
    return await git(folder, ...args);
  } catch (error) {
    if (error instanceof GitError && error.exitCode !== null) return undefined;
    throw error;
  }
}
