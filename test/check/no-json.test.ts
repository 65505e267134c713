/** What tells states apart is JSON: all else would look the same, and what is merged is never looked at. */
import { describe, expect, test } from 'vitest';
import { assign, setup } from 'xstate';
import { check, model, tell, type History, type View } from 'troupe/check';

const counter = setup({
  types: {} as { context: { readonly n: number }; events: { readonly type: 'add' } },
  guards: { mayAdd: ({ context }) => context.n < 4 },
  actions: {
    add: assign({ n: ({ context }) => context.n + 1 }),
    tell: tell({ to: 'other', event: { type: 'added' } }),
  },
}).createMachine({
  id: 'counter',
  context: { n: 0 },
  initial: 'open',
  states: { open: { on: { add: { guard: 'mayAdd', actions: ['add', 'tell'] } } } },
});
const other = setup({}).createMachine({ id: 'other', initial: 'open', states: { open: { on: { added: {} } } } });
const actors = { counter: { machine: counter, moves: [{ type: 'add' }] }, other };

/** As written in a file that no compiler has read. */
const given = <Wanted>(value: unknown) => value as Wanted;

describe.each<[string, (n: number) => unknown]>([
  ['a Set', (n) => new Set([n])],
  ['a Promise', (n) => Promise.resolve(n)],
  ['a Date', (n) => new Date(n)],
  ['undefined', () => undefined],
])('%s', (what, made) => {
  const message = (where: string) => `NOT_JSON: ${where}: expected JSON, got ${what}`;

  test('as a view', async () => {
    const view = given<View>(({ context }: { readonly context: { readonly n: number } }) => made(context.n));
    const always = { few: () => true };
    await expect(check(model({ actors, view, properties: { always } }))).rejects.toThrow(message('view'));
  });

  test('as a history', async () => {
    const history = given<History>({ initial: 0, delivered: () => made(1), always: { few: () => true } });
    await expect(check(model({ actors, network: 'ordered', history }))).rejects.toThrow(message('history'));
  });
});
