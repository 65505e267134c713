/** A client sends something that the server ignores, and then something that it does not. */
import { enqueueActions, setup } from 'xstate';
import { model, tell, type Model, type ModelState, type NetworkKind } from 'troupe/check';

const client = setup({
  actions: {
    sendBoth: enqueueActions(({ enqueue }) => {
      enqueue(tell({ to: 'server', event: { type: 'ignored' } }));
      enqueue(tell({ to: 'server', event: { type: 'interesting' } }));
    }),
  },
}).createMachine({ id: 'client', entry: 'sendBoth' });

const server = setup({}).createMachine({
  id: 'server',
  initial: 'waiting',
  states: { waiting: { on: { interesting: 'content' } }, content: {} },
});

/** Over this network. */
export function noOp(network: NetworkKind): Model<ModelState> {
  return model({
    name: `no-op on ${network}`,
    actors: { client, server },
    network,
    properties: { sometimes: { content: (state) => state.actors['server']?.value === 'content' } },
  });
}
