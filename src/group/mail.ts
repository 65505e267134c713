/**
 * Mail: what was delivered to living members. A fold over the same entries as the actors: deliveries come in as the fold
 * derives them, and are marked when they are read, in journal order per member.
 *
 * A reading counts for the attempt that read. One that is made again from the start knows nothing, so it finds all mail
 * of its invocation once more, under the same ids: at least once to a running harness, exactly once in the fold.
 */
import type { DeliveryMode, Message } from '../harness/port.ts';
import type { JsonValue } from '../json.ts';
import type { Entry } from '../journal/port.ts';
import { coordinatorName, rootAddress } from './address.ts';
import type { ActorKey, Effect } from './effect.ts';
import type { GroupEvents } from './entries.ts';

/** A message in its reader's box. */
export interface Mail extends Message {
  readonly mode: DeliveryMode;
  /** Id of the `deliver` effect. */
  readonly effect: string;
  /** Read by the present attempt. */
  readonly isRead: boolean;
}

/** Mail of a group's members. Owned by the fold: {@link foldMail} changes it in place. */
export type Mailboxes = Map<string, Mail[]>;

/** Key of a mailbox. */
export function mailKey({ address, incarnation }: ActorKey): string {
  return `${address}#${incarnation}`;
}

type Deliver = Extract<Effect, { readonly type: 'deliver' }>;

/** A delivery as a message. What a machine sent with `sendTo` has the effect's id, and its fields as body. */
export function mailOf({ id: effect, address, from: sender, event }: Deliver, at: number): Mail {
  const { type, id, from, body, inReplyTo, mode, ...rest } = event;
  const to = address;
  if (typeof id === 'string' && typeof from === 'string' && body !== undefined) {
    return {
      id,
      from: from === rootAddress ? coordinatorName : from,
      to,
      type,
      body: body as JsonValue,
      ...(typeof inReplyTo === 'string' ? { inReplyTo } : {}),
      mode: (mode as DeliveryMode | undefined) ?? 'queue',
      at,
      effect,
      isRead: false,
    };
  }
  const fields: Record<string, JsonValue> = { ...rest };
  for (const [name, value] of Object.entries({ id, from, body, inReplyTo }))
    if (value !== undefined) fields[name] = value;
  return {
    id: effect,
    from: sender === rootAddress ? coordinatorName : sender,
    to,
    type,
    body: fields,
    mode: (mode as DeliveryMode | undefined) ?? 'queue',
    at,
    effect,
    isRead: false,
  };
}

/** Folds an entry and the effects it had. */
export function foldMail(boxes: Mailboxes, entry: Entry, effects: readonly Effect[]): void {
  if (entry.type === 'message.read') {
    const { member, incarnation, ids } = entry.data as unknown as GroupEvents['message.read'];
    change(boxes, mailKey({ address: member, incarnation }), (mail) =>
      ids.includes(mail.id) ? { ...mail, isRead: true } : mail,
    );
  } else if (entry.type === 'attempt.started') {
    const { member, incarnation, attempt } = entry.data as unknown as GroupEvents['attempt.started'];
    if (attempt > 1)
      change(boxes, mailKey({ address: member, incarnation }), (mail) =>
        mail.isRead ? { ...mail, isRead: false } : mail,
      );
  } else if (entry.type === 'member.settled' || entry.type === 'attempt.cancelled') {
    // What has ended has read what it read; the rest becomes dead letters.
    const { member, incarnation, again } = entry.data as unknown as GroupEvents['attempt.cancelled'];
    if (again !== true)
      change(boxes, mailKey({ address: member, incarnation }), (mail) => (mail.isRead ? undefined : mail));
  } else if (entry.type === 'letter.dead') {
    const { to, effect } = entry.data as unknown as GroupEvents['letter.dead'];
    if (effect !== undefined) {
      for (const key of boxes.keys())
        if (key.startsWith(`${to}#`)) change(boxes, key, (mail) => (mail.effect === effect ? undefined : mail));
    }
  }
  for (const effect of effects) {
    if (effect.type !== 'deliver') continue;
    const key = mailKey(effect);
    const box = boxes.get(key);
    if (box === undefined) boxes.set(key, [mailOf(effect, entry.at)]);
    else box.push(mailOf(effect, entry.at));
  }
}

/** Mail that is left out goes. */
function change(boxes: Mailboxes, key: string, next: (mail: Mail) => Mail | undefined): void {
  const left = boxes
    .get(key)
    ?.map(next)
    .filter((mail) => mail !== undefined);
  if (left === undefined) return;
  if (left.length === 0) boxes.delete(key);
  else boxes.set(key, left);
}

/** How much of a box its owner has not read. */
export function unreadOf(boxes: Mailboxes, key: ActorKey): readonly Mail[] {
  return (boxes.get(mailKey(key)) ?? []).filter(({ isRead }) => !isRead);
}
