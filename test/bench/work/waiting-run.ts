/** Writes a run that is under way: a desk whose eight members wait. */
import { fileStore } from '../../../src/journal/file.ts';
import { openRun } from '../../../src/process/run.ts';
import { deskProcess, waitingHarness } from './desk-process.ts';

/** Writes a run with so many entries: progress of eight members and signals, half and half. */
export async function writeRun(dir: string, entries: number): Promise<void> {
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
