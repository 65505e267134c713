/** Single-decree Paxos: servers agree on the first of the values that clients put, and only then answer gets. */
import { assign, enqueueActions, setup } from 'xstate';
import { model, tell, type Model, type ModelState, type NetworkKind, type Operations } from 'troupe/check';
import { registerClient, registerHistory } from './register-client.ts';

const nothing = '\u0000';

type Ballot = readonly [round: number, leader: number];
interface Proposal {
  readonly request: number;
  readonly client: number;
  readonly value: string;
}
type Accepted = { readonly ballot: Ballot; readonly proposal: Proposal } | null;

type PaxosEvent =
  | { readonly type: 'put'; readonly from: number; readonly request: number; readonly value: string }
  | { readonly type: 'get'; readonly from: number; readonly request: number }
  | { readonly type: 'prepare'; readonly from: number; readonly ballot: Ballot }
  | { readonly type: 'prepared'; readonly from: number; readonly ballot: Ballot; readonly last: Accepted }
  | { readonly type: 'accept'; readonly from: number; readonly ballot: Ballot; readonly proposal: Proposal }
  | { readonly type: 'accepted'; readonly from: number; readonly ballot: Ballot }
  | { readonly type: 'decided'; readonly ballot: Ballot; readonly proposal: Proposal };

interface ServerInput {
  readonly id: number;
  readonly servers: number;
}

interface ServerContext extends ServerInput {
  readonly ballot: Ballot;
  readonly proposal: Proposal | null;
  readonly prepares: { readonly [server: string]: Accepted };
  readonly accepts: { readonly [server: string]: true };
  readonly accepted: Accepted;
  readonly isDecided: boolean;
}

function compare([a, b]: Ballot, [c, d]: Ballot): number {
  return a - c || b - d;
}

function peersOf({ id, servers }: ServerInput): readonly string[] {
  return Array.from({ length: servers }, (_, peer) => `${peer}`).filter((peer) => peer !== `${id}`);
}

function isMajority({ servers }: ServerInput, count: number): boolean {
  return count === Math.floor(servers / 2) + 1;
}

function latest(prepares: ServerContext['prepares']): Accepted {
  return Object.values(prepares).reduce<Accepted>(
    (best, one) => (one !== null && (best === null || compare(one.ballot, best.ballot) > 0) ? one : best),
    null,
  );
}

/** One server. */
export const paxosServer = setup({
  types: {} as { input: ServerInput; context: ServerContext; events: PaxosEvent },
  guards: {
    isFree: ({ context }) => context.proposal === null,
    isNewer: ({ context, event }) => event.type === 'prepare' && compare(context.ballot, event.ballot) < 0,
    isNotOlder: ({ context, event }) => event.type === 'accept' && compare(context.ballot, event.ballot) <= 0,
    isCurrent: ({ context, event }) => 'ballot' in event && compare(context.ballot, event.ballot) === 0,
  },
  actions: {
    propose: enqueueActions(({ context, event, enqueue }) => {
      if (event.type !== 'put') return;
      const { from, request, value } = event;
      const ballot: Ballot = [context.ballot[0] + 1, context.id];
      for (const to of peersOf(context)) enqueue(tell({ to, event: { type: 'prepare', from: context.id, ballot } }));
      enqueue.assign({
        ballot,
        proposal: { request, client: from, value },
        prepares: { [context.id]: context.accepted },
        accepts: {},
      });
    }),
    promise: enqueueActions(({ context, event, enqueue }) => {
      if (event.type !== 'prepare') return;
      const { from, ballot } = event;
      const reply = { type: 'prepared', from: context.id, ballot, last: context.accepted as never };
      enqueue(tell({ to: `${from}`, event: reply }));
      enqueue.assign({ ballot });
    }),
    countPromise: enqueueActions(({ context, event, enqueue }) => {
      if (event.type !== 'prepared') return;
      const prepares = { ...context.prepares, [event.from]: event.last };
      enqueue.assign({ prepares });
      if (!isMajority(context, Object.keys(prepares).length)) return;
      const { ballot } = event;
      const proposal = latest(prepares)?.proposal ?? (context.proposal as Proposal);
      enqueue.assign({ proposal, accepted: { ballot, proposal }, accepts: { ...context.accepts, [context.id]: true } });
      for (const to of peersOf(context))
        enqueue(tell({ to, event: { type: 'accept', from: context.id, ballot, proposal: { ...proposal } } }));
    }),
    accept: enqueueActions(({ context, event, enqueue }) => {
      if (event.type !== 'accept') return;
      const { from, ballot, proposal } = event;
      enqueue(tell({ to: `${from}`, event: { type: 'accepted', from: context.id, ballot } }));
      enqueue.assign({ ballot, accepted: { ballot, proposal } });
    }),
    countAcceptance: enqueueActions(({ context, event, enqueue }) => {
      if (event.type !== 'accepted') return;
      const accepts = { ...context.accepts, [event.from]: true as const };
      enqueue.assign({ accepts });
      if (!isMajority(context, Object.keys(accepts).length)) return;
      const { ballot } = event;
      const proposal = context.proposal as Proposal;
      enqueue.assign({ isDecided: true });
      for (const to of peersOf(context))
        enqueue(tell({ to, event: { type: 'decided', ballot, proposal: { ...proposal } } }));
      enqueue(tell({ to: `${proposal.client}`, event: { type: 'putOk', request: proposal.request } }));
    }),
    learn: assign(({ event }) =>
      event.type === 'decided'
        ? { ballot: event.ballot, accepted: { ballot: event.ballot, proposal: event.proposal }, isDecided: true }
        : {},
    ),
    answer: tell(({ context, event }) => ({
      to: event.type === 'get' ? `${event.from}` : '',
      event: {
        type: 'getOk',
        request: event.type === 'get' ? event.request : 0,
        value: (context.accepted as NonNullable<Accepted>).proposal.value,
      },
    })),
  },
}).createMachine({
  id: 'paxosServer',
  context: ({ input }) => ({
    ...input,
    ballot: [0, 0],
    proposal: null,
    prepares: {},
    accepts: {},
    accepted: null,
    isDecided: false,
  }),
  initial: 'open',
  states: {
    open: {
      always: { guard: ({ context }) => context.isDecided, target: 'decided' },
      on: {
        put: { guard: 'isFree', actions: 'propose' },
        prepare: { guard: 'isNewer', actions: 'promise' },
        prepared: { guard: 'isCurrent', actions: 'countPromise' },
        accept: { guard: 'isNotOlder', actions: 'accept' },
        accepted: { guard: 'isCurrent', actions: 'countAcceptance' },
        decided: { actions: 'learn' },
      },
    },
    decided: { on: { get: { actions: 'answer' } } },
  },
});

/** Servers are `0` …, clients count on. */
export function paxos(
  servers: number,
  clients: number,
  { puts = 1, network = 'bag' }: { readonly puts?: number; readonly network?: NetworkKind } = {},
): Model<ModelState<Operations>> {
  const ids = Array.from({ length: servers + clients }, (_, id) => id);
  return model({
    name: `paxos, ${servers} servers, ${clients} clients`,
    actors: Object.fromEntries(
      ids.map((id) => [
        `${id}`,
        id < servers
          ? { machine: paxosServer, input: { id, servers } }
          : { machine: registerClient, input: { id, servers, puts } },
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
