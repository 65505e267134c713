/** Random schedules: by the names of events, made smaller together with all that they caused, and replayed from one token. */
import * as fc from 'fast-check';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { verifyRun } from 'troupe';
import {
  arbitraries,
  assertSchedules,
  check,
  fail,
  ok,
  outcomes,
  protocol,
  randomSchedules,
  replay,
  type InputSchema,
} from 'troupe/check';
import { memoryStore } from 'troupe/journal';
import { fanOut, type FanOutInput } from 'troupe/machines';
import { effectGroupProtocol } from './models/effect-group.ts';
import { collectorMutants } from './mutants/collectors.ts';
import { keyMutants } from './mutants/keys.ts';
import { sequenceMutants } from './mutants/sequences.ts';
import { timeMutants } from './mutants/time.ts';
import { waitMutants } from './mutants/waits.ts';
import { paxos } from './models/paxos.ts';

afterEach(() => {
  vi.unstubAllEnvs();
});

/** Completed although a member had to be asked twice: meant to be found. */
const seldom = (count = 3) =>
  effectGroupProtocol(count, {
    faults: { hostCrash: 1, duplicate: 1, late: 1, memberCrash: 1 },
    properties: { always: { neverAfterARetry: (s) => !(s.status === 'completed' && s.context.retried) } },
  });

function failureOf(work: () => unknown): Error {
  try {
    work();
  } catch (error) {
    return error as Error;
  }
  throw new Error('it holds');
}
const tokenIn = ({ message }: Error) => /token: (\S+)/.exec(message)?.[1] ?? '';

describe('schedules', () => {
  test('can happen, and are the same for the same seed', () => {
    const some = [...randomSchedules(effectGroupProtocol(3), { runs: 30, seed: 7 })];
    expect(new Set(some.map(({ token }) => token)).size).toBeGreaterThan(25);
    for (const schedule of some) {
      const again = replay(effectGroupProtocol(3), schedule.token);
      expect(again.schedule).toEqual(schedule);
      expect(again.violation).toBeUndefined();
    }
    expect([...randomSchedules(effectGroupProtocol(3), { runs: 30, seed: 7 })]).toEqual(some);
    expect([...randomSchedules(effectGroupProtocol(3), { runs: 30, seed: 8 })]).not.toEqual(some);
  });

  test('are the same for the same seed, whatever the model was gone through for before', () => {
    const used = paxos(3, 2);
    const seedOf = (seed: number, of = used) => [...randomSchedules(of, { runs: 20, seed })];
    expect(seedOf(1)).toHaveLength(20);
    expect(seedOf(2)).toEqual(seedOf(2, paxos(3, 2)));
  });

  test('say what happens by name: they mean the same where more can happen besides', () => {
    const small = effectGroupProtocol(2, { faults: { duplicate: 1 } });
    const large = effectGroupProtocol(2, {
      faults: { hostCrash: 2, memberCrash: 1, duplicate: 3, drop: 1, late: 1 },
      members: { '*': outcomes(fail('crashed'), fail(), ok()) },
      messages: [{ type: 'hello' }],
      cancel: true,
    });
    for (const { token } of randomSchedules(small, { runs: 40 })) {
      const [one, other] = [replay(small, token), replay(large, token)];
      expect(other.schedule).toEqual(one.schedule);
      expect(other.diagram).toBe(one.diagram);
    }
  });

  test('tell apart what has one name: two late results of a member that say the same', () => {
    const model = effectGroupProtocol(1, {
      faults: { hostCrash: 2, late: 2 },
      members: { '*': outcomes(fail('crashed')) },
    });
    const told = (token: string) => /\(attempt (\d)\), late/.exec(replay(model, token).diagram)?.[1];
    const firsts = new Set([...randomSchedules(model, { runs: 400 })].map(({ token }) => told(token)));
    expect(firsts).toEqual(new Set([undefined, '1', '2']));
  });

  test('of networks of machines, too', () => {
    const model = paxos(3, 2);
    const tried = assertSchedules(model, { runs: 20, eventsMax: 200 });
    expect(tried.runs).toBe(20);
    expect(tried.events).toBeGreaterThan(200);
  });

  test('reach what the whole search reaches', async () => {
    const model = effectGroupProtocol(2);
    expect((await check(model)).verdict).toBe('verified');
    expect([...assertSchedules(model).met].sort()).toEqual(['finishes', 'givesUp']);
  });

  test('a token of another model, or of what it can no longer do, is refused in words', () => {
    const [schedule] = [...randomSchedules(effectGroupProtocol(2), { runs: 1 })];
    expect(() => replay(effectGroupProtocol(3), schedule?.token ?? '')).toThrow(/BAD_INPUT.*`effect group of 3`/);
    const { token } = replay(seldom(), tokenIn(failureOf(() => assertSchedules(seldom())))).schedule;
    const without = effectGroupProtocol(3, { members: { '*': outcomes(ok()) } });
    expect(() => replay(without, token)).toThrow(/BAD_INPUT.*event \d+ of the schedule cannot happen.*What could: /);
    expect(() => replay(without, 'x')).toThrow(/BAD_INPUT/);
    expect(() => assertSchedules(without, { runs: 0 })).toThrow(/BAD_INPUT.*runs >= 1/);
  });
});

describe('a failure', () => {
  test('is drawn, with as few events as are needed, its token, and one command', () => {
    const error = failureOf(() => assertSchedules(seldom(), { seed: 3 }));
    expect(error.message).toMatch(/^effect group of 3: `neverAfterARetry` does not hold after 8 steps/);
    expect(error.message).toMatch(/in run \d+ of seed 3/);
    expect(error.message).toContain('●◀───');
    expect(error.message).toContain(`replay it: TROUPE_SCHEDULE=${tokenIn(error)} npx vitest run`);
    const again = replay(seldom(), tokenIn(error));
    expect(again.violation).toMatchObject({ property: 'neverAfterARetry', kind: 'always' });
    expect(error.message).toContain(again.diagram);
  });

  test('is the only one that is run when its token is in the environment; other models do not mind', () => {
    const token = tokenIn(failureOf(() => assertSchedules(seldom())));
    vi.stubEnv('TROUPE_SCHEDULE', token);
    expect(failureOf(() => assertSchedules(seldom(), { runs: 1, seed: 99 })).message).toContain(token);
    expect(assertSchedules(effectGroupProtocol(2), { runs: 5 }).runs).toBe(5);
  });

  test('holds nothing that could be left out: whatever else goes with it, it no longer fails', () => {
    const model = seldom();
    const { schedule } = replay(model, tokenIn(failureOf(() => assertSchedules(model))));
    const smaller = [...arbitraries(fc).schedules(model).shrink(schedule, undefined)];
    expect(smaller.length).toBeGreaterThan(schedule.events.length);
    for (const { value } of smaller) {
      expect(value.events.length).toBeLessThan(schedule.events.length);
      expect(replay(model, value).violation).toBeUndefined();
    }
  });
});

describe('with fast-check', () => {
  test('a property of schedules is made smaller as far as it goes', () => {
    const model = seldom(2);
    const property = fc.property(arbitraries(fc).schedules(model), (schedule) => {
      expect(replay(model, schedule).violation).toBeUndefined();
    });
    const { failed, counterexample } = fc.check(property, { seed: 1, numRuns: 500 });
    expect(failed).toBe(true);
    // As long as the shortest that a search of everything finds.
    expect(counterexample?.[0].events).toHaveLength(7);
    expect(replay(seldom(2), counterexample?.[0].token ?? '').violation?.property).toBe('neverAfterARetry');
  });

  test('an event goes together with what it caused: no smaller schedule has a result without its end', () => {
    const model = effectGroupProtocol(3);
    const all = arbitraries(fc).schedules(model, { eventsMax: 30 });
    const property = fc.property(all, (schedule) => {
      for (const { value } of all.shrink(schedule, undefined)) {
        const told = new Map<string, number>();
        for (const id of value.events) {
          const [what = '', who = ''] = id.split(':');
          if (what === 'ended') told.set(who, (told.get(who) ?? 0) + 1);
          if (what === 'settled-again') told.set(who, (told.get(who) ?? 0) + 1);
          if (!what.startsWith('settled')) continue;
          expect(told.get(who)).toBeGreaterThan(0);
          told.set(who, (told.get(who) ?? 0) - 1);
        }
        expect(replay(model, value).schedule).toEqual(value);
      }
    });
    fc.assert(property, { numRuns: 30, seed: 5 });
  });

  test('and what it did not cause stays', () => {
    const model = effectGroupProtocol(3, { faults: {}, timers: 'none', members: { '*': outcomes(ok()) } });
    const { schedules } = arbitraries(fc);
    for (const { token } of randomSchedules(model, { runs: 20, seed: 4 })) {
      const { schedule } = replay(model, token);
      const others = schedule.events.filter((id) => !id.includes(':m1:'));
      const smaller = [...schedules(model).shrink(schedule, undefined)].map(({ value }) => value.events);
      expect(smaller).toContainEqual(others);
    }
  });

  test('journals are what a host writes: they fold, with every digest that is stamped', async () => {
    const model = effectGroupProtocol(3, { faults: { hostCrash: 1, duplicate: 1, late: 1 } });
    const types = new Set<string>();
    await fc.assert(
      fc.asyncProperty(arbitraries(fc).journals(model), async (recorded) => {
        const store = memoryStore();
        const journal = await store.open('again', { create: true });
        let { epoch } = await journal.lease();
        const heads = new Map<string, number>();
        for (const { v: _v, stream, seq, epoch: wrote, ...event } of await recorded.entries()) {
          for (; epoch < wrote; epoch += 1) expect(event.type).toBe('epoch.taken');
          const head = heads.get(stream) ?? 0;
          expect(seq).toBe(head + 1);
          await journal.append(stream, head, 1, [event]);
          heads.set(stream, seq);
          types.add(event.type);
        }
        await journal.close();
        const proof = await verifyRun({ store, run: 'again', process: model });
        expect(proof.groups).toMatchObject([{ name: model.name, booked: 0 }]);
      }),
      { numRuns: 40, seed: 11 },
    );
    for (const type of ['group.ended', 'member.settled', 'attempt.failed', 'check.fault', 'timer.fired'])
      expect(types).toContain(type);
    for (const type of ['check.violated', 'check.properties']) expect(types).not.toContain(type);
  });

  test('inputs look as their schema says', () => {
    const { inputs } = arbitraries(fc);
    const schema = {
      type: 'object',
      properties: {
        members: {
          type: 'array',
          items: { type: 'object', properties: { id: { type: 'string', pattern: '^[a-z]{1,8}$' } }, required: ['id'] },
          minItems: 1,
          maxItems: 5,
          uniqueItems: true,
        },
        concurrency: { type: 'integer', minimum: 1, maximum: 4 },
        policy: { enum: ['best-effort', 'fail-fast'] },
      },
      required: ['members'],
    } as const;
    fc.assert(
      fc.property(inputs(schema), (input) => {
        const { members, concurrency, policy } = input as unknown as FanOutInput;
        expect(members.length).toBeGreaterThan(0);
        expect(members.length).toBeLessThanOrEqual(5);
        expect(new Set(members.map(({ id }) => id)).size).toBe(members.length);
        for (const { id } of members) expect(id).toMatch(/^[a-z]{1,8}$/);
        expect([undefined, 1, 2, 3, 4]).toContain(concurrency);
        expect([undefined, 'best-effort', 'fail-fast']).toContain(policy);
        // The machine that it is an input of takes it, and comes to an end.
        const model = protocol({ coordinator: fanOut, input: input as unknown as FanOutInput });
        assertSchedules(model, { runs: 2 });
      }),
      { seed: 3, numRuns: 50 },
    );
    const other = {
      anyOf: [{ const: 1 }, { type: 'boolean' }, { type: 'null' }, { type: 'number', minimum: 2 }, {}],
    } as const;
    const found = fc.sample(inputs(other), { numRuns: 200, seed: 1 });
    expect(found.some((one) => one === 1) && found.includes(true) && found.includes(null)).toBe(true);
    expect(() => inputs({ minItems: 1 })).toThrow(/BAD_INPUT.*schema.*`type`/);
  });

  test('inputs keep to each word of their schema', () => {
    const { inputs } = arbitraries(fc);
    const drawn = (schema: InputSchema) => fc.sample(inputs(schema), { numRuns: 100, seed: 1 });
    for (const at of drawn({ type: 'integer', minimum: 1_700_000_000_000 }))
      expect(at).toBeGreaterThan(1_699_999_999_999);
    for (const debt of drawn({ type: 'integer', maximum: -3e9 })) expect(debt).toBeLessThanOrEqual(-3e9);
    for (const few of drawn({ type: 'integer', minimum: 0.5, maximum: 3.5 })) expect([1, 2, 3]).toContain(few);
    for (const name of drawn({ type: 'string', pattern: '^[a-z]*$', minLength: 2, maxLength: 4 }))
      expect(name).toMatch(/^[a-z]{2,4}$/);
    for (const one of drawn({ type: 'object', properties: { a: { type: 'null' } }, required: ['a', 'b'] }))
      expect(Object.keys(one as object).sort()).toEqual(['a', 'b']);
  });

  test('faults are budgets that a protocol takes', () => {
    fc.assert(
      fc.property(arbitraries(fc).faults({ each: 2 }), (faults) => {
        assertSchedules(effectGroupProtocol(2, { faults }), { runs: 3 });
      }),
      { seed: 2, numRuns: 40 },
    );
  });
});

/** Those that one way can show: the others ask about all ways. */
const onOneWay = [...collectorMutants, ...sequenceMutants, ...keyMutants, ...timeMutants, ...waitMutants].filter(
  ({ foundBy }) => !foundBy.startsWith('can'),
);

test('seeded bugs are found at random, too, and shrunk to about the fewest steps', () => {
  const longer = onOneWay.map(({ name, steps, mutant }) => {
    const { message } = failureOf(() => assertSchedules(mutant, { runs: 2_000 }));
    return { name, longer: Number(/ after (\d+) steps \(/.exec(message)?.[1]) - steps };
  });
  expect(longer.length).toBeGreaterThan(30);
  expect(longer.filter((one) => !(one.longer <= 3))).toEqual([]);
  expect(longer.filter((one) => one.longer === 0).length).toBeGreaterThan(longer.length * 0.8);
});
