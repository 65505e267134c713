/** Journals as files: found, and read as a store reads them, checksums and all, without touching them. */
import { TroupeError } from '../../error.ts';
import { fileStore } from '../../journal/file.ts';
import { nodeFileSystem, readAll, withFile } from '../../journal/fs.ts';
import { memoryFileSystem } from '../../journal/memory-fs.ts';
import type { Entry } from '../../journal/port.ts';

/** One journal. */
export interface RecordedJournal {
  readonly run: string;
  readonly entries: readonly Entry[];
}

const segment = /^journal(-\d+)?\.jsonl$/;
const fs = nodeFileSystem;

/** All files that the patterns name, in order; `*` stands for any text between two slashes. Codes: BAD_INPUT where a pattern names none. */
export async function filesOf(patterns: readonly string[]): Promise<readonly string[]> {
  const found = new Set<string>();
  for (const pattern of patterns) {
    const matches = await expanded(pattern);
    if (matches.length === 0)
      throw new TroupeError(
        'BAD_INPUT',
        `verifyJournals: expected \`${pattern}\` to name journals, and there is no such file. \`*\` stands for any text between two slashes.`,
      );
    for (const file of matches) found.add(file);
  }
  return [...found];
}

async function expanded(pattern: string): Promise<readonly string[]> {
  let paths = [pattern.startsWith('/') ? '/' : ''];
  for (const part of pattern.split('/').filter((one) => one !== '')) {
    const next: string[] = [];
    for (const path of paths) {
      const inside = (name: string) => (path === '' || path === '/' ? `${path}${name}` : `${path}/${name}`);
      if (!part.includes('*')) {
        if (fs.exists(inside(part))) next.push(inside(part));
        continue;
      }
      const escaped = part.split('*').map((text) => text.replaceAll(/[.+?^${}()|[\]\\]/g, '\\$&'));
      const regex = new RegExp(`^${escaped.join('.*')}$`, 's');
      const names = await fs.readdir(path === '' ? '.' : path).catch(() => []);
      for (const name of [...names].sort()) if (regex.test(name)) next.push(inside(name));
    }
    paths = next;
  }
  return paths;
}

/** Reads one journal: a lone file, or of a run's folder all of its log. Codes: BAD_INPUT (it is none), JOURNAL_CORRUPT, JOURNAL_FORMAT. */
export async function readJournal(file: string): Promise<RecordedJournal> {
  const names = await fs.readdir(file).catch(() => undefined);
  const inFolder = names?.filter((name) => segment.test(name)).sort();
  const segments = inFolder?.map((name) => [`${file}/${name}`, name] as const) ?? [[file, 'journal.jsonl'] as const];
  const bytes: Buffer[] = [];
  for (const [path] of segments)
    bytes.push(await withFile(fs, path, 'read', async (one) => readAll(one, 0, await one.size())));
  const run = runOf(file, bytes[0] ?? Buffer.alloc(0));
  const disk = memoryFileSystem();
  const folder = `/data/runs/${run}`;
  await disk.mkdir(folder);
  for (const [index, [, name]] of segments.entries()) disk.poke(`${folder}/${name}`, bytes[index] as Buffer);
  const journal = await fileStore({ dir: '/data', fs: disk }).open(run);
  try {
    const entries: Entry[] = [];
    for await (const batch of journal.read()) entries.push(...batch);
    return { run, entries };
  } finally {
    await journal.close();
  }
}

/** The run that the first line names. */
function runOf(file: string, bytes: Buffer): string {
  const line = bytes.subarray(0, 65_536).toString('utf8').split('\n', 1)[0] ?? '';
  let header: unknown;
  try {
    header = JSON.parse(line);
  } catch {
    header = undefined;
  }
  const run = (header as { readonly run?: unknown } | null | undefined)?.run;
  if (typeof run === 'string' && /^[\w.-]+$/.test(run)) return run;
  throw new TroupeError(
    'BAD_INPUT',
    `verifyJournals: expected ${file} to be a journal (its first line names its run), got something else.`,
  );
}
