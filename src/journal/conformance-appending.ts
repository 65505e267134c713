/** The conformance suite: runs and appending. */
import type { JsonValue } from '../json.ts';
import { again, begin, codeOf, detailsOf, event, readAll, run, type ConformanceKit } from './conformance-kit.ts';

/** Runs are created once and named safely. */
export function runs({ expect, promise }: ConformanceKit): void {
  promise('a run is created once, and opened only when it is there', async ({ store }) => {
    expect(await codeOf(store.open(run))).toEqual('RUN_UNKNOWN');
    await (await store.open(run, { create: true })).close();
    expect(await codeOf(store.open(run, { create: true }))).toEqual('RUN_EXISTS');
    expect(await codeOf(store.open(run))).toEqual('no error');
    expect(await store.list()).toEqual([run]);
  });
  promise('a run id that could lead elsewhere is refused', async ({ store }) => {
    for (const bad of ['', '.', '..', '../r', 'a/b', 'a\\b', '/r', '-r', '.r', 'a\0', 'a b', 'é', 'x'.repeat(129)]) {
      expect([bad, await codeOf(store.open(bad, { create: true }))]).toEqual([bad, 'BAD_INPUT']);
    }
  });
  promise('an empty run reads as nothing', async ({ store }) => {
    expect(await readAll(await store.open(run, { create: true }))).toEqual([]);
  });
}

/** Appends are ordered, whole, and come back as they were. */
export function appending({ expect, promise }: ConformanceKit): void {
  promise('what is appended is returned, and read in the same order with gapless seqs', async (place) => {
    const { journal, epoch } = await begin(place);
    const first = await journal.append('run', 0, epoch, [event('run.created', { a: [1, 'x', null, true, -0.5] })]);
    expect(first).toEqual([
      {
        v: 1,
        stream: 'run',
        seq: 1,
        at: 1_790_000_000_000,
        type: 'run.created',
        data: { a: [1, 'x', null, true, -0.5] },
        epoch,
      },
    ]);
    const second = await journal.append('group:a', 0, epoch, [event('x'), { ...event('y', 2), fold: '1:ab' }]);
    expect(second.map(({ seq, fold }) => [seq, fold])).toEqual([
      [1, undefined],
      [2, '1:ab'],
    ]);
    const third = await journal.append('run', 1, epoch, [event('z')]);
    expect(await readAll(journal)).toEqual([...first, ...second, ...third]);
    expect(await readAll(journal, 'run')).toEqual([...first, ...third]);
    expect(await readAll(journal, 'group:a', 2)).toEqual(second.slice(1));
    expect(await readAll(journal, 'group:b')).toEqual([]);
  });
  promise('a wrong expected seq is SEQ_CONFLICT, tells both, and writes nothing', async (place) => {
    const { journal, epoch } = await begin(place);
    await journal.append('run', 0, epoch, [event('a')]);
    expect(await detailsOf(journal.append('run', 0, epoch, [event('b')]))).toEqual({
      stream: 'run',
      expected: 0,
      actual: 1,
    });
    expect(await codeOf(journal.append('run', 2, epoch, [event('b')]))).toEqual('SEQ_CONFLICT');
    expect(await codeOf(journal.append('other', 1, epoch, [event('b')]))).toEqual('SEQ_CONFLICT');
    expect((await readAll(journal)).map((entry) => entry.type)).toEqual(['a']);
  });
  promise('an append of no events changes nothing', async (place) => {
    const { journal, epoch } = await begin(place);
    expect(await journal.append('run', 0, epoch, [])).toEqual([]);
    expect(await readAll(journal)).toEqual([]);
  });
  promise('an append is whole or not there: one bad event refuses all', async (place) => {
    const { journal, epoch } = await begin(place);
    const bad = { ...event('bad'), data: undefined as unknown as JsonValue };
    expect(await codeOf(journal.append('run', 0, epoch, [event('a'), bad]))).toEqual('NOT_JSON');
    expect(await codeOf(journal.append('run', 0, epoch, [event('a'), event('b', null, Number.NaN)]))).toEqual(
      'BAD_INPUT',
    );
    expect(await codeOf(journal.append('', 0, epoch, [event('a')]))).toEqual('BAD_INPUT');
    await journal.append('run', 0, epoch, [event('c')]);
    expect((await readAll(journal)).map((entry) => entry.type)).toEqual(['c']);
  });
  promise('64 appends waiting together all arrive, each in its place', async (place) => {
    const { journal, epoch } = await begin(place);
    const answers = await Promise.all(
      Array.from({ length: 640 }, (_, index) =>
        journal.append(`group:${index % 8}`, Math.floor(index / 8), epoch, [event('n', index)]),
      ),
    );
    expect(answers.map((entries) => entries[0]?.data)).toEqual(Array.from({ length: 640 }, (_, index) => index));
    expect((await readAll(journal)).map((entry) => entry.data)).toEqual(
      Array.from({ length: 640 }, (_, index) => index),
    );
    expect((await readAll(journal, 'group:3', 79)).map((entry) => [entry.seq, entry.data])).toEqual([
      [79, 627],
      [80, 635],
    ]);
  });
  promise('of 64 that race for one place one wins', async (place) => {
    const { journal, epoch } = await begin(place);
    const codes = await Promise.all(
      Array.from({ length: 64 }, (_, index) => codeOf(journal.append('run', 0, epoch, [event('n', index)]))),
    );
    expect(codes.filter((code) => code === 'no error').length).toEqual(1);
    expect(codes.filter((code) => code === 'SEQ_CONFLICT').length).toEqual(63);
    expect((await readAll(journal)).length).toEqual(1);
  });
  promise('any text and any size up to the bound comes back as it was', async (place) => {
    const { journal, epoch } = await begin(place);
    const texts = [
      '',
      'é',
      '日本語',
      '👩‍👩‍👧',
      '\u0000\u001f\u007f',
      '\u2028\u2029',
      '"\\\n\r\t',
      '\ud800',
      '","crc":"00000000"}',
      '{"more":true}',
      'x'.repeat(2_000_000),
      'ü'.repeat(600_000),
    ];
    for (const [index, text] of texts.entries())
      await journal.append(`s:${text.slice(0, 20) || 'none'}`, 0, epoch, [
        event(`t${text.slice(0, 5)}`, { text, index }),
      ]);
    const entries = await readAll(await again(place));
    expect(entries.map((entry) => entry.data)).toEqual(texts.map((text, index) => ({ text, index })));
    expect(entries.map((entry) => entry.stream)).toEqual(texts.map((text) => `s:${text.slice(0, 20) || 'none'}`));
    const wanted = texts[4] ?? '';
    expect((await readAll(journal, `s:${wanted}`)).map((entry) => entry.data)).toEqual([{ text: wanted, index: 4 }]);
  });
  promise('streams may have names that objects have already', async (place) => {
    const { journal, epoch } = await begin(place);
    for (const stream of ['__proto__', 'constructor', 'toString'])
      await journal.append(stream, 0, epoch, [event('a', stream)]);
    expect((await readAll(journal, 'constructor')).map((entry) => entry.data)).toEqual(['constructor']);
    expect((await readAll(journal)).length).toEqual(3);
  });
  promise('an entry above the bound is ENTRY_TOO_LARGE and writes nothing', async (place) => {
    const { journal, epoch } = await begin(place);
    expect(
      await codeOf(journal.append('run', 0, epoch, [event('a'), event('big', 'x'.repeat(9 * 1024 * 1024))])),
    ).toEqual('ENTRY_TOO_LARGE');
    await journal.append('run', 0, epoch, [event('b')]);
    expect((await readAll(journal)).map((entry) => entry.type)).toEqual(['b']);
  });
  promise('after close everything is HOST_CLOSED', async (place) => {
    const { journal, epoch } = await begin(place);
    const under = journal.append('run', 0, epoch, [event('a')]);
    await journal.close();
    await journal.close();
    expect(await codeOf(under)).toEqual('no error');
    expect(await codeOf(journal.append('run', 1, epoch, [event('b')]))).toEqual('HOST_CLOSED');
    expect(await codeOf(readAll(journal))).toEqual('HOST_CLOSED');
    expect(await codeOf(journal.lease())).toEqual('HOST_CLOSED');
    expect((await readAll(await again(place))).length).toEqual(1);
  });
}
