import { TroupeError } from '../error.ts';

/** True for event types that only the engine may make: nobody else can forge a settlement. */
export function isReserved(type: string): boolean {
  return type.startsWith('xstate.') || type.startsWith('troupe.');
}

/** Throws RESERVED_EVENT for a type that members and outsiders may not send. The host asks before it appends. */
export function refuseReserved(type: string): void {
  // XState's development build fails at an event of this type; its production build gives it to whoever declares `*`.
  if (type === '*')
    throw new TroupeError('RESERVED_EVENT', 'event type `*` stands for every type in a machine: it cannot be sent', {
      type,
    });
  if (isReserved(type)) {
    throw new TroupeError(
      'RESERVED_EVENT',
      `event type \`${type}\` is the engine's own: types that begin with \`xstate.\` or \`troupe.\` cannot be sent`,
      { type },
    );
  }
}
