/** Places of a group, a harness and the host: never exceeded, always filled, and given in order. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Harness, Outcome } from 'troupe';
import { ok } from 'troupe/harness';
import { dispatcher, type Dispatcher, type Job } from '../../src/group/dispatcher.ts';
import { noDoor, noMailbox } from '../support/no-mailbox.ts';
import { handClock, settle, type HandClock } from '../support/hand-clock.ts';

interface World {
  readonly jobs: Dispatcher;
  readonly running: Map<string, (outcome: Outcome) => void>;
  readonly started: string[];
  readonly queued: string[];
  readonly ended: string[];
  /** Who is not to start any more when there is a place. */
  readonly refused: Set<string>;
  add(name: string, group: string, harness: string, groupConcurrency?: number): void;
}

function world(
  concurrency: number,
  harnessConcurrency: Readonly<Record<string, number>> = {},
  { clock = handClock(), ratePerMinute }: { readonly clock?: HandClock; readonly ratePerMinute?: number } = {},
): World {
  const running = new Map<string, (outcome: Outcome) => void>();
  const started: string[] = [];
  const queued: string[] = [];
  const ended: string[] = [];
  const refused = new Set<string>();
  const harnesses = new Map<string, Harness>();
  const harnessOf = (name: string): Harness => {
    const known = harnesses.get(name);
    if (known !== undefined) return known;
    const limit = harnessConcurrency[name];
    const harness: Harness = {
      ...(limit === undefined ? {} : { concurrency: limit }),
      ...(ratePerMinute === undefined ? {} : { ratePerMinute }),
      perform: ({ key }) =>
        new Promise((resolve) => {
          started.push(key);
          running.set(key, (outcome) => {
            running.delete(key);
            resolve(outcome);
          });
        }),
    };
    harnesses.set(name, harness);
    return harness;
  };
  const jobs = dispatcher({ run: 'run', concurrency, clock });
  return {
    jobs,
    running,
    started,
    queued,
    ended,
    refused,
    add(name, group, harness, groupConcurrency = 1_000) {
      const job: Job = {
        group,
        member: name,
        incarnation: 1,
        attempt: 1,
        key: name,
        invocation: {},
        harnessName: harness,
        harness: harnessOf(harness),
        groupConcurrency,
        reattach: false,
        prepare: undefined,
        outputFile: async () => undefined,
        mayStart: () => !refused.has(name),
        queued: () => void queued.push(name),
        started: (durable) => queueMicrotask(durable),
        progress: () => {},
        mailbox: () => noMailbox,
        door: () => noDoor,
        ended: (_outcome, ending) => void ended.push(ending === undefined ? name : `${name} ${ending.type}`),
      };
      jobs.add(job);
    },
  };
}

test('one that waited is asked about when it has a place, and leaves that to the next when it is not to start', async () => {
  const { jobs, running, started, refused, add } = world(1);
  add('a', 'g', 'h');
  add('b', 'g', 'h');
  add('c', 'other', 'h');
  expect(jobs.load('h')).toBe(3);
  refused.add('b');
  await settle(3);
  running.get('a')?.(ok());
  await settle(3);
  expect(started).toEqual(['a', 'c']);
  expect(jobs.load('h')).toBe(1);
  expect(jobs.drop('b', { type: 'dropped', reason: 'test' })).toBe(false);
  expect(jobs.load('h')).toBe(1);
});

describe('places', () => {
  test('are never exceeded and always filled, whatever comes, ends or is dropped', async () => {
    const groups = { g1: 1, g2: 2, g3: 5 } as const;
    const harnesses = { h1: 1, h2: 3 } as const;
    const step = fc.oneof(
      fc.record({
        do: fc.constant('add' as const),
        group: fc.constantFrom('g1', 'g2', 'g3'),
        harness: fc.constantFrom('h1', 'h2', 'free'),
      }),
      fc.record({ do: fc.constantFrom('end' as const, 'drop' as const), pick: fc.nat() }),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 40 }), async (steps) => {
        const { jobs, running, started, add } = world(4, harnesses);
        const open = new Map<string, { readonly group: keyof typeof groups; readonly harness: string }>();
        const count = (of: (one: { group: string; harness: string }) => boolean) =>
          [...running.keys()].filter((key) => of(open.get(key) as { group: string; harness: string })).length;
        let number = 0;
        for (const one of steps) {
          if (one.do === 'add') {
            number += 1;
            const name = `${number}`;
            open.set(name, { group: one.group as keyof typeof groups, harness: one.harness });
            add(name, one.group, one.harness, groups[one.group as keyof typeof groups]);
          } else {
            const candidates =
              one.do === 'end' ? [...running.keys()] : [...open.keys()].filter((key) => !started.includes(key));
            const name = candidates[one.pick % Math.max(1, candidates.length)];
            if (name === undefined) continue;
            if (one.do === 'end') running.get(name)?.(ok());
            else expect(jobs.drop(name, { type: 'dropped', reason: 'test' })).toBe(false);
            open.delete(name);
          }
          await settle(3);
          expect(running.size).toBeLessThanOrEqual(4);
          for (const [group, limit] of Object.entries(groups))
            expect(count((job) => job.group === group)).toBeLessThanOrEqual(limit);
          for (const [harness, limit] of Object.entries(harnesses))
            expect(count((job) => job.harness === harness)).toBeLessThanOrEqual(limit);
          for (const [name, { group, harness }] of open) {
            if (started.includes(name)) continue;
            const isFull =
              running.size === 4 ||
              count((job) => job.group === group) === groups[group] ||
              count((job) => job.harness === harness) ===
                ((harnesses as Record<string, number>)[harness] ?? Number.POSITIVE_INFINITY);
            expect(isFull, `${name} waits although there is a place`).toBe(true);
          }
        }
      }),
      { numRuns: 100 },
    );
  });

  test('go to the members of one group and harness in the order in which they asked', async () => {
    const { running, started, add } = world(2);
    for (let number = 1; number <= 20; number += 1) add(`${number}`, 'g', 'h');
    for (let turn = 0; turn < 20; turn += 1) {
      await settle(3);
      running.get([...running.keys()][0] ?? '')?.(ok());
    }
    expect(started).toEqual(Array.from({ length: 20 }, (_, index) => `${index + 1}`));
  });

  test('go to the groups in turn: a long line does not hold up a short one', async () => {
    const { running, started, add } = world(1);
    for (let number = 1; number <= 5; number += 1) add(`long ${number}`, 'long', 'h');
    for (let number = 1; number <= 2; number += 1) add(`short ${number}`, 'short', 'h');
    for (let turn = 0; turn < 7; turn += 1) {
      await settle(3);
      running.get([...running.keys()][0] ?? '')?.(ok());
    }
    expect(started).toEqual(['long 1', 'long 2', 'short 1', 'long 3', 'short 2', 'long 4', 'long 5']);
  });
});

test('what waits is told so once, what starts at once is not', async () => {
  const { queued, add } = world(1);
  add('first', 'g', 'h');
  add('second', 'g', 'h');
  expect(queued).toEqual(['second']);
});

test('a paused dispatcher starts nothing, and is idle when what was under way has ended', async () => {
  const { jobs, running, started, add } = world(1);
  add('first', 'g', 'h');
  add('second', 'g', 'h');
  await settle(3);
  jobs.pause();
  let isIdle = false;
  void jobs.idle().then(() => {
    isIdle = true;
  });
  await settle(3);
  expect(isIdle).toBe(false);
  running.get('first')?.(ok());
  await settle(3);
  expect(isIdle).toBe(true);
  expect(started).toEqual(['first']);
});

test('a rate is kept by what began in the last minute: a clock that is set back makes nobody wait for as long', async () => {
  const clock = handClock(10_000_000);
  const { jobs, add, started } = world(10, {}, { clock, ratePerMinute: 2 });
  add('a', 'group', 'x');
  add('b', 'group', 'x');
  await settle();
  clock.setNow(6_400_000);
  for (const name of ['c', 'd', 'e']) add(name, 'group', 'x');
  await settle();
  expect(started).toEqual(['a', 'b', 'c', 'd']);
  clock.advance(60_000);
  await settle();
  expect(started).toEqual(['a', 'b', 'c', 'd', 'e']);
  jobs.pause();
});
