/** `troupe verify`. */
import { verifyRun } from '../process/verify.ts';
import { captureConsole } from './capture-console.ts';
import { dataFolder } from './data-folder.ts';
import { exitCodes } from './exit-codes.ts';
import { knownRun } from './known-run.ts';
import { loadRecorded } from './load-recorded.ts';
import { print, styleFor } from './terminal.ts';
import { count } from './text.ts';

/** Options of `troupe verify`. */
export interface VerifyCommandOptions {
  readonly file?: string;
  readonly data?: string;
  readonly json?: boolean;
}

/** Proves a run's journal against its process. Returns the exit code; what does not hold is thrown. */
export async function verifyCommand(run: string, options: VerifyCommandOptions): Promise<number> {
  const data = dataFolder(options.data);
  const { view } = await knownRun(data.store, run);
  const { process: definition } = await loadRecorded(data, view, options.file);
  // The process function runs again, up to where it got; what it says has been said.
  const release = captureConsole(() => {});
  const check = await verifyRun({ store: data.store, run, process: definition }).finally(release);
  if (options.json === true) {
    print(JSON.stringify({ ok: true, ...check }));
    return exitCodes.ok;
  }
  const style = styleFor(process.stdout);
  print(`${style.green('✓')} run ${run}: ${check.entries} entries, every checksum and seq holds`);
  for (const { name, entries, digests, booked, snapshotSeq, digest } of check.groups) {
    const snapshot = snapshotSeq === undefined ? 'no snapshot' : `snapshot at ${snapshotSeq} + tail gives the same`;
    const read = booked === 0 ? '' : ` (${booked} only read: the older machine that wrote them is not at hand)`;
    print(
      `${style.green('✓')}   ${name}: ${entries} entries replayed${read}, ${count(digests, 'recorded digest')} met, ${snapshot} (${digest})`,
    );
  }
  return exitCodes.ok;
}
