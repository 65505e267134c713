/**
 * A process that resumes a run: `resume-child.js <dir>` says `ready` when all eight members are taken up and a signal to their coordinator
 * is durable and folded. Without a folder it only loads.
 */
import { writeSync } from 'node:fs';
import { fileStore } from '../../src/journal/file.ts';
import { openRun } from '../../src/process/run.ts';
import { deskProcess, waitingHarness } from './work/desk-process.ts';

const dir = process.argv[2];
if (dir === undefined) {
  writeSync(1, 'ready\n');
  process.exit(0);
}
let taken = 0;
const waiting = waitingHarness(() => {
  taken += 1;
  if (taken < 8) return;
  void run.signal('desk', { type: 'review' }, { id: 'again' }).then(() => {
    writeSync(1, 'ready\n');
    process.exit(0);
  });
});
const run = await openRun({
  store: fileStore({ dir }),
  run: 'resume',
  process: deskProcess as never,
  harnesses: { waiting },
});
await run.drive();
