/** Random small processes: what they are made of, and a body that does it and notes everything it sees. */
import fc from 'fast-check';
import { assign, setup } from 'xstate';
import { coordinator, type Context, type Invocation, type JsonValue } from 'troupe';
import { fail, later, ok, type Script } from 'troupe/harness';
import { fanOut } from 'troupe/machines';

type Behaviour = 'fail' | 'flaky' | 'ok' | 'slow';

/** A part of a process. Names come from the place in the tree. */
export type Part =
  | { readonly type: 'task'; readonly does: Behaviour }
  | {
      readonly type: 'fanOut';
      readonly members: readonly Behaviour[];
      readonly concurrency: number;
      readonly every: number;
    }
  | { readonly type: 'gate'; readonly values: readonly number[] }
  | { readonly type: 'sleep'; readonly ms: number }
  | { readonly type: 'race'; readonly ms: readonly number[] }
  | { readonly type: 'log' }
  | { readonly type: 'all' | 'sequence'; readonly parts: readonly Part[] }
  | { readonly type: 'map'; readonly parts: readonly Part[]; readonly concurrency: number }
  | { readonly type: 'try'; readonly part: Part };

const behaviour = fc.constantFrom<Behaviour>('ok', 'ok', 'slow', 'flaky', 'fail');

/** A tree of parts, at most three deep. */
export const part: fc.Arbitrary<Part> = fc.letrec<{ part: Part }>((tie) => ({
  part: fc.oneof(
    { maxDepth: 2, depthSize: 'small' },
    fc.record({ type: fc.constant('task'), does: behaviour }),
    fc.record({
      type: fc.constant('fanOut'),
      members: fc.array(behaviour, { maxLength: 4 }),
      concurrency: fc.integer({ min: 1, max: 3 }),
      every: fc.integer({ min: 1, max: 3 }),
    }),
    fc.record({
      type: fc.constant('gate'),
      values: fc.array(fc.integer({ min: 0, max: 9 }), { minLength: 1, maxLength: 3 }),
    }),
    fc.record({ type: fc.constant('sleep'), ms: fc.integer({ min: -10, max: 200 }) }),
    fc.record({
      type: fc.constant('race'),
      ms: fc.array(fc.integer({ min: 0, max: 100 }), { minLength: 2, maxLength: 3 }),
    }),
    fc.record({ type: fc.constant('log') }),
    fc.record({
      type: fc.constantFrom('all', 'sequence'),
      parts: fc.array(tie('part'), { minLength: 1, maxLength: 3 }),
    }),
    fc.record({
      type: fc.constant('map'),
      parts: fc.array(tie('part'), { minLength: 1, maxLength: 3 }),
      concurrency: fc.integer({ min: 1, max: 2 }),
    }),
    fc.record({ type: fc.constant('try'), part: tie('part') }),
  ) as fc.Arbitrary<Part>,
})).part;

/** Performs what {@link invocation} asks for. */
export const script: Script = {
  '*': ({ invocation, attempt, group, member }) => {
    const [does, ms] = (invocation.prompt ?? '').split(' ');
    if (does === 'slow') return later(Number(ms), ok(`${group}/${member}`));
    if (does === 'fail' || (does === 'flaky' && attempt === 1)) return fail('failed', `${group}/${member} failed`);
    return ok(`${group}/${member}`);
  },
};

function invocation(does: Behaviour, ms = 30): Invocation {
  if (does === 'slow') return { prompt: `slow ${ms}` };
  return does === 'flaky' ? { prompt: does, retry: { attempts: 2, minMs: 50 } } : { prompt: does };
}

/** Ends when it has heard so many values, and says which, in order. */
const gate = coordinator(
  setup({
    types: {} as {
      input: { readonly count: number };
      context: { readonly count: number; readonly heard: readonly number[] };
      events: { readonly type: 'value'; readonly value: number };
      output: { readonly heard: readonly number[] };
    },
    guards: { isFull: ({ context }) => context.heard.length >= context.count },
    actions: {
      note: assign({ heard: ({ context, event }) => [...context.heard, event.value] }),
    },
  }).createMachine({
    id: 'gate',
    context: ({ input }) => ({ count: input.count, heard: [] }),
    initial: 'open',
    states: {
      open: { always: { guard: 'isFull', target: 'full' }, on: { value: { actions: 'note' } } },
      full: { type: 'final' },
    },
    output: ({ context }) => ({ heard: context.heard }),
  }),
);

const messageOf = (error: unknown) => (error instanceof Error ? error.message : String(error));

/** Does `part` under `name`; `note` is told everything the process sees, with the time it sees it at. */
export async function perform(
  ctx: Context,
  part: Part,
  name: string,
  note: (text: string) => void,
): Promise<JsonValue> {
  const saw = (what: unknown) => note(`${name}@${ctx.now()} ${JSON.stringify(what)}`);
  const child = (index: number, one: Part) => perform(ctx, one, `${name}.${index}`, note);
  switch (part.type) {
    case 'task': {
      try {
        const output = await ctx.task(name, invocation(part.does));
        saw(output);
        return output;
      } catch (error) {
        saw(messageOf(error));
        throw error;
      }
    }
    case 'fanOut': {
      const members = part.members.map((does, index) => ({ id: `m${index}`, ...invocation(does, 10 * (index + 1)) }));
      const group = ctx.group(name, fanOut, { members, concurrency: part.concurrency, checkpointEvery: part.every });
      const checkpoints: JsonValue[] = [];
      for await (const { name: label, settled, total } of group.checkpoints) {
        checkpoints.push([label, settled, total]);
        saw(label);
      }
      const { results, failed } = await group.output;
      saw(results.length);
      return { results: results.map(({ output }) => output), failed: failed.map(({ id }) => id), checkpoints };
    }
    case 'gate': {
      const group = ctx.group(name, gate, { count: part.values.length });
      const sent = part.values.map((value, index) =>
        group.send({ type: 'value', value } as { type: string }, { id: `v${index}` }),
      );
      await sent[0];
      saw('sent');
      const { heard } = await group.output;
      saw(heard);
      return [...heard];
    }
    case 'sleep': {
      await ctx.sleepUntil(ctx.now() + part.ms);
      saw('woke');
      return null;
    }
    case 'race': {
      const winner = await Promise.race(
        part.ms.map((ms, index) => ctx.task(`${name}.${index}`, invocation('slow', ms))),
      );
      // Who wins is seen, and is the same in each iteration; another host may have had another winner from the start.
      saw(winner);
      return null;
    }
    case 'log': {
      ctx.log(`${name} was here`, { at: name });
      return null;
    }
    case 'all':
      return [...(await ctx.parallel.all(part.parts.map((one, index) => () => child(index, one))))] as JsonValue;
    case 'map':
      return ctx.parallel.map(part.parts, (one, index) => child(index, one), { concurrency: part.concurrency });
    case 'sequence': {
      const outputs: JsonValue[] = [];
      for (const [index, one] of part.parts.entries()) outputs.push(await child(index, one));
      return outputs;
    }
    case 'try': {
      try {
        return await child(0, part.part);
      } catch (error) {
        return { caught: messageOf(error) };
      }
    }
  }
}
