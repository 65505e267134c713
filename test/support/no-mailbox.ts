/** A door to a group that is not there: for attempts outside any group. */
import type { Mailbox } from 'troupe';

export const noMailbox: Mailbox = {
  send: ({ id = 'nobody' }) => Promise.resolve({ id }),
  inbox: () => Promise.resolve([]),
  ask: () => Promise.reject(new Error('there is nobody to ask')),
  checkpoint: () => Promise.resolve(),
  members: () => [],
  onSteer: () => {},
};
