/** Journals of real runs, changed: entries put in, left out, or made to say something else. */
import { fileStore } from 'troupe/journal';
import type { Entry, JournalStore, JsonValue } from 'troupe';

/** An entry before it has its place. */
export type Draft = { stream: string; type: string; at: number; data: JsonValue; fold?: string };

/** Where to put something in: after the first entry of a type. */
export const after = (type: string) => (entry: Draft) => entry.type === type;

/** With one more entry of the group. */
export function insert(entries: Draft[], where: (entry: Draft) => boolean, type: string, data: JsonValue): Draft[] {
  const at = entries.findIndex(where) + 1;
  const stream = entries.find((entry) => entry.type === 'group.created')?.stream ?? '';
  return [...entries.slice(0, at), { stream, type, at: entries[at]?.at ?? 0, data }, ...entries.slice(at)];
}

/** With other data in the entries of a type. */
export function edited(entries: Draft[], type: string, data: object): Draft[] {
  return entries.map((one) =>
    one.type === type ? { ...one, data: { ...(one.data as object), ...data } as JsonValue } : one,
  );
}

let copies = 0;

/** A run's entries, in journal order; without digests, as of a later machine, unless they are kept. */
export async function draftsOf(store: JournalStore, name: string, keepsDigests: boolean): Promise<Draft[]> {
  const source = await store.open(name);
  const entries: Draft[] = [];
  for await (const batch of source.read())
    for (const { stream, type, at, data, fold } of batch as readonly Entry[])
      entries.push({ stream, type, at, data, ...(fold === undefined || !keepsDigests ? {} : { fold }) });
  await source.close();
  return entries;
}

/** Writes them as a run of its own; resolves to its folder. */
export async function written(dir: string, entries: readonly Draft[]): Promise<string> {
  const run = `changed-${(copies += 1)}`;
  const journal = await fileStore({ dir }).open(run, { create: true });
  const { epoch } = await journal.lease();
  const heads = new Map<string, number>();
  for (const { stream, ...event } of entries) {
    const head = heads.get(stream) ?? 0;
    await journal.append(stream, head, epoch, [event]);
    heads.set(stream, head + 1);
  }
  await journal.close();
  return `${dir}/runs/${run}`;
}

/** The folder of a run that has the entries of run `name`, changed. */
export async function changed(
  dir: string,
  name: string,
  change: (entries: Draft[]) => Draft[],
  keepsDigests = false,
): Promise<string> {
  return written(dir, change(await draftsOf(fileStore({ dir }), name, keepsDigests)));
}
