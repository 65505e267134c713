/**
 * A host as an OS process of its own, for tests: `holder <mode> <dir> [host name] [leaseTtlMs]`. Speaks in lines.
 *
 *     race   waits for a line, asks for the run `r`, says `won <epoch>` or the error's code and message, and holds it until its input ends
 *     hold   takes the run `r` and appends for ever: `ack <seq>` after each; at the first error its code and message, and the end
 *     read   counts the entries of the run `r`: `entries <count> <largest batch>`
 */
import { createInterface } from 'node:readline';
import { isTroupeError } from '../../src/error.ts';
import { fileStore, machineProcesses, type Processes } from '../../src/journal/index.ts';

const [mode, dir = '', host, leaseTtlMs = '30000'] = process.argv.slice(2);
const here = machineProcesses.self();
/** As seen by others, this process is on the machine `host`. */
const processes: Processes =
  host === undefined ? machineProcesses : { self: () => ({ ...here, host }), liveness: machineProcesses.liveness };
const store = fileStore({ dir, processes, leaseTtlMs: Number(leaseTtlMs) });
const say = (line: string): void => void process.stdout.write(`${line}\n`);
const told = (error: unknown): string => (isTroupeError(error) ? `${error.code} ${error.message}` : String(error));
const input = createInterface({ input: process.stdin });

if (mode === 'race') {
  const journal = await store.open('r');
  input.once('line', () => {
    journal.lease().then(
      async ({ epoch }) => {
        await journal.append('run', 0, epoch, [{ type: 'won', at: 0, data: process.pid }]);
        say(`won ${epoch}`);
      },
      (error: unknown) => say(told(error)),
    );
  });
  input.once('close', () => void journal.close().then(() => process.exit(0)));
  say('ready');
}

if (mode === 'hold') {
  const journal = await store.open('r');
  const { epoch } = await journal.lease();
  try {
    for (let seq = 0; ; seq++) {
      await journal.append('run', seq, epoch, [{ type: 'n', at: 0, data: { seq, by: process.pid } }]);
      say(`ack ${seq + 1}`);
    }
  } catch (error) {
    say(told(error));
  }
  process.exit(0);
}

if (mode === 'read') {
  let count = 0;
  let largest = 0;
  for await (const batch of (await store.open('r')).read()) {
    count += batch.length;
    largest = Math.max(largest, batch.length);
  }
  say(`entries ${count} ${largest}`);
  process.exit(0);
}
