/**
 * The post of one group: checks a letter, finds its recipients, and makes an entry of it before anyone sees it (G1). What
 * cannot be delivered comes back as a dead letter, by the fold.
 */
import { TroupeError } from '../error.ts';
import { toJson, type JsonValue } from '../json.ts';
import type { Letter, Sent } from '../harness/port.ts';
import { nearest } from '../nearest.ts';
import { actorKeyText, coordinatorName, rootAddress } from './address.ts';
import type { Address } from './effect.ts';
import type { GroupFold } from './fold.ts';
import type { GroupContext } from './group-context.ts';
import { bytesOver } from './json-bytes.ts';
import { refuseNoFields } from './legible.ts';
import { isMode } from './mail.ts';
import { refuseReserved } from './reserved.ts';
import { cellAt, snapshotAt, wants } from './system.ts';

/** A group's post office. */
export interface Post {
  /**
   * Resolves when the letter is durable and folded, or nothing was to be sent. `from` is an address, `coordinator`, `process` or
   * `outside`.
   */
  send(from: string, letter: Named): Promise<Sent>;
}

type Named = Letter & { readonly id: string };

/** How long the rate of one sender is looked at, ms. */
const rateWindowMs = 60_000;

const isTextOrNone = (value: unknown) => value === undefined || typeof value === 'string';

/** What is no letter must not get as far as the journal: there, it would stop the host. Codes: BAD_INPUT. */
export function refuseNoLetter(letter: unknown): void {
  refuseNoFields(letter, 'message', '{ to, type, body }');
  const { to, type, id, inReplyTo, mode } = letter as Readonly<Record<string, unknown>>;
  const isLetter = typeof to === 'string' && typeof type === 'string' && typeof id === 'string';
  if (isLetter && isTextOrNone(inReplyTo) && isTextOrNone(mode)) {
    if (mode === undefined || isMode(mode)) return;
    throw new TroupeError(
      'BAD_INPUT',
      `message \`${type}\` to \`${to}\`: expected \`mode\` to be queue, steer or interrupt, got \`${String(mode)}\`.`,
    );
  }
  const got = [to, type, id, inReplyTo, mode].map((value) => typeof value).join(', ');
  throw new TroupeError(
    'BAD_INPUT',
    `expected \`to\`, \`type\` and, if given, \`id\`, \`inReplyTo\` and \`mode\` of a message to be texts, got ${got}.`,
  );
}

/** The error for a recipient that a group does not have; it names those it has, and the nearest. */
export function unknownMember(group: string, to: string, names: readonly string[]): TroupeError {
  const near = nearest(to, names).map((name) => `\`${name}\``);
  const listed = names.length > 20 ? `${names.slice(0, 20).join(', ')} … (${names.length})` : names.join(', ');
  return new TroupeError(
    'UNKNOWN_MEMBER',
    `group \`${group}\` has no member \`${to}\`. Members: ${listed || 'none'}.${near.length > 0 ? ` Did you mean ${near.join(' or ')}?` : ''}`,
    { group, member: to, members: names.slice(0, 100), nearest: nearest(to, names) },
  );
}

/** The error for a message to all of a group when it reaches nobody. */
export function nobodyThere(group: string, type: string): TroupeError {
  return new TroupeError(
    'UNKNOWN_MEMBER',
    `\`${type}\` to all of group \`${group}\` reached nobody: none of its members lives.`,
  );
}

/** Makes the post office of a group. */
export function postOf(
  context: GroupContext,
  group: string,
  fold: GroupFold,
  push: (data: JsonValue, applied: () => void, failed: (error: unknown) => void) => void,
): Post {
  /** When each sender's last letters were sent, oldest first; those before `head` are out of the window. */
  const sentBy = new Map<string, { readonly times: number[]; head: number }>();
  /** Letters that are not folded yet, by recipient and id. */
  const underWay = new Map<Address, Map<string, Promise<Sent>>>();

  const refuseRate = (from: string, letters: number) => {
    const now = context.clock.now();
    let sender = sentBy.get(from);
    if (sender === undefined) sentBy.set(from, (sender = { times: [], head: 0 }));
    const { times } = sender;
    while ((times[sender.head] ?? now) <= now - rateWindowMs) sender.head += 1;
    if (sender.head > 1_024) {
      times.splice(0, sender.head);
      sender.head = 0;
    }
    if (times.length - sender.head + letters > context.messagesPerMinuteMax) {
      throw new TroupeError(
        'LIMIT',
        `\`${from}\` in group \`${group}\`: expected at most ${context.messagesPerMinuteMax} messages a minute (messagesPerMinuteMax); send fewer, or wait.`,
      );
    }
    for (let letter = 0; letter < letters; letter += 1) times.push(now);
  };

  const recipients = (from: string, to: string): readonly Address[] => {
    const { system, ledger } = fold;
    if (to === coordinatorName || to === rootAddress) return [rootAddress];
    if (to !== '*' && (ledger.members.has(to) || (system !== undefined && snapshotAt(system, to) !== undefined)))
      return [to];
    const living = system === undefined ? [] : wants(system);
    if (to === '*') return living.map(({ address }) => address).filter((address) => address !== from);
    const names = [...new Set([...living.map(({ address }) => address), ...ledger.members.keys()])];
    throw unknownMember(group, to, names);
  };

  const refuseFull = (to: Address) => {
    const { system } = fold;
    const incarnation = system === undefined ? undefined : cellAt(system, to)?.incarnation;
    const unread =
      (incarnation === undefined ? 0 : (fold.mail.get(actorKeyText({ address: to, incarnation }))?.unread ?? 0)) +
      (underWay.get(to)?.size ?? 0);
    if (unread >= context.mailboxMax) {
      throw new TroupeError(
        'LIMIT',
        `member \`${to}\` of group \`${group}\` has ${unread} unread messages, the most it may have (mailboxMax); wait until it has read some.`,
      );
    }
  };

  /** Makes an entry of a letter to one recipient; the same while it is under way. */
  const record = (from: string, to: Address, { id, type, inReplyTo, mode }: Named, body: JsonValue): Promise<Sent> => {
    let theirs = underWay.get(to);
    const known = theirs?.get(id);
    if (known !== undefined) return known;
    if (theirs === undefined) underWay.set(to, (theirs = new Map()));
    const waiting = theirs;
    const plain = { id, from, to, type, body };
    const reply = inReplyTo === undefined ? plain : { ...plain, inReplyTo };
    const data = mode === undefined ? reply : { ...reply, mode };
    const recording = new Promise<Sent>((resolve, reject) => {
      const applied = () => {
        waiting.delete(id);
        resolve({ id });
      };
      const failed = (error: unknown) => {
        waiting.delete(id);
        // The journal's own error, passed on.
        reject(error as Error);
      };
      push(data, applied, failed);
    });
    waiting.set(id, recording);
    return recording;
  };

  const sendNow = (from: string, letter: Named): Promise<Sent> | Sent => {
    refuseNoLetter(letter);
    const { to, type, body = null, id } = letter;
    refuseReserved(type);
    const checked = toJson(body, `body of message \`${type}\``);
    const bytes = bytesOver(checked, context.payloadBytesMax);
    if (bytes !== undefined) {
      throw new TroupeError(
        'ENTRY_TOO_LARGE',
        `message \`${type}\` to \`${to}\`: expected at most ${context.payloadBytesMax} bytes of JSON, got ${bytes}; put large data into a file and send its path.`,
      );
    }
    const { ledger } = fold;
    const sentTo = ledger.messages.get(id);
    if (sentTo !== undefined && (to === '*' || sentTo.includes(to === coordinatorName ? rootAddress : to)))
      return { id, isRepeat: true };
    if (ledger.status !== 'active') {
      throw new TroupeError(
        'GROUP_ENDED',
        `group \`${group}\` has ${ledger.status}; it takes no more messages, and \`${type}\` was not sent.`,
      );
    }
    const addresses = recipients(from, to);
    const [only] = addresses;
    if (only === undefined) return { id, isUnheard: true };
    // Nearly every letter has one recipient.
    if (addresses.length === 1 && sentTo === undefined) {
      if (underWay.get(only)?.has(id) !== true) {
        refuseFull(only);
        refuseRate(from, 1);
      }
      return record(from, only, letter, checked);
    }
    const left = addresses.filter((address) => sentTo?.includes(address) !== true);
    const fresh = left.filter((address) => underWay.get(address)?.has(id) !== true);
    // To all or to none: sent again, it would reach some of them twice.
    for (const address of fresh) refuseFull(address);
    refuseRate(from, fresh.length);
    return Promise.all(left.map((address) => record(from, address, letter, checked))).then(() => ({ id }));
  };

  return {
    send(from, letter) {
      try {
        return Promise.resolve(sendNow(from, letter));
      } catch (error) {
        // Ours, made above.
        return Promise.reject(error as Error);
      }
    },
  };
}
