/** A run in one page that needs nothing else. */
import type { Entry } from '../journal/port.ts';
import type { OpenedRecording } from '../view/open-recording.ts';
import { windowMax } from '../view/recording.ts';
import { exitCodes } from './exit-codes.ts';
import type { Mask } from './mask.ts';
import { partOfPage } from './inspect-serve.ts';
import { writeOut } from './out-file.ts';
import { print } from './terminal.ts';

/** Writes the run, or the last entries of a large one, into `file`. Returns the exit code. */
export async function exportTo(
  file: string,
  title: string,
  { recording, entryAt, notices }: OpenedRecording,
  json: boolean,
  mask: Mask,
): Promise<number> {
  const { length } = recording;
  // One window: a file is to be opened at once, by whoever it is sent to.
  const from = Math.max(1, length - windowMax + 1);
  const window = await recording.window(from, length);
  const entries: Entry[] = [];
  for (let position = from; position <= length; position += 1) {
    const entry = await entryAt(position);
    if (entry !== undefined) entries.push(entry);
  }
  const known = recording.overview();
  const cut = from > 1 ? [`entries 1 to ${from - 1} are not in this file`] : [];
  const overview = {
    ...known,
    title,
    isLive: false,
    isComplete: true,
    canControl: [],
    notices: [...cut, ...notices, ...known.notices],
  };
  // In a script element nothing may look like its end.
  const text = JSON.stringify(mask({ overview, window, entries })).replaceAll('<', String.raw`\u003c`);
  const empty = '<script type="application/json" id="run"></script>';
  const page = await partOfPage('page.html');
  await writeOut(
    file,
    page.replace(empty, () => `${empty.slice(0, empty.indexOf('></'))}>${text}</script>`),
  );
  if (json) print(JSON.stringify({ title, file, entries: entries.length }));
  else print(`${title}: ${entries.length} entries in ${file}; open it in a browser`);
  return exitCodes.ok;
}
