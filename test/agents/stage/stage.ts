/**
 * Where agents are tested: a mock model, and throw-away folders that are home, temporary folder and git repository to them. What
 * is started here is known again by its `HOME`, which agents hand on to all that they start.
 */
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { programOf } from '../install/folders.ts';
import { pins, type AgentName } from '../install/pins.ts';
import { startModel, type Model } from '../model/server.ts';
import { reach, type Reach } from './reach.ts';

/** A living process that belongs to a stage. */
export interface Survivor {
  readonly pid: number;
  readonly command: string;
}

/** The stage. */
export interface Stage {
  readonly model: Model;
  /** Holds everything below. */
  readonly folder: string;
  readonly home: string;
  /** A git repository with one commit. */
  readonly work: string;
  /** Environment of a program that is started by hand; nothing of the test's own. */
  readonly env: Readonly<Record<string, string>>;
  /** What makes this agent talk to the model. */
  reach(name: AgentName, key?: string): Reach;
  /** Processes that live, by their `HOME`. */
  survivors(): readonly Survivor[];
  /** Waits until none lives, 5 s at most; resolves to those that still do. */
  settled(): Promise<readonly Survivor[]>;
  /** Ends what lives, and removes everything. */
  close(): Promise<void>;
}

/** Sets it up. */
export async function openStage(): Promise<Stage> {
  const model = await startModel();
  const folder = mkdtempSync(join(tmpdir(), 'troupe-agents-'));
  const [home, work, temporary] = ['home', 'work', 'tmp'].map((name) => join(folder, name)) as [string, string, string];
  for (const one of [home, work, temporary]) mkdirSync(one);
  writeFileSync(join(work, 'README.md'), '# A place to work in\n');
  const git = (...args: readonly string[]) => execFileSync('git', args, { cwd: work, stdio: 'pipe' });
  git('init', '--quiet', '--initial-branch=main');
  git('add', '.');
  git('-c', 'user.name=Test', '-c', 'user.email=test@example.org', 'commit', '--quiet', '--message=begin');
  const programs = pins.map((pin) => dirname(programOf(pin)));
  const env = {
    PATH: [...programs, dirname(process.execPath), '/usr/local/bin', '/usr/bin', '/bin'].join(':'),
    HOME: home,
    TMPDIR: temporary,
    TERM: 'dumb',
    LANG: 'C.UTF-8',
  };
  const survivors = () => livingWithHome(home);
  const settled = async () => {
    for (const untilMs = performance.now() + 5_000; survivors().length > 0 && performance.now() < untilMs;)
      await delay(20);
    return survivors();
  };
  return {
    model,
    folder,
    home,
    work,
    env,
    reach: (name, key) => reach(name, model.url, home, key),
    survivors,
    settled,
    async close() {
      for (const { pid } of survivors()) {
        try {
          process.kill(pid, 'SIGKILL');
        } catch {
          // Gone.
        }
      }
      await model.close();
      rmSync(folder, { recursive: true, force: true, maxRetries: 20, retryDelay: 100 });
    },
  };
}

function livingWithHome(home: string): readonly Survivor[] {
  return readdirSync('/proc').flatMap((name) => {
    if (!/^\d+$/.test(name)) return [];
    try {
      if (!readFileSync(`/proc/${name}/environ`, 'utf8').split('\0').includes(`HOME=${home}`)) return [];
      const state = readFileSync(`/proc/${name}/stat`, 'latin1').replace(/^.*\) /s, '')[0];
      const command = readFileSync(`/proc/${name}/cmdline`, 'utf8').replaceAll('\0', ' ').trim();
      return state === 'Z' || state === 'X' ? [] : [{ pid: Number(name), command }];
    } catch {
      return []; // Gone while it was looked at.
    }
  });
}
