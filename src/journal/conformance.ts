/**
 * What every journal promises, as a suite that any adapter's author can run (under vitest or anything with the same three functions):
 *
 *     import { describe, expect, it } from 'vitest';
 *     journalConformance({ name: 'mine', open: async () => ({ store, dispose }) }, { describe, it, expect });
 */
import { isTroupeError, type Code } from '../error.ts';
import type { JsonValue } from '../json.ts';
import type { Entry, Journal, JournalEvent, JournalStore } from './port.ts';

/** What the suite needs of a journal. */
export interface ConformanceAdapter {
  readonly name: string;
  /** Makes an empty place for runs. Called once per test. */
  open(): Promise<ConformancePlace>;
}

/** One place for runs, for one test. */
export interface ConformancePlace {
  readonly store: JournalStore;
  /** The same place as another process sees it. Default: the same store. */
  reopen?(): Promise<JournalStore>;
  /** Makes the holder of a run look dead or gone for good, though its journal object still works. Without it two promises are not checked. */
  abandon?(run: string): void;
  dispose?(): Promise<void>;
}

/** The test runner's functions. */
export interface TestApi {
  readonly describe: (name: string, body: () => void) => unknown;
  readonly it: (name: string, body: () => Promise<void>) => unknown;
  readonly expect: (actual: unknown) => { toEqual(expected: unknown): unknown };
}

const run = 'r1';

function event(type: string, data: JsonValue = null, at = 1_790_000_000_000): JournalEvent {
  return { type, at, data };
}

async function readAll(journal: Journal, stream?: string, fromSeq?: number): Promise<readonly Entry[]> {
  const entries: Entry[] = [];
  for await (const batch of journal.read(stream, fromSeq)) for (const entry of batch) entries.push(entry);
  return entries;
}

async function codeOf(work: Promise<unknown>): Promise<Code | 'no error' | 'another error'> {
  try {
    await work;
    return 'no error';
  } catch (error) {
    return isTroupeError(error) ? error.code : 'another error';
  }
}

async function detailsOf(work: Promise<unknown>): Promise<unknown> {
  try {
    await work;
    return undefined;
  } catch (error) {
    return isTroupeError(error) ? error.details : error;
  }
}

/** Declares the suite. */
export function journalConformance(adapter: ConformanceAdapter, { describe, it, expect }: TestApi): void {
  const promise = (name: string, body: (place: ConformancePlace) => Promise<void>): unknown =>
    it(name, async () => {
      const place = await adapter.open();
      try {
        await body(place);
      } finally {
        await place.dispose?.();
      }
    });
  const begin = async (place: ConformancePlace): Promise<{ readonly journal: Journal; readonly epoch: number }> => {
    const journal = await place.store.open(run, { create: true });
    const { epoch } = await journal.lease();
    return { journal, epoch };
  };
  const again = async (place: ConformancePlace): Promise<Journal> =>
    ((await place.reopen?.()) ?? place.store).open(run);

  describe(`journal conformance: ${adapter.name}`, () => {
    describe('runs', () => {
      promise('a run is created once, and opened only when it is there', async ({ store }) => {
        expect(await codeOf(store.open(run))).toEqual('RUN_UNKNOWN');
        await (await store.open(run, { create: true })).close();
        expect(await codeOf(store.open(run, { create: true }))).toEqual('RUN_EXISTS');
        expect(await codeOf(store.open(run))).toEqual('no error');
        expect(await store.list()).toEqual([run]);
      });
      promise('a run id that could lead elsewhere is refused', async ({ store }) => {
        for (const bad of [
          '',
          '.',
          '..',
          '../r',
          'a/b',
          'a\\b',
          '/r',
          '-r',
          '.r',
          'a\0',
          'a b',
          'é',
          'x'.repeat(129),
        ]) {
          expect([bad, await codeOf(store.open(bad, { create: true }))]).toEqual([bad, 'BAD_INPUT']);
        }
      });
      promise('an empty run reads as nothing', async ({ store }) => {
        expect(await readAll(await store.open(run, { create: true }))).toEqual([]);
      });
    });

    describe('appending', () => {
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
        expect((await readAll(journal, `s:${wanted}`)).map((entry) => entry.data)).toEqual([
          { text: wanted, index: 4 },
        ]);
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
    });

    describe('the lease', () => {
      promise('a run has one holder; a second is RUN_BUSY, told who holds it', async (place) => {
        const { journal } = await begin(place);
        const other = await again(place);
        const details = (await detailsOf(other.lease())) as {
          readonly host?: unknown;
          readonly pid?: unknown;
          readonly since?: unknown;
        };
        expect([typeof details.host, typeof details.pid, typeof details.since]).toEqual(['string', 'number', 'number']);
        expect(await codeOf(journal.lease())).toEqual('RUN_BUSY');
        await journal.close();
        expect(await codeOf(other.lease())).toEqual('no error');
      });
      promise('of many that ask at once one gets it', async (place) => {
        await (await place.store.open(run, { create: true })).close();
        const journals = await Promise.all(Array.from({ length: 8 }, () => again(place)));
        const codes = await Promise.all(journals.map((journal) => codeOf(journal.lease())));
        expect(codes.toSorted()).toEqual([...Array.from({ length: 7 }, () => 'RUN_BUSY'), 'no error']);
      });
      promise('the epoch grows with each holder, and appends under another one are refused', async (place) => {
        const { journal, epoch } = await begin(place);
        expect(epoch).toEqual(1);
        expect(await codeOf(journal.append('run', 0, epoch + 1, [event('a')]))).toEqual('EPOCH_STALE');
        await journal.append('run', 0, epoch, [event('b')]);
        await journal.close();
        const other = await again(place);
        expect(await codeOf(other.append('run', 1, epoch, [event('c')]))).toEqual('EPOCH_STALE');
        const lease = await other.lease();
        expect([lease.epoch, lease.takenFrom]).toEqual([2, undefined]);
        expect(await codeOf(other.append('run', 1, epoch, [event('c')]))).toEqual('EPOCH_STALE');
        await other.append('run', 1, lease.epoch, [event('d')]);
        expect((await readAll(other)).map((entry) => [entry.type, entry.epoch])).toEqual([
          ['b', 1],
          ['d', 2],
        ]);
      });
      promise('a released lease can be taken again from the same journal', async (place) => {
        const { journal, epoch } = await begin(place);
        const under = journal.append('run', 0, epoch, [event('a')]);
        await (await journal.append('run', 1, epoch, [event('b')]).then(() => journal)).close();
        await under;
        const other = await again(place);
        const lease = await other.lease();
        await lease.release();
        await lease.release();
        expect(await codeOf(other.append('run', 2, lease.epoch, [event('c')]))).toEqual('EPOCH_STALE');
        const next = await other.lease();
        expect(next.epoch).toEqual(lease.epoch + 1);
        await other.append('run', 2, next.epoch, [event('d')]);
        expect((await readAll(other)).map((entry) => entry.type)).toEqual(['a', 'b', 'd']);
      });
      promise(
        'a dead holder is taken over; what it acknowledged is there, what it appends afterwards is not',
        async (place) => {
          if (place.abandon === undefined) return;
          const { journal, epoch } = await begin(place);
          await journal.append('run', 0, epoch, [event('a')]);
          place.abandon(run);
          const other = await again(place);
          const lease = await other.lease();
          expect([lease.epoch, typeof lease.takenFrom?.pid]).toEqual([2, 'number']);
          expect(await codeOf(journal.append('run', 1, epoch, [event('stale')]))).toEqual('EPOCH_STALE');
          expect(await codeOf(journal.append('run', 1, epoch, [event('stale')]))).toEqual('EPOCH_STALE');
          await other.append('run', 1, lease.epoch, [event('b')]);
          expect(await codeOf(journal.append('run', 2, epoch, [event('stale')]))).toEqual('EPOCH_STALE');
          await other.close();
          await journal.close();
          const third = await again(place);
          expect((await readAll(third)).map((entry) => [entry.seq, entry.type, entry.epoch])).toEqual([
            [1, 'a', 1],
            [2, 'b', 2],
          ]);
          expect((await third.lease()).epoch).toEqual(3);
        },
      );
    });

    describe('reading', () => {
      promise('a reader needs no lease and ends at the end as of now', async (place) => {
        const { journal, epoch } = await begin(place);
        await journal.append('run', 0, epoch, [event('a')]);
        expect((await readAll(await again(place))).map((entry) => entry.type)).toEqual(['a']);
        let seq = 1;
        for await (const batch of journal.read())
          for (const _ of batch) await journal.append('run', seq++, epoch, [event('b')]);
        expect(seq).toEqual(2);
      });
      promise('another process reads what was acknowledged, after a clean end and after none', async (place) => {
        const { journal, epoch } = await begin(place);
        for (let seq = 0; seq < 20; seq++) await journal.append('run', seq, epoch, [event('n', seq)]);
        const before = await readAll(journal);
        expect(await readAll(await again(place))).toEqual(before);
        await journal.close();
        expect(await readAll(await again(place))).toEqual(before);
      });
    });

    describe('snapshots', () => {
      promise('the newest snapshot by the same maker comes back', async (place) => {
        const { journal, epoch } = await begin(place);
        for (let seq = 0; seq < 5; seq++) await journal.append('group:a/ü', seq, epoch, [event('n', seq)]);
        expect(await journal.loadSnapshot('group:a/ü', 'm1')).toEqual(undefined);
        for (const seq of [2, 3, 4])
          expect(await journal.saveSnapshot({ stream: 'group:a/ü', seq, maker: 'm1', data: { seq } })).toEqual(true);
        expect(await journal.loadSnapshot('group:a/ü', 'm1')).toEqual({
          stream: 'group:a/ü',
          seq: 4,
          maker: 'm1',
          data: { seq: 4 },
        });
        expect(await journal.loadSnapshot('group:a', 'm1')).toEqual(undefined);
        expect(journal.notices()).toEqual([]);
        await journal.close();
        expect((await (await again(place)).loadSnapshot('group:a/ü', 'm1'))?.seq).toEqual(4);
      });
      promise('a foreign snapshot and one beyond the log are ignored with a notice', async (place) => {
        const { journal, epoch } = await begin(place);
        await journal.append('run', 0, epoch, [event('a')]);
        await journal.saveSnapshot({ stream: 'run', seq: 1, maker: 'm1', data: 1 });
        expect(await journal.loadSnapshot('run', 'm2')).toEqual(undefined);
        await journal.saveSnapshot({ stream: 'run', seq: 9, maker: 'm1', data: 9 });
        expect((await journal.loadSnapshot('run', 'm1'))?.seq).toEqual(1);
        expect(journal.notices().map((notice) => notice.kind)).toEqual(['snapshot-ignored', 'snapshot-ignored']);
      });
      promise('who holds no lease saves no snapshot', async (place) => {
        const { journal, epoch } = await begin(place);
        await journal.append('run', 0, epoch, [event('a')]);
        expect(await (await again(place)).saveSnapshot({ stream: 'run', seq: 1, maker: 'm1', data: 1 })).toEqual(false);
        expect(await journal.loadSnapshot('run', 'm1')).toEqual(undefined);
      });
    });
  });
}
