/** Resume: from the start of the process until a run with 10,000 entries is folded, beside the start of an empty node. */
import { spawn } from 'node:child_process';
import { cpSync, rmSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { fileStore } from '../../src/journal/file.ts';
import { openRun } from '../../src/process/run.ts';
import type { Bench } from './benches.ts';
import { inTurns, rowOf } from './measure/row.ts';
import { inFolder } from './measure/work-folder.ts';
import { deskProcess, waitingHarness } from './work/desk-process.ts';

/** Writes a run with so many entries: progress of eight members and signals, half and half. */
async function write(dir: string, entries: number): Promise<void> {
  let ready: () => void = () => {};
  const begun = new Promise<void>((resolve) => (ready = resolve));
  let count = 0;
  const tell: ((line: string) => void)[] = [];
  const harness = waitingHarness(({ progress }) => {
    tell.push((line) => progress({ line }));
    if (tell.length === 8) ready();
  });
  let moved: () => void = () => {};
  const observer = {
    entry: () => {
      count += 1;
      moved();
    },
  };
  const run = await openRun({
    store: fileStore({ dir }),
    run: 'resume',
    process: deskProcess as never,
    harnesses: { waiting: harness },
    progressEveryMs: 0,
    observer,
  });
  void run.drive().catch(() => {});
  await begun;
  for (let index = 0; count < entries;) {
    const until = Math.min(count + 64, entries);
    for (let number = 0; number < 8; number += 1)
      tell[number]?.(`step ${count} of member ${number}: reading the next file of the change`);
    const sending: Promise<void>[] = [];
    for (let sent = 0; sent < 8; sent += 1) {
      index += 1;
      sending.push(
        run.signal('desk', { type: 'note', text: `note ${index}: the second reader agrees` } as { type: string }, {
          id: `note-${index}`,
        }),
      );
    }
    await Promise.all(sending);
    while (count < until - 48) await new Promise<void>((resolve) => (moved = resolve));
  }
  await run.close();
}

/** Ms from spawning `node file` to the first byte that it prints. */
function timeToSpeak(file: string, args: readonly string[] = []): Promise<number> {
  return new Promise((resolve, reject) => {
    const startedMs = performance.now();
    const child = spawn(process.execPath, [file, ...args], { stdio: ['ignore', 'pipe', 'inherit'] });
    let spokenMs: number | undefined;
    child.stdout.once('data', () => (spokenMs = performance.now() - startedMs));
    child.once('close', (code) => {
      if (code === 0 && spokenMs !== undefined) resolve(spokenMs);
      else reject(new Error(`${file} ended with exit code ${String(code)}`));
    });
  });
}

/** The bench. */
export const resume: Bench = ({ smoke, row }) =>
  inFolder(async (dir) => {
    const entries = smoke ? 500 : 10_000;
    process.stderr.write(`  writing ${entries} entries\n`);
    await write(`${dir}/with`, entries);
    cpSync(`${dir}/with`, `${dir}/without`, { recursive: true });
    rmSync(`${dir}/without/runs/resume/snapshots`, { recursive: true, force: true });
    const empty = `${dir}/empty.mjs`;
    writeFileSync(empty, "import { writeSync } from 'node:fs';\nwriteSync(1, 'ready\\n');\n");
    const child = fileURLToPath(new URL('resume-child.js', import.meta.url));
    let copies = 0;
    const resumed = (kind: string) => async () => {
      const copy = `${dir}/copy-${(copies += 1)}`;
      cpSync(`${dir}/${kind}`, copy, { recursive: true });
      const ms = await timeToSpeak(child, [copy]);
      rmSync(copy, { recursive: true });
      return ms;
    };
    const measured = await inTurns(smoke ? 1 : 15, {
      withSnapshot: resumed('with'),
      without: resumed('without'),
      empty: () => timeToSpeak(empty),
      modules: () => timeToSpeak(child),
    });
    const about = { unit: 'ms', level: 'D2', rivalName: 'start of an empty node', target: { atMost: 1.5 } } as const;
    const size = entries.toLocaleString('en');
    const note = 'from spawn until every group is folded and its members are taken up again';
    row(
      rowOf(
        { ...about, name: `resume after ${size} entries, with snapshot`, note },
        measured.withSnapshot,
        measured.empty,
      ),
    );
    row(rowOf({ ...about, name: `resume after ${size} entries, full replay`, note }, measured.without, measured.empty));
    row(
      rowOf(
        { name: 'start of node with the library loaded', unit: 'ms', level: 'D0', rivalName: 'start of an empty node' },
        measured.modules,
        measured.empty,
      ),
    );
  });
