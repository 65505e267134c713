/** A journal file outside of any data folder. */
import { cp, mkdir, mkdtemp, open, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { TroupeError } from '../error.ts';
import { ioError } from '../journal/damage.ts';
import { isRunId } from '../journal/names.ts';

/** Longest header that is read, bytes. */
const headerMax = 65_536;

/** Whether a file, told by its name, is a segment of a run's log. */
export const isSegment = (file: string) => /^journal(-\d+)?\.jsonl$/.test(basename(file));

/** Puts a copy of the file where a store finds it; the caller removes the folder. Codes: BAD_INPUT when it is no journal; JOURNAL_IO. */
export async function loneJournal(file: string): Promise<{ readonly folder: string; readonly run: string }> {
  const run = await runOf(file);
  let folder: string | undefined;
  try {
    folder = await mkdtemp(join(tmpdir(), 'troupe-journal-'));
    const inside = join(folder, 'runs', run);
    await mkdir(inside, { recursive: true });
    // Of a run's own folder all segments; of a lone file itself.
    if (isSegment(file)) {
      const from = dirname(file);
      await cp(from, inside, { recursive: true, filter: (source) => source === from || isSegment(source) });
    } else await cp(file, join(inside, 'journal.jsonl'));
    return { folder, run };
  } catch (error) {
    if (folder !== undefined) await rm(folder, { recursive: true, force: true });
    throw ioError(error, 'copying the journal to where temporary files are', folder ?? tmpdir());
  }
}

/** The run that the file's first line names. */
async function runOf(file: string): Promise<string> {
  const trouble = (why: string) =>
    new TroupeError('BAD_INPUT', `expected ${file} to be a journal (its first line names its run), but ${why}.`);
  const handle = await open(file).catch((error: unknown) => {
    throw trouble((error as { code?: string }).code === 'ENOENT' ? 'there is no such file' : String(error));
  });
  try {
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(headerMax), 0, headerMax, 0);
    const line = buffer.subarray(0, bytesRead).toString('utf8').split('\n', 1)[0] ?? '';
    const { run } = JSON.parse(line) as { readonly run?: unknown };
    if (typeof run !== 'string' || !isRunId(run)) throw trouble('it does not');
    return run;
  } catch (error) {
    throw error instanceof SyntaxError ? trouble('that is not JSON') : error;
  } finally {
    await handle.close();
  }
}
