/**
 * Mail: what was delivered to living members. A fold over the same entries as the actors: deliveries come in as the fold
 * derives them, and are marked when they are read, in journal order per member.
 *
 * A reading counts for the attempt that read. One that is made again from the start knows nothing, so it finds all mail
 * of its invocation once more, under the same ids: at least once to a running harness, exactly once in the fold.
 */
import type { DeliveryMode } from '../harness/port.ts';
import type { JsonValue } from '../json.ts';
import type { Entry } from '../journal/port.ts';
import { boxOf, markRead, markUnread, putMail, type Box, type Mail } from './box.ts';
import { actorKeyText, coordinatorName, rootAddress } from './address.ts';
import type { Effect } from './effect.ts';
import type { GroupEvents } from './entries.ts';
import { cellAt, type System } from './system.ts';

/** Mail of a group's members. Owned by the fold: {@link foldMail} changes it in place. */
export type Mailboxes = Map<string, Box>;

/** Whether mail of this key can still be read: its member is living and unsettled, and of this incarnation. */
export function isReadable(system: System, key: string, address: string): boolean {
  const cell = cellAt(system, address);
  return cell?.actor?.running === true && actorKeyText({ address, incarnation: cell.incarnation }) === key;
}

const modes: ReadonlySet<unknown> = new Set<DeliveryMode>(['interrupt', 'queue', 'steer']);

/** True for one of the ways in which a message may come. */
export function isMode(mode: unknown): mode is DeliveryMode {
  return modes.has(mode);
}

type Deliver = Extract<Effect, { readonly type: 'deliver' }>;

/** A delivery as a message. What a machine sent with `sendTo` has the effect's id, and its fields as body. */
export function mailOf({ id: effect, address, from: sender, event }: Deliver, at: number): Mail {
  const { type, id, from, body, inReplyTo, mode } = event;
  const to = address;
  if (typeof id === 'string' && typeof from === 'string' && body !== undefined) {
    const writer = from === rootAddress ? coordinatorName : from;
    const how = (mode as DeliveryMode | undefined) ?? 'queue';
    const told = body as JsonValue;
    return typeof inReplyTo === 'string'
      ? { id, from: writer, to, type, body: told, inReplyTo, mode: how, at, effect }
      : { id, from: writer, to, type, body: told, mode: how, at, effect };
  }
  const { type: _type, id: _id, from: _from, body: _body, inReplyTo: _inReplyTo, mode: _mode, ...rest } = event;
  const fields: Record<string, JsonValue> = { ...rest };
  // A field of the author's own that is only called so.
  const own = isMode(mode) ? undefined : mode;
  for (const [name, value] of Object.entries({ id, from, body, inReplyTo, mode: own }))
    if (value !== undefined) fields[name] = value;
  return {
    id: effect,
    from: sender === rootAddress ? coordinatorName : sender,
    to,
    type,
    body: fields,
    mode: own === undefined && mode !== undefined ? (mode as DeliveryMode) : 'queue',
    at,
    effect,
  };
}

/** Folds an entry and the effects it had. */
export function foldMail(boxes: Mailboxes, entry: Entry, effects: readonly Effect[]): void {
  if (boxes.size > 0) noteEntry(boxes, entry);
  for (const effect of effects) {
    if (effect.type !== 'deliver') continue;
    const key = actorKeyText(effect);
    const box = boxes.get(key);
    if (box === undefined) boxes.set(key, boxOf([mailOf(effect, entry.at)]));
    else putMail(box, mailOf(effect, entry.at));
  }
}

function noteEntry(boxes: Mailboxes, { type, data }: Entry): void {
  switch (type) {
    case 'message.read': {
      const { member, incarnation, ids } = data as unknown as GroupEvents['message.read'];
      const box = boxes.get(actorKeyText({ address: member, incarnation }));
      if (box !== undefined) markRead(box, ids);
      break;
    }
    case 'attempt.started': {
      const { member, incarnation, attempt } = data as unknown as GroupEvents['attempt.started'];
      const box = attempt > 1 ? boxes.get(actorKeyText({ address: member, incarnation })) : undefined;
      if (box !== undefined) markUnread(box);
      break;
    }
    case 'member.settled':
    case 'attempt.cancelled': {
      // What has ended has read what it read; the rest becomes dead letters.
      const { member, incarnation, again } = data as unknown as GroupEvents['attempt.cancelled'];
      const key = actorKeyText({ address: member, incarnation });
      if (again !== true) keepOnly(boxes, key, (_mail, isRead) => !isRead);
      break;
    }
    case 'letter.dead': {
      const { to, effect } = data as unknown as GroupEvents['letter.dead'];
      if (effect === undefined) break;
      for (const key of boxes.keys())
        if (key.startsWith(`${to}#`)) keepOnly(boxes, key, (mail) => mail.effect !== effect);
      break;
    }
  }
}

/** Mail that is left out goes. */
function keepOnly(boxes: Mailboxes, key: string, isKept: (mail: Mail, isRead: boolean) => boolean): void {
  const box = boxes.get(key);
  if (box === undefined) return;
  const kept = box.mails.map((mail, place) => ({ mail, isRead: box.isRead[place] === true }));
  const left = kept.filter(({ mail, isRead }) => isKept(mail, isRead));
  if (left.length === kept.length) return;
  if (left.length === 0) boxes.delete(key);
  else {
    const mails = left.map(({ mail }) => mail);
    boxes.set(
      key,
      boxOf(
        mails,
        left.map(({ isRead }) => isRead),
      ),
    );
  }
}

/** Boxes as JSON, for snapshots: a copy of this moment's. */
export function mailToJson(boxes: Mailboxes): JsonValue {
  const plain = Array.from(boxes, ([key, { mails, isRead }]) => [key, [...mails], [...isRead]]);
  // Letters are JSON and never changed.
  return plain as unknown as JsonValue;
}

/** The boxes that {@link mailToJson} wrote. */
export function mailFromJson(json: JsonValue): Mailboxes {
  // Written by us, guarded by the snapshot's checksum and maker.
  const plain = json as unknown as readonly (readonly [string, readonly Mail[], readonly boolean[]])[];
  return new Map(plain.map(([key, mails, isRead]) => [key, boxOf(mails, isRead)]));
}
