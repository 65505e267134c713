/** `--json`: entries as NDJSON on standard output, as they become durable; everything else goes to standard error. */
import type { Display } from './display.ts';
import { entryJson } from '../process/entry-line.ts';
import { complain, print } from './terminal.ts';

/** Shows a run to programs. */
export function jsonDisplay(): Display {
  return {
    entry: (entry) => print(JSON.stringify(entryJson(entry))),
    progress: () => {},
    note: complain,
    stopping: () => {},
    end: () => {},
  };
}
