/** A door to a group that is not there: for attempts outside any group. */
import type { Mailbox } from 'troupe';
import type { Attempt } from '../../src/harness/port.ts';

export const noMailbox: Mailbox = {
  send: ({ id = 'nobody' }) => Promise.resolve({ id }),
  inbox: () => Promise.resolve([]),
  take: () => Promise.resolve({ messages: [], acknowledge() {}, putBack() {} }),
  ask: () => Promise.reject(new Error('there is nobody to ask')),
  checkpoint: () => Promise.resolve(),
  members: () => [],
  onSteer: () => {},
};

type Asked =
  | 'gate'
  | 'previousSession'
  | 'previousSessionData'
  | 'previousSessionSpent'
  | 'refusedOutput'
  | 'session'
  | 'spentBefore';

/** What an attempt outside any group may ask for besides mail. */
export const nothingAsked: Pick<Attempt, Asked> = {
  session: () => Promise.resolve(),
  gate: () => Promise.reject(new Error('there is nobody to ask')),
  previousSession: undefined,
  previousSessionData: undefined,
  previousSessionSpent: {},
  spentBefore: {},
  refusedOutput: undefined,
};

/** The same for a dispatcher. */
export const noDoor = {
  session: nothingAsked.session,
  gate: nothingAsked.gate,
  previous: () => ({ session: undefined, sessionData: undefined, sessionSpent: {}, spent: {}, refused: undefined }),
  close: () => {},
};
