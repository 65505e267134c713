/**
 * One member's mail: an append-only list with a mark per letter, and how far everything has been read, so that a long
 * conversation costs no more per letter than a short one.
 */
import type { DeliveryMode, Message } from '../harness/port.ts';
import type { Effect } from './effect.ts';

/** A message in its reader's box. */
export interface Mail extends Message {
  readonly mode: DeliveryMode;
  /** Id of the `deliver` effect. */
  readonly effect: string;
}

/** A box. Owned by the fold; read through the functions of this module. */
export interface Box {
  readonly mails: Mail[];
  readonly isRead: boolean[];
  /** Place by the message's id. */
  readonly places: Map<string, number>;
  /** Everything before this place has been read. */
  head: number;
  unread: number;
}

/** A box with these letters in it, all unread unless `isRead` says otherwise. */
export function boxOf(mails: readonly Mail[], isRead: readonly boolean[] = []): Box {
  const box: Box = { mails: [], isRead: [], places: new Map(), head: 0, unread: 0 };
  for (const mail of mails) putMail(box, mail);
  markRead(
    box,
    mails.filter((_mail, index) => isRead[index] === true).map(({ id }) => id),
  );
  return box;
}

/** Adds a letter behind the others. */
export function putMail(box: Box, mail: Mail): void {
  box.places.set(mail.id, box.mails.length);
  box.mails.push(mail);
  box.isRead.push(false);
  box.unread += 1;
}

/** Marks letters as read by the present attempt. */
export function markRead(box: Box, ids: readonly string[]): void {
  for (const id of ids) {
    const place = box.places.get(id);
    if (place === undefined || box.isRead[place] === true) continue;
    box.isRead[place] = true;
    box.unread -= 1;
  }
  while (box.isRead[box.head] === true) box.head += 1;
}

/** Another attempt begins: it has read nothing. */
export function markUnread(box: Box): void {
  box.isRead.fill(false);
  box.head = 0;
  box.unread = box.mails.length;
}

/** What a `deliver` effect put into the box; undefined when it is there no more. */
export function mailOfEffect(
  { mails, places }: Box,
  { id: effect, event }: Pick<Extract<Effect, { readonly type: 'deliver' }>, 'event' | 'id'>,
): Mail | undefined {
  // What was sent by a machine has the effect's own id.
  const place = places.get(typeof event.id === 'string' ? event.id : effect) ?? -1;
  const mail = mails[place];
  return mail?.effect === effect ? mail : mails.findLast((one) => one.effect === effect);
}

/** Up to `max` unread letters that `isWanted` lets through, oldest first. */
export function unreadIn(box: Box | undefined, max: number, isWanted: (mail: Mail) => boolean): readonly Mail[] {
  const found: Mail[] = [];
  if (box === undefined || box.unread === 0) return found;
  for (let place = box.head; place < box.mails.length && found.length < max; place += 1) {
    const mail = box.mails[place] as Mail;
    if (box.isRead[place] !== true && isWanted(mail)) found.push(mail);
  }
  return found;
}
