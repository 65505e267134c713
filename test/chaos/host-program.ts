/**
 * A host as an OS process of its own: drives one run to its end, and says what it has acknowledged, line by line, in a file
 * that outlives it. Started by `host-process.ts`; its one argument is its orders as JSON.
 */
import { openSync, writeSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { command } from '../../src/harness/index.ts';
import { isTroupeError, openRun, type Harness, type JsonValue, type Run } from '../../src/index.ts';
import { fileStore, machineProcesses } from '../../src/journal/index.ts';
import { sumOf, type HostOrders, type Said } from './account.ts';
import { chaosProcess } from './job.ts';
import { livingOf } from './living.ts';
import { mortal } from './mortal.ts';

/** Exit codes: 0 the run ended, 3 busy, 4 stopped by a signal, 5 another error. */
async function main(orders: HostOrders): Promise<number> {
  const file = openSync(orders.says, 'a');
  const say = (said: Said) => void writeSync(file, `${JSON.stringify(said)}\n`);
  const { pass, fs } = mortal(orders.death);
  const { foreignAfterMs, leaseTtlMs = foreignAfterMs, waits = foreignAfterMs !== undefined } = orders;
  const processes =
    foreignAfterMs === undefined ? machineProcesses : { ...machineProcesses, liveness: () => 'unknown' as const };
  const store = fileStore({
    dir: orders.dir,
    fs,
    processes,
    segmentBytesMax: orders.segmentBytesMax,
    ...(leaseTtlMs === undefined ? {} : { leaseTtlMs }),
  });
  const inner = command(orders.graceMs === undefined ? {} : { graceMs: orders.graceMs });
  const harness: Harness = {
    ...inner,
    async perform(attempt) {
      const member = attempt.key.slice(0, attempt.key.lastIndexOf('#') + 1);
      // A host on another machine cannot end what ours left.
      for (const { pid, key } of foreignAfterMs === undefined ? livingOf(member) : []) {
        if (key !== attempt.key) say({ type: 'alive', key: attempt.key, pid, earlier: key });
      }
      pass('perform', 'before');
      const outcome = await inner.perform(attempt);
      pass('perform', 'after');
      return outcome;
    },
    async sweep(key) {
      pass('sweep', 'before');
      await inner.sweep?.(key);
      pass('sweep', 'after');
    },
  };

  let run: Run | undefined;
  let signals = 0;
  let isWaiting = false;
  const onSignal = () => {
    signals += 1;
    if (signals > 1) process.exit(130);
    void run?.stop('a signal came');
  };
  process.on('SIGINT', onSignal);
  process.on('SIGTERM', onSignal);

  for (;;) {
    try {
      run = await openRun({
        store,
        process: chaosProcess,
        run: orders.run,
        input: orders.input,
        harnesses: { command: harness },
        snapshotEvery: orders.snapshotEvery,
        observer: {
          entry(entry) {
            pass('acknowledge', 'before');
            const { stream, seq, epoch } = entry;
            say({ type: 'acknowledged', stream, seq, epoch, sum: sumOf(entry), at: Date.now() });
            pass('acknowledge', 'after');
          },
          replayed() {
            pass('replayed', 'before');
            pass('replayed', 'after');
          },
        },
      });
      if (signals > 0) void run.stop('a signal came');
      const result = await run.drive();
      await run.close();
      say({ type: 'ended', result: result as unknown as JsonValue });
      return result.status === 'stopped' ? 4 : 0;
    } catch (error) {
      await run?.close().catch(() => {});
      const isBusy = isTroupeError(error, 'RUN_BUSY');
      if (isBusy && waits && run === undefined) {
        if (!isWaiting) say({ type: 'waiting' });
        isWaiting = true;
        await delay(5);
        continue;
      }
      const code = isTroupeError(error) ? error.code : 'none';
      const details = (isTroupeError(error) ? error.details : {}) as JsonValue;
      say({ type: 'error', code, message: error instanceof Error ? error.message : String(error), details });
      if (code === 'none')
        process.stderr.write(`${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`);
      return isBusy ? 3 : 5;
    }
  }
}

process.exitCode = await main(JSON.parse(process.argv[2] ?? '{}') as HostOrders);
