import { describe, expect, test } from 'vitest';
import { fileStore, memoryFileSystem, type Entry } from '../../src/journal/index.ts';
import { lazyReader, plainEntry } from '../../src/journal/lazy.ts';
import { errorOf, event, fakeProcesses, readAll, writeLog } from './support.ts';

const log = '/data/runs/r/journal.jsonl';
const checked = '/data/runs/r/lease/checked.json';

async function written(count: number) {
  const fs = memoryFileSystem();
  const processes = fakeProcesses();
  const store = () => fileStore({ dir: '/data', fs, processes: processes.start().processes });
  await writeLog(store(), count);
  const entries = await readAll(await store().open('r'));
  const bytes = fs.peek(log) ?? Buffer.alloc(0);
  return { fs, store, entries, bytes };
}

describe('what the last holder had checked', () => {
  test('is left by a clean release, and spares the next holder nothing but work', async () => {
    const { fs, store, entries, bytes } = await written(20);
    expect(fs.peek(checked)?.toString()).toMatch(new RegExp(`^{"segment":1,"bytes":${bytes.length},"sum":\\d+,"crc"`));
    const journal = await store().open('r');
    const { epoch } = await journal.lease();
    expect(await readAll(journal)).toEqual(entries);
    expect(await readAll(journal)).toEqual(entries);
    await journal.append('group:a', entries.length, epoch, [event('after', { text: 'é "quoted" \u2028' })]);
    await journal.close();
    const again = await store().open('r');
    await again.lease();
    expect(await readAll(again)).toEqual(await readAll(await store().open('r')));
    expect((await readAll(again, 'group:a', entries.length + 1)).map(({ type }) => type)).toEqual(['after']);
    await again.close();
  });

  test('one flipped bit anywhere in the log is refused all the same, with its line', async () => {
    const { fs, store, bytes } = await written(12);
    const first = bytes.indexOf(10) + 1;
    for (let at = first; at < bytes.length; at += 7) {
      const damaged = Buffer.from(bytes);
      damaged[at] = (damaged[at] ?? 0) ^ (1 << (at % 8));
      fs.poke(log, damaged);
      const journal = await store().open('r');
      const error = await errorOf(journal.lease());
      expect([at, error.code, error.details['file']]).toEqual([at, 'JOURNAL_CORRUPT', 'journal.jsonl']);
      await journal.close();
    }
  });

  test('that is damaged, or of another length, counts for nothing', async () => {
    const { fs, store, entries, bytes } = await written(9);
    const left = fs.peek(checked) ?? Buffer.alloc(0);
    const cases = [
      Buffer.alloc(0),
      Buffer.from('{}\n'),
      left.subarray(0, 20),
      Buffer.from(String(left).replace('1', '2')),
    ];
    for (const content of cases) {
      fs.poke(checked, content);
      const journal = await store().open('r');
      await journal.lease();
      expect(await readAll(journal)).toEqual(entries);
      await journal.close();
      expect(fs.peek(checked)).toEqual(left);
    }
    // A torn append behind what was checked.
    fs.poke(log, Buffer.concat([bytes, Buffer.from('{"v":1,"stream":"gro')]));
    const journal = await store().open('r');
    await journal.lease();
    expect(journal.notices().map(({ kind }) => kind)).toEqual(['torn-tail']);
    expect(await readAll(journal)).toEqual(entries);
    await journal.close();
  });
});

test('lazy entries say what eager ones say', async () => {
  const store = fileStore({ dir: '/data', fs: memoryFileSystem() });
  const journal = await store.open('r', { create: true });
  const { epoch } = await journal.lease();
  const texts = ['plain', ',"fold":"1:ab"', '"epoch":7', '\\', 'é\n', '{"data":1}'];
  let seq = 0;
  for (const text of texts) {
    for (const data of [text, { text }, [text], { fold: text, epoch: 3 }, 1, null]) {
      const some = [
        event('a', data),
        { ...event('b "quoted"', data), fold: text },
        { ...event('c', data), fold: '1:ab' },
      ];
      await journal.append('group:\u00e9 "x"', seq, epoch, some);
      seq += some.length;
    }
  }
  const eager = await readAll(journal);
  const lazy: Entry[] = [];
  for await (const batch of journal.read(undefined, 1, { isLazy: true })) lazy.push(...batch);
  expect(lazy.map(plainEntry)).toEqual(eager);
  expect(lazy.map(plainEntry).map((entry) => Object.keys(entry))).toEqual(eager.map((entry) => Object.keys(entry)));
  await journal.close();
  const again = await store.open('r');
  await again.lease();
  const kept: Entry[] = [];
  for await (const batch of again.read(undefined, 1, { isLazy: true })) kept.push(...batch);
  expect(kept.map(plainEntry)).toEqual(eager);
  await again.close();
});

test('a line that is no entry is refused by the lazy reader too', () => {
  const read = lazyReader({});
  for (const text of [
    '{}',
    '{"v":1,"stream":"a","seq":1}',
    '{"v":9,"stream":"a","seq":1,"at":1,"type":"t","data":1,"epoch":1}',
  ])
    expect(() => read(text, 0, text.length), text).toThrow(/entry|version/i);
});
