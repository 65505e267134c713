/** A run on a disk in memory, and trouble with what is done to it as a whole. */
import {
  faultyFileSystem,
  fileStore,
  memoryFileSystem,
  type Entry,
  type FileStore,
  type MemoryFileSystem,
} from '../../src/journal/index.ts';
import { fakeProcesses } from './support.ts';

export const at = 1_790_000_000_000;
export const longName = `group/${'ü-long-name-'.repeat(8)}.1.1.log`;

export async function record(store: FileStore, run = 'r'): Promise<readonly Entry[]> {
  const journal = await store.open(run, { create: true });
  const { epoch } = await journal.lease();
  for (let seq = 0; seq < 8; seq += 1) {
    await journal.append('group:g', seq, epoch, [
      { type: 'note', at, data: { seq, text: 'x'.repeat(150), ...(seq === 1 ? { outputFile: longName } : {}) } },
    ]);
  }
  await journal.saveSnapshot({ stream: 'group:g', seq: 4, maker: 'm', data: 4 });
  await journal.close();
  return readRun(store, run);
}

export async function readRun(store: FileStore, run: string): Promise<readonly Entry[]> {
  const journal = await store.open(run);
  const entries: Entry[] = [];
  for await (const batch of journal.read()) entries.push(...batch);
  await journal.close();
  return entries;
}

export async function place() {
  const fs = memoryFileSystem();
  const processes = fakeProcesses();
  const host = (dir = '/data') => {
    const process = processes.start();
    return {
      ...process,
      storeOn: (on: typeof fs) =>
        fileStore({ dir, segmentBytesMax: 700, leaseTtlMs: 1000, fs: on, processes: process.processes }),
    };
  };
  const store = host().storeOn(fs);
  const entries = await record(store);
  await fs.mkdir('/data/runs/r/files/group');
  fs.poke('/data/runs/r/files/group/out.log', Buffer.from('output'));
  for (const folder of ['/data', '/data/runs', '/data/runs/r']) await fs.syncDirectory(folder);
  return { fs, host, store, entries };
}

export const below = (fs: MemoryFileSystem, folder: string) => fs.paths().filter((path) => path.startsWith(folder));
export const contentOf = (fs: MemoryFileSystem, folder: string) =>
  Object.fromEntries(
    below(fs, folder)
      .filter((path) => !path.includes('/lease/'))
      .map((path) => [path.slice(folder.length), fs.peek(path)?.toString('latin1')]),
  );

type Trouble = { readonly type: 'crash'; readonly when: 'after' | 'before' } | { readonly type: 'errno' };
export const troubles: readonly (readonly [string, Trouble, boolean])[] = [
  ['a crash before it, names forgotten', { type: 'crash', when: 'before' }, false],
  ['a crash before it, names kept', { type: 'crash', when: 'before' }, true],
  ['a crash after it, names forgotten', { type: 'crash', when: 'after' }, false],
  ['a crash after it, names kept', { type: 'crash', when: 'after' }, true],
  ['an error', { type: 'errno' }, true],
];

/** Does something on a file system with trouble at the `call`-th call, then cuts the power if it was a crash. */
export async function under(
  trouble: Trouble,
  call: number,
  keepNames: boolean,
  act: (store: FileStore) => Promise<unknown>,
  prepare?: (store: FileStore) => Promise<void>,
) {
  const here = await place();
  await prepare?.(here.store);
  const actor = here.host();
  const faulty = faultyFileSystem(
    here.fs,
    trouble.type === 'errno' ? { type: 'errno', code: 'EIO', call } : { ...trouble, call },
  );
  const isDone = await act(actor.storeOn({ ...here.fs, ...faulty })).then(
    () => true,
    () => false,
  );
  const isReached = faulty.calls().length >= call;
  // Who could not give the run back ends too, sooner or later.
  actor.kill();
  if (trouble.type === 'crash') here.fs.powerCut({ keepNames });
  return { ...here, isDone, isReached };
}

export async function untilUnreached(body: (call: number) => Promise<boolean>): Promise<number> {
  let call = 1;
  while (await body(call)) call += 1;
  return call;
}
