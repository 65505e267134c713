import { describe, expect, test } from 'vitest';
import { fileStore, memoryFileSystem, type Entry, type Outlined } from '../../src/journal/index.ts';
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
    expect(fs.peek(checked)?.toString()).toMatch(
      new RegExp(
        `^{"segment":1,"bytes":${bytes.length},"sum":\\d+,"v":1,"entries":20,"epoch":1,"heads":{"group:a":20},"crc"`,
      ),
    );
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
      // The same, but for who gave it back last.
      const { epoch, crc, ...rest } = JSON.parse(String(fs.peek(checked))) as Record<string, unknown>;
      expect({ ...rest, epoch: 1, crc: expect.any(String) }).toEqual({
        ...JSON.parse(String(left)),
        crc: expect.any(String),
      });
      expect([typeof epoch, typeof crc]).toEqual(['number', 'string']);
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

describe('an outline', () => {
  const kept = { maker: 'tester/1', data: { text: 'ünï' } };

  async function outlined() {
    const log = await written(20);
    const journal = await log.store().open('r');
    const { epoch } = await journal.lease();
    await journal.append('group:b', 0, epoch, [event('one'), event('two')]);
    journal.keepOutline?.(21, () => ({ maker: 'too early', data: null }));
    journal.keepOutline?.(22, () => kept);
    await journal.close();
    return log;
  }
  const restOf = async (outline: Outlined | undefined) => {
    const rest: Entry[] = [];
    for await (const entries of outline?.rest() ?? []) rest.push(...entries.map(plainEntry));
    return rest;
  };

  test('comes back to its maker, with the place of every stream', async () => {
    const { store } = await outlined();
    const journal = await store().open('r');
    await journal.lease();
    expect(journal.outline?.('another')).toBeUndefined();
    const outline = journal.outline?.(kept.maker);
    expect(outline?.data).toEqual(kept.data);
    expect([...(outline?.heads ?? [])]).toEqual([
      ['group:a', 20],
      ['group:b', 2],
    ]);
    expect(await restOf(outline)).toEqual([]);
    expect(await readAll(journal)).toHaveLength(22);
    expect(journal.outline?.(kept.maker)).toBeUndefined();
    await journal.close();
  });

  test('comes with what was written behind it, by hosts that died and by some that gave the run back', async () => {
    const { fs, store } = await outlined();
    const left = fs.peek(checked) ?? Buffer.alloc(0);
    const journal = await store().open('r');
    const { epoch } = await journal.lease();
    await journal.append('group:b', 2, epoch, [event('three'), event('four')]);
    await journal.close();
    const behind = (await readAll(await store().open('r'))).slice(22);
    expect(fs.peek(checked)).toEqual(left);
    const next = await store().open('r');
    const { epoch: now } = await next.lease();
    const outline = next.outline?.(kept.maker);
    // What this host writes is its own affair.
    await next.append('group:b', 4, now, [event('five')]);
    expect(await restOf(outline)).toEqual(behind);
    expect(behind.map(({ type }) => type)).toEqual(['three', 'four']);
    await next.close();
  });

  test('counts for nothing where the log before it, or behind it, was damaged: the log is refused with its line', async () => {
    const { fs, store } = await outlined();
    const left = fs.peek(checked) ?? Buffer.alloc(0);
    const journal = await store().open('r');
    const { epoch } = await journal.lease();
    await journal.append('group:b', 2, epoch, [event('three')]);
    await journal.close();
    const bytes = fs.peek(log) ?? Buffer.alloc(0);
    for (let at = bytes.indexOf(10) + 1; at < bytes.length; at += 11) {
      const damaged = Buffer.from(bytes);
      damaged[at] = (damaged[at] ?? 0) ^ (1 << (at % 8));
      fs.poke(log, damaged);
      fs.poke(checked, left);
      const again = await store().open('r');
      const error = await errorOf(again.lease());
      const line = bytes.subarray(0, at).filter((byte) => byte === 10).length + 1;
      expect([at, error.code, error.details['line']]).toEqual([at, 'JOURNAL_CORRUPT', line]);
      await again.close();
    }
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
