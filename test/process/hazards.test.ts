/** What other orchestrators get wrong when their function runs again: swapped, lost and faked results (H1, H2, H7–H10). */
import { describe, expect, test } from 'vitest';
import { defineProcess, iterate, verifyRun, type Context, type JsonValue, type Pending } from 'troupe';
import { fail, ok } from 'troupe/harness';
import { entriesOf, memoryStore } from '../support/dying-store.ts';
import { handClock } from '../support/hand-clock.ts';
import { finished, killed, stage } from '../support/running.ts';

const say = (text: string) => ({ prompt: text });
/** Answers with its own name, so that a result in a wrong place shows. */
const echo = {
  '*': ({ group }: { readonly group: string }) =>
    group.startsWith('bad') ? fail('failed', `${group} failed`) : ok(group.toUpperCase()),
};
const messageOf = (error: unknown) => (error instanceof Error ? error.message : String(error));
/** Without what a path or a stack adds. */
const failureOf = (name: string) => `GROUP_FAILED: group \`${name}\` failed: ${name} failed`;

interface Hazard {
  readonly name: string;
  readonly body: (ctx: Context) => Promise<unknown>;
  readonly output: JsonValue;
}

let reorderings = 0;

const hazards: readonly Hazard[] = [
  {
    name: 'H1: branches that advance unevenly keep their results apart',
    body: async (ctx) => {
      const branch = async (id: string, steps: number) => {
        const results: JsonValue[] = [];
        for (let step = 1; step <= steps; step += 1) results.push(await ctx.task(`${id}${step}`, say(id)));
        return results;
      };
      return ctx.parallel.all([() => branch('a', 1), () => branch('b', 3), branch('c', 2)]);
    },
    output: [['A1'], ['B1', 'B2', 'B3'], ['C1', 'C2']],
  },
  {
    name: 'H2: items in another order in the next iteration keep their own results',
    body: async (ctx) => {
      reorderings += 1;
      const items = ['a', 'b', 'c', 'd'];
      const inThisOrder = [...items.slice(reorderings % 4), ...items.slice(0, reorderings % 4)];
      const results = await ctx.parallel.map(
        inThisOrder,
        async (item) => [item, await ctx.task(item, say(item))] as const,
      );
      return Object.fromEntries(results.toSorted(([one], [other]) => one.localeCompare(other)));
    },
    output: { a: 'A', b: 'B', c: 'C', d: 'D' },
  },
  {
    name: 'H7: try/catch around a pending call swallows nothing',
    body: async (ctx) =>
      ctx.parallel.map(['a', 'bad', 'b'], async (item) => {
        try {
          return await ctx.task(item, say(item));
        } catch (error) {
          return messageOf(error);
        }
      }),
    output: ['A', failureOf('bad'), 'B'],
  },
  {
    name: 'H8: undefined results keep their places',
    body: async (ctx) => {
      const results = await ctx.parallel.map(
        ['a', 'b', 'c', 'd', 'e'],
        async (item) => {
          const output = await ctx.task(item, say(item));
          return item === 'b' || item === 'd' ? undefined : output;
        },
        { concurrency: 2 },
      );
      return results.map((result) => result ?? null);
    },
    output: ['A', null, 'C', null, 'E'],
  },
  {
    name: 'H9: when a sibling fails all end, and the first failure in the order of the items is thrown',
    body: async (ctx) => {
      const ended: string[] = [];
      const run = async (item: string) => {
        try {
          return await ctx.task(item, say(item));
        } finally {
          ended.push(item);
        }
      };
      try {
        await ctx.parallel.all([run('a'), run('bad2'), run('b'), run('bad1')]);
      } catch (error) {
        return { thrown: messageOf(error), ended: ended.toSorted() };
      }
      return 'nothing was thrown';
    },
    output: { thrown: failureOf('bad2'), ended: ['a', 'b', 'bad1', 'bad2'] },
  },
  {
    name: 'H10: plain Promise.all works as anywhere else',
    body: async (ctx) => Promise.all([ctx.task('a', say('a')), ctx.task('b', say('b')), ctx.task('c', say('c'))]),
    output: ['A', 'B', 'C'],
  },
];

const settledIn = async (store: ReturnType<typeof memoryStore>) =>
  (await entriesOf(store))
    .filter(({ type }) => type === 'member.settled')
    .map(({ stream }) => stream)
    .toSorted();

describe.each(hazards)('$name', ({ body, output }) => {
  const process = defineProcess('hazard', body);

  test('driven, and killed at every append', async () => {
    const undisturbed = stage(process, echo);
    expect(await finished(undisturbed)).toEqual({ status: 'completed', output });
    const invocations = await settledIn(undisturbed.store);

    for (const isWritten of [false, true]) {
      let hosts = 0;
      for (let atAppend = 1; ; atAppend += 1) {
        const disturbed = stage(process, echo);
        const end = await killed(disturbed, { atAppend, isWritten });
        if (end !== undefined) break;
        hosts += 1;
        expect(await finished(disturbed)).toEqual({ status: 'completed', output });
        expect(await settledIn(disturbed.store)).toEqual(invocations);
        await verifyRun({ store: disturbed.store, run: 'run', process });
      }
      expect(hosts).toBeGreaterThan(5);
    }
  });

  test('driven, and killed again and again, one append further each time', async () => {
    const disturbed = stage(process, echo);
    let end = undefined;
    // Each host lives for one append more than the one before.
    for (let host = 0; end === undefined && host < 100; host += 1)
      end = await killed(disturbed, { atAppend: 3 + host, isWritten: host % 2 === 0 });
    expect(end).toEqual({ status: 'completed', output });
    expect(new Set(await settledIn(disturbed.store)).size).toBe((await settledIn(disturbed.store)).length);
  });

  test('iterated, with one settlement at a time, in every order', async () => {
    const orders = new Set<string>();
    /** Settles, at each step, the pending member that `choices` says (else the first); returns how many there were. */
    const iterated = async (choices: readonly number[]): Promise<readonly number[]> => {
      const store = memoryStore();
      const options = { store, process, run: 'run', harnesses: {}, clock: handClock() };
      let result = await iterate(options);
      const order: string[] = [];
      const widths: number[] = [];
      while (result.status === 'waiting') {
        const members = result.pending.filter(
          (one): one is Extract<Pending, { type: 'member' }> => one.type === 'member',
        );
        expect(members.length).toBe(result.pending.length);
        const { group, member } = members[choices[order.length] ?? 0] as (typeof members)[number];
        order.push(group);
        widths.push(members.length);
        result = await iterate({ ...options, settlements: [{ group, member, outcome: echo['*']({ group }) }] });
      }
      expect(result).toEqual({ status: 'completed', output });
      orders.add(order.join(' '));
      return widths;
    };
    for (let choices: readonly number[] | undefined = []; choices !== undefined;) {
      const widths: readonly number[] = await iterated(choices);
      const chosen: readonly number[] = widths.map((_, step) => choices?.[step] ?? 0);
      const last = chosen.findLastIndex((choice, step) => choice + 1 < (widths[step] ?? 0));
      choices = last === -1 ? undefined : [...chosen.slice(0, last), (chosen[last] ?? 0) + 1];
    }
    expect(orders.size).toBeGreaterThan(1);
  });
});
