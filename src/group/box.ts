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
  /** Place by the message's id, of those before `indexed`: letters are mostly asked for in their order, which needs none. */
  readonly places: Map<string, number>;
  indexed: number;
  /** Behind the letter that was asked for last by its effect. */
  heard: number;
  /** Everything before this place has been read. */
  head: number;
  unread: number;
}

/** A box with these letters in it, all unread unless `isRead` says otherwise. */
export function boxOf(mails: readonly Mail[], isRead: readonly boolean[] = []): Box {
  const box: Box = { mails: [], isRead: [], places: new Map(), indexed: 0, heard: 0, head: 0, unread: 0 };
  for (const mail of mails) putMail(box, mail);
  markRead(
    box,
    mails.filter((_mail, index) => isRead[index] === true).map(({ id }) => id),
  );
  return box;
}

/** Adds a letter behind the others. */
export function putMail(box: Box, mail: Mail): void {
  box.mails.push(mail);
  box.isRead.push(false);
  box.unread += 1;
}

/** Marks letters as read by the present attempt. */
export function markRead(box: Box, ids: readonly string[]): void {
  let next = box.head;
  for (const id of ids) {
    const place = box.mails[next]?.id === id ? next : placeIn(box, id);
    if (place === undefined) continue;
    next = place + 1;
    if (box.isRead[place] === true) continue;
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
  box: Box,
  { id: effect, event }: Pick<Extract<Effect, { readonly type: 'deliver' }>, 'event' | 'id'>,
): Mail | undefined {
  const { mails } = box;
  let place = box.heard;
  // What was sent by a machine has the effect's own id.
  if (mails[place]?.effect !== effect) place = placeIn(box, typeof event.id === 'string' ? event.id : effect) ?? -1;
  if (mails[place]?.effect !== effect) place = mails.findLastIndex((one) => one.effect === effect);
  if (place >= 0) box.heard = place + 1;
  return mails[place];
}

function placeIn(box: Box, id: string): number | undefined {
  const { mails, places } = box;
  for (; box.indexed < mails.length; box.indexed += 1) places.set((mails[box.indexed] as Mail).id, box.indexed);
  return places.get(id);
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
