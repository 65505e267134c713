/** Two jugs, a tap, and four gallons to measure (Lamport's DieHard). */
import { assign, setup } from 'xstate';
import { model, type Model, type ModelState } from 'troupe/check';
import { contextOf } from './context-of.ts';

interface Jugs {
  readonly small: number;
  readonly big: number;
}

const jugs = setup({
  types: {} as { input: Jugs; context: Jugs & { readonly smallMax: number; readonly bigMax: number } },
}).createMachine({
  id: 'jugs',
  context: ({ input }) => ({ small: 0, big: 0, smallMax: input.small, bigMax: input.big }),
  on: {
    fillSmall: { actions: assign(({ context }) => ({ small: context.smallMax })) },
    fillBig: { actions: assign(({ context }) => ({ big: context.bigMax })) },
    emptySmall: { actions: assign({ small: 0 }) },
    emptyBig: { actions: assign({ big: 0 }) },
    smallToBig: {
      actions: assign(({ context: { small, big, bigMax } }) => {
        const all = Math.min(small + big, bigMax);
        return { big: all, small: small - (all - big) };
      }),
    },
    bigToSmall: {
      actions: assign(({ context: { small, big, smallMax } }) => {
        const all = Math.min(small + big, smallMax);
        return { small: all, big: big - (all - small) };
      }),
    },
  },
});

/** Jugs of these sizes, and what is to be measured in the big one. */
export function dieHard(small = 3, big = 5, wanted = 4): Model<ModelState> {
  const types = ['fillSmall', 'fillBig', 'emptySmall', 'emptyBig', 'smallToBig', 'bigToSmall'];
  return model({
    name: `die hard, ${small} and ${big}`,
    actors: { jugs: { machine: jugs, input: { small, big }, moves: types.map((type) => ({ type })) } },
    properties: { sometimes: { solved: ({ actors }) => contextOf<Jugs>({ actors }, 'jugs').big === wanted } },
  });
}
