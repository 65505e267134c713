/** A client of a register: puts, then gets, one after the other; and how its messages are operations for linearizability. */
import { assign, setup } from 'xstate';
import { linearizable, register, tell, type Envelope, type History, type Operations } from 'troupe/check';

/** What clients and servers send. */
export type RegisterEvent =
  | { readonly type: 'put'; readonly from: number; readonly request: number; readonly value: string }
  | { readonly type: 'get'; readonly from: number; readonly request: number }
  | { readonly type: 'putOk'; readonly request: number }
  | { readonly type: 'getOk'; readonly request: number; readonly value: string };

/** Of client `id`, which counts on after the servers. */
export interface ClientInput {
  readonly id: number;
  readonly servers: number;
  readonly puts: number;
}

/** The client. */
export const registerClient = setup({
  types: {} as {
    input: ClientInput;
    context: ClientInput & { readonly awaiting: number | null; readonly operations: number };
    events: RegisterEvent;
  },
  guards: {
    isAwaited: ({ context, event }) => event.request === context.awaiting,
    hasMorePuts: ({ context }) => context.operations < context.puts,
  },
  actions: {
    putFirst: tell(({ context: { id, servers } }) => ({
      to: `${id % servers}`,
      event: { type: 'put', from: id, request: id, value: letter('A', id - servers) },
    })),
    putNext: tell(({ context: { id, servers, operations } }) => ({
      to: `${(id + operations) % servers}`,
      event: { type: 'put', from: id, request: (operations + 1) * id, value: letter('Z', -(id - servers)) },
    })),
    getNext: tell(({ context: { id, servers, operations } }) => ({
      to: `${(id + operations) % servers}`,
      event: { type: 'get', from: id, request: (operations + 1) * id },
    })),
    awaitNext: assign(({ context: { id, operations } }) => ({
      awaiting: (operations + 1) * id,
      operations: operations + 1,
    })),
    awaitNone: assign(({ context }) => ({ awaiting: null, operations: context.operations + 1 })),
  },
}).createMachine({
  id: 'registerClient',
  context: ({ input }) => ({ ...input, awaiting: input.id, operations: 1 }),
  entry: 'putFirst',
  on: {
    putOk: [
      {
        guard: ({ context, event }) => event.request === context.awaiting && context.operations < context.puts,
        actions: ['putNext', 'awaitNext'],
      },
      { guard: 'isAwaited', actions: ['getNext', 'awaitNext'] },
    ],
    getOk: { guard: 'isAwaited', actions: 'awaitNone' },
  },
});

function letter(from: string, offset: number): string {
  return String.fromCharCode(from.charCodeAt(0) + offset);
}

/** Reads at `initial` until something is put. */
export function registerHistory(initial: string): History<Operations> {
  return linearizable({
    object: register(initial),
    invoked({ from, event }: Envelope) {
      if (event.type === 'put') return { client: from, operation: { write: event['value'] ?? null } };
      return event.type === 'get' ? { client: from, operation: { read: true } } : undefined;
    },
    returned({ to, event }: Envelope) {
      if (event.type === 'putOk') return { client: to, result: null };
      return event.type === 'getOk' ? { client: to, result: event['value'] ?? null } : undefined;
    },
  });
}
