/**
 * The post of one group: checks a letter, finds its recipients, and makes an entry of it before anyone sees it (G1). What
 * cannot be delivered comes back as a dead letter, by the fold.
 */
import { TroupeError } from '../error.ts';
import { toJson, type JsonValue } from '../json.ts';
import type { Letter } from '../harness/port.ts';
import type { Entry } from '../journal/port.ts';
import { nearest } from '../nearest.ts';
import { coordinatorName, rootAddress } from './address.ts';
import type { Address } from './effect.ts';
import type { GroupFold } from './fold.ts';
import type { GroupContext } from './group-context.ts';
import { unreadOf } from './mail.ts';
import { refuseReserved } from './reserved.ts';
import { cellAt, snapshotAt, wants } from './system.ts';

/** A group's post office. */
export interface Post {
  /** Resolves when the letter is durable and folded. `from` is an address, `coordinator`, `process` or `outside`. */
  send(from: string, letter: Letter & { readonly id: string }): Promise<{ readonly id: string }>;
}

/** How long the rate of one sender is looked at, ms. */
const rateWindowMs = 60_000;

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

/** Makes the post office of a group. */
export function postOf(
  context: GroupContext,
  group: string,
  fold: GroupFold,
  record: (type: 'message', data: JsonValue) => Promise<Entry>,
): Post {
  const sentBy = new Map<string, number[]>();
  const underWay = new Map<string, Promise<unknown>>();
  /** Letters by recipient that are not folded yet. */
  const onTheWay = new Map<string, number>();

  const refuseRate = (from: string) => {
    const now = context.clock.now();
    const times = (sentBy.get(from) ?? []).filter((at) => at > now - rateWindowMs);
    if (times.length >= context.messagesPerMinuteMax) {
      throw new TroupeError(
        'LIMIT',
        `\`${from}\` in group \`${group}\`: expected at most ${context.messagesPerMinuteMax} messages a minute (messagesPerMinuteMax); send fewer, or wait.`,
      );
    }
    times.push(now);
    sentBy.set(from, times);
  };

  const recipients = (from: string, to: string): readonly Address[] => {
    const { system, ledger } = fold;
    if (to === coordinatorName || to === rootAddress) return [rootAddress];
    const living = system === undefined ? [] : wants(system);
    if (to === '*') return living.map(({ address }) => address).filter((address) => address !== from);
    const known = system !== undefined && snapshotAt(system, to) !== undefined;
    if (known || ledger.members.has(to)) return [to];
    const names = [...new Set([...living.map(({ address }) => address), ...ledger.members.keys()])];
    throw unknownMember(group, to, names);
  };

  const refuseFull = (to: Address) => {
    const { system } = fold;
    const incarnation = system === undefined ? undefined : cellAt(system, to)?.incarnation;
    const unread = (incarnation === undefined ? 0 : unreadOf(fold.mail, { address: to, incarnation }).length) + (onTheWay.get(to) ?? 0);
    if (unread >= context.mailboxMax) {
      throw new TroupeError(
        'LIMIT',
        `member \`${to}\` of group \`${group}\` has ${unread} unread messages, the most it may have (mailboxMax); wait until it has read some.`,
      );
    }
  };

  return {
    async send(from, { to, type, body = null, id, inReplyTo, mode }) {
      refuseReserved(type);
      const checked = toJson(body, `body of message \`${type}\``);
      const bytes = Buffer.byteLength(JSON.stringify(checked));
      if (bytes > context.payloadBytesMax) {
        throw new TroupeError(
          'ENTRY_TOO_LARGE',
          `message \`${type}\` to \`${to}\`: expected at most ${context.payloadBytesMax} bytes of JSON, got ${bytes}; put large data into a file and send its path.`,
        );
      }
      if (to === '*' ? fold.ledger.messageIds.has(id) : fold.ledger.messages.has(JSON.stringify([to === coordinatorName ? rootAddress : to, id]))) return { id };
      if (fold.ledger.status !== 'active') {
        throw new TroupeError('GROUP_ENDED', `group \`${group}\` has ${fold.ledger.status}; it takes no more messages, and \`${type}\` was not sent.`);
      }
      const addresses = recipients(from, to);
      await Promise.all(
        addresses.map((address) => {
          const key = JSON.stringify([address, id]);
          if (fold.ledger.messages.has(key)) return undefined;
          const known = underWay.get(key);
          if (known !== undefined) return known;
          refuseFull(address);
          refuseRate(from);
          const reply = inReplyTo === undefined ? {} : { inReplyTo };
          const how = mode === undefined ? {} : { mode };
          onTheWay.set(address, (onTheWay.get(address) ?? 0) + 1);
          const recording = record('message', { id, from, to: address, type, body: checked, ...reply, ...how }).finally(() => {
            underWay.delete(key);
            onTheWay.set(address, (onTheWay.get(address) ?? 1) - 1);
          });
          underWay.set(key, recording);
          return recording;
        }),
      );
      return { id };
    },
  };
}
