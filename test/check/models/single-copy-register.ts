/** A register in one copy on each server; with one server it is linearizable, with two it is not. */
import { assign, setup } from 'xstate';
import { model, tell, type Model, type ModelState, type NetworkKind, type Operations } from 'troupe/check';
import { registerClient, registerHistory, type RegisterEvent } from './register-client.ts';

const nothing = '\u0000';

const server = setup({
  types: {} as { context: { readonly value: string }; events: RegisterEvent },
  actions: {
    store: assign(({ event }) => (event.type === 'put' ? { value: event.value } : {})),
    answerPut: tell(({ event }) => ({
      to: event.type === 'put' ? `${event.from}` : '',
      event: { type: 'putOk', request: event.request },
    })),
    answerGet: tell(({ context, event }) => ({
      to: event.type === 'get' ? `${event.from}` : '',
      event: { type: 'getOk', request: event.request, value: context.value },
    })),
  },
}).createMachine({
  id: 'server',
  context: { value: nothing },
  on: { put: { actions: ['answerPut', 'store'] }, get: { actions: 'answerGet' } },
});

/** Servers are `0` …, clients count on. */
export function singleCopyRegister(
  servers: number,
  clients: number,
  { puts = 1, network = 'bag' }: { readonly puts?: number; readonly network?: NetworkKind } = {},
): Model<ModelState<Operations>> {
  const ids = Array.from({ length: servers + clients }, (_, id) => id);
  return model({
    name: `single-copy register, ${servers} servers, ${clients} clients`,
    actors: Object.fromEntries(
      ids.map((id) => [
        `${id}`,
        id < servers ? { machine: server } : { machine: registerClient, input: { id, servers, puts } },
      ]),
    ),
    network,
    history: registerHistory(nothing),
    properties: {
      sometimes: {
        valueChosen: (state) =>
          state.messages.some(({ event }) => event.type === 'getOk' && event['value'] !== nothing),
      },
    },
  });
}
