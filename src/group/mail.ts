/**
 * Mail: what was delivered to members and not read yet. A fold over the same entries as the actors: deliveries come
 * in as the fold derives them, readings and dead letters go out as they are recorded. In journal order per member.
 */
import type { DeliveryMode, Message } from '../harness/port.ts';
import type { JsonValue } from '../json.ts';
import type { Entry } from '../journal/port.ts';
import { coordinatorName, rootAddress } from './address.ts';
import type { ActorKey, Effect } from './effect.ts';
import type { GroupEvents } from './entries.ts';

/** A message that waits for its reader. */
export interface Mail extends Message {
  readonly mode: DeliveryMode;
  /** Id of the `deliver` effect. */
  readonly effect: string;
}

/** Unread mail of a group. Owned by the fold: {@link foldMail} changes it in place. */
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
    };
  }
  const fields: Record<string, JsonValue> = { ...rest };
  for (const [name, value] of Object.entries({ id, from, body, inReplyTo })) if (value !== undefined) fields[name] = value;
  return {
    id: effect,
    from: sender === rootAddress ? coordinatorName : sender,
    to,
    type,
    body: fields,
    mode: (mode as DeliveryMode | undefined) ?? 'queue',
    at,
    effect,
  };
}

/** Folds an entry and the effects it had. */
export function foldMail(boxes: Mailboxes, entry: Entry, effects: readonly Effect[]): void {
  if (entry.type === 'message.read') {
    const { member, incarnation, ids } = entry.data as unknown as GroupEvents['message.read'];
    remove(boxes, mailKey({ address: member, incarnation }), (mail) => ids.includes(mail.id));
  } else if (entry.type === 'letter.dead') {
    const { to, effect } = entry.data as unknown as GroupEvents['letter.dead'];
    if (effect !== undefined) {
      for (const key of boxes.keys()) if (key.startsWith(`${to}#`)) remove(boxes, key, (mail) => mail.effect === effect);
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

function remove(boxes: Mailboxes, key: string, isGone: (mail: Mail) => boolean): void {
  const left = boxes.get(key)?.filter((mail) => !isGone(mail));
  if (left === undefined) return;
  if (left.length === 0) boxes.delete(key);
  else boxes.set(key, left);
}
