/** What the journal of a stage's run says of gates. */
import { openGatesOf, readRun, type JsonValue } from 'troupe';
import { entriesOf } from './dying-store.ts';
import type { Stage } from './running.ts';

/** The data of all entries of a type. */
export async function dataOf({ store }: Stage, type: string): Promise<readonly JsonValue[]> {
  return (await entriesOf(store)).filter((entry) => entry.type === type).map(({ data }) => data);
}

/** Names of the gates that are open. */
export async function openIn({ store }: Stage, run = 'run'): Promise<readonly string[]> {
  const journal = await store.open(run);
  const names = openGatesOf(await readRun(journal)).map(({ name }) => name);
  await journal.close();
  return names;
}

/** An approval without a note. */
export const yes = (gate: string): { readonly gate: string; readonly approved: true; readonly note: string } => ({
  gate,
  approved: true,
  note: '',
});
