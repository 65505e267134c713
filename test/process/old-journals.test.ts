/** Journals as earlier versions of troupe wrote them: what their entries hold in forms of their own stays readable. */
import { cp, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { verifyRun } from 'troupe';
import { fileStore } from 'troupe/journal';
import { collecting } from '../support/upgrading.ts';
import { second } from '../support/versions.ts';

test('a group that was taken over when a system was written in form 2 replays to the same digests', async () => {
  const dir = await mkdtemp(`${tmpdir()}/troupe-old-`);
  try {
    await cp(fileURLToPath(new URL('../journal/corpus/v1', import.meta.url)), dir, { recursive: true });
    const store = fileStore({ dir });
    const journal = await store.open('taken-over');
    const forms: unknown[] = [];
    for await (const entries of journal.read('group:group'))
      for (const { type, data } of entries)
        if (type === 'group.migrated') forms.push((data as { system?: { format?: number } }).system?.format);
    await journal.close();
    const { groups } = await verifyRun({ store, run: 'taken-over', process: collecting(second({ version: '2' })) });
    // What the first version did can only be read; from there on each turn is compared.
    expect(groups[0]?.booked).toBeGreaterThan(3);
    expect(groups[0]?.digests).toBeGreaterThan(3);
    expect(forms).toEqual([2]);
  } finally {
    await rm(dir, { recursive: true });
  }
});
