/**
 * The mailbox of one attempt: a running harness's door to its group. What it reads is acknowledged by an entry when it
 * has been handed over, not when it was written; an attempt that is made again finds what the one before had not read.
 */
import { TroupeError } from '../error.ts';
import { canonical } from '../json.ts';
import type { DeliveryMode, Letter, Mailbox, Message, Taken } from '../harness/port.ts';
import { actorKeyText } from './address.ts';
import { checkedData } from './checked-data.ts';
import { hashText, hashToText } from './digest.ts';
import { doorOf, type Door } from './door.ts';
import type { ActorKey } from './effect.ts';
import type { GroupFold } from './fold.ts';
import type { Gates } from './gates.ts';
import type { GroupContext } from './group-context.ts';
import type { CheckpointRecord } from './ledger.ts';
import { refuseMark, refuseNoFields } from './legible.ts';
import { unreadIn } from './box.ts';
import type { Mail } from './box.ts';
import type { Post } from './post.ts';
import type { Push } from './entries.ts';

/** A mailbox, and what the host does with it. */
export interface OpenMailbox {
  mailbox(): Mailbox;
  /** Made when it is first asked for: most attempts have no session and no question. */
  door(): Door;
  /** Mail has come that waits until it is read. */
  called(): void;
  /** Mail has come. True when the attempt is to be interrupted for it. */
  arrived(mail: Mail): boolean;
  /** The attempt has ended: whoever waits is sent away. */
  close(): void;
}

/** What {@link mailboxOf} needs. */
export interface MailboxOptions {
  readonly context: GroupContext;
  readonly member: ActorKey;
  readonly attempt: number;
  /** Name of the harness that makes the attempt. */
  readonly harness: string;
  readonly fold: GroupFold;
  readonly post: Post;
  readonly gates: Gates;
  readonly push: Push;
}

const asMessage = ({ id, from, to, type, body, inReplyTo, at }: Mail): Message =>
  inReplyTo === undefined ? { id, from, to, type, body, at } : { id, from, to, type, body, inReplyTo, at };

/** As {@link mailboxOf}, made when it is first looked into: most attempts never do. */
export function lazyMailboxOf(options: MailboxOptions): OpenMailbox {
  let open: OpenMailbox | undefined;
  let isClosed = false;
  const opened = () => {
    if (open === undefined) {
      open = mailboxOf(options);
      if (isClosed) open.close();
    }
    return open;
  };
  return {
    mailbox: () => opened().mailbox(),
    door: () => opened().door(),
    called: () => open?.called(),
    // Nobody waits, and nobody is steered, where nobody has looked.
    arrived: (mail) => (open === undefined ? mail.mode === 'interrupt' : open.arrived(mail)),
    close() {
      isClosed = true;
      open?.close();
    },
  };
}

/** Opens the mailbox of one attempt. */
export function mailboxOf(options: MailboxOptions): OpenMailbox {
  const { context, member, attempt, fold, post, push } = options;
  const { address, incarnation } = member;
  const key = actorKeyText(member);
  /** Handed over, and the reading not folded yet; or in somebody's hands, and not acknowledged yet. */
  const handed = new Set<string>();
  const sent = new Map<string, number>();
  /** Checkpoints on their way, by name, and those that have come. */
  const marking = new Map<string, Promise<void>>();
  let waiters: (() => void)[] = [];
  let steer: ((message: Message) => void) | undefined;
  let isClosed = false;
  let door: Door | undefined;

  const closedError = () =>
    new TroupeError('CANCELLED', `attempt ${attempt} of member \`${address}\` has ended; it has no mailbox any more.`);
  const refuseClosed = () => {
    if (isClosed) throw closedError();
  };
  /** A moment that is none has no place among the timers: those behind it would never be due. */
  const refuseWait = (waitMs: number) => {
    if (typeof waitMs === 'number' && !Number.isNaN(waitMs)) return;
    throw new TroupeError(
      'BAD_INPUT',
      `member \`${address}\`: expected to wait a number of milliseconds, got ${String(waitMs)}.`,
    );
  };
  /** As of `inbox` and `take`: without a number as `max` nothing would ever be found. */
  const refuseReading = (reading: unknown) => {
    refuseNoFields(reading, `member \`${address}\` reads`, '{ waitMs, max }');
    const { max } = reading as { readonly max?: unknown };
    if (max === undefined || (typeof max === 'number' && !Number.isNaN(max))) return;
    throw new TroupeError(
      'BAD_INPUT',
      `member \`${address}\`: expected \`max\` to be a number of messages, got ${typeof max === 'number' ? max : typeof max}.`,
    );
  };
  const unread = (max: number, isWanted: (mail: Mail) => boolean = () => true) =>
    unreadIn(fold.mail.get(key), max, (mail) => !handed.has(mail.id) && isWanted(mail));

  const letGo = (ids: readonly string[]) => {
    for (const id of ids) handed.delete(id);
  };
  const hold = (mails: readonly Mail[], as: DeliveryMode): Taken => {
    const ids = mails.map(({ id }) => id);
    for (const id of ids) handed.add(id);
    let isHeld = ids.length > 0;
    return {
      messages: mails.map(asMessage),
      acknowledge() {
        if (!isHeld || isClosed) return;
        isHeld = false;
        // From there the fold knows.
        push('message.read', { member: address, incarnation, attempt, ids, as }, () => letGo(ids));
      },
      putBack() {
        if (!isHeld) return;
        isHeld = false;
        letGo(ids);
        wake();
      },
    };
  };
  const handOver = (mails: readonly Mail[], as: DeliveryMode): readonly Message[] => {
    const taken = hold(mails, as);
    taken.acknowledge();
    return taken.messages;
  };

  /** Resolves when something has come, or `untilMs` is there, or the attempt has ended. */
  const changed = (untilMs: number): Promise<void> =>
    new Promise((resolve) => {
      const callOff = context.timers.set(untilMs, resolve);
      waiters.push(() => {
        callOff();
        resolve();
      });
    });
  const wake = () => {
    const woken = waiters;
    waiters = [];
    for (const waiter of woken) waiter();
  };

  /** Of letters that were refused, by their text: sent again, they are the same ones. */
  const refused = new Map<string, string[]>();
  /** The same letter of the same invocation has the same id, whichever attempt sends it. */
  const idOf = (text: string): string => {
    const known = refused.get(text)?.shift();
    if (known !== undefined) return known;
    const count = (sent.get(text) ?? 0) + 1;
    sent.set(text, count);
    return `${address}#${incarnation}:${hashToText(hashText(text))}${count === 1 ? '' : `:${count}`}`;
  };

  const sendNamed = async (letter: Letter) => {
    const text = canonical({ to: letter.to, type: letter.type, body: letter.body ?? null });
    const id = idOf(text);
    try {
      return await post.send(address, { ...letter, id });
    } catch (error) {
      refused.set(text, [...(refused.get(text) ?? []), id]);
      throw error;
    }
  };
  const send: Mailbox['send'] = (letter) => {
    if (isClosed) return Promise.reject(closedError());
    const { id } = (letter as Letter | null | undefined) ?? { id: '' };
    // What is no letter at all the post refuses.
    return id === undefined ? sendNamed(letter) : post.send(address, letter as Letter & { readonly id: string });
  };

  /** What `give` makes of the first mail there is: in one step, so that nobody else finds the same. */
  const waitFor = async <Given>(
    pick: () => readonly Mail[],
    give: (mails: readonly Mail[]) => Given,
    { waitMs, signal }: { readonly waitMs: number; readonly signal?: AbortSignal | undefined },
  ): Promise<Given> => {
    refuseWait(waitMs);
    const untilMs = context.clock.now() + waitMs;
    signal?.addEventListener('abort', wake, { once: true });
    try {
      for (;;) {
        refuseClosed();
        if (signal?.aborted === true) return give([]);
        const mails = pick();
        if (mails.length > 0 || context.clock.now() >= untilMs) return give(mails);
        await changed(untilMs);
      }
    } finally {
      signal?.removeEventListener('abort', wake);
    }
  };
  const asRead = (mails: readonly Mail[]) => handOver(mails, 'queue');
  const inHand = (mails: readonly Mail[]) => hold(mails, 'queue');

  const mailbox: Mailbox = {
    send,
    async inbox(reading = {}) {
      refuseReading(reading);
      const { waitMs = 0, max = 100 } = reading;
      return await waitFor(() => unread(max), asRead, { waitMs });
    },
    async take(reading = {}) {
      refuseReading(reading);
      const { waitMs = 0, max = 100, signal } = reading;
      return await waitFor(() => unread(max), inHand, { waitMs, signal });
    },
    async ask(letter, options) {
      refuseNoFields(options, `member \`${address}\` asks`, '{ timeoutMs } behind the message');
      const { timeoutMs } = options;
      refuseWait(timeoutMs);
      const { id } = await send(letter);
      const isAnswer = (mail: Mail) => mail.inReplyTo === id;
      const [answer] = await waitFor(() => unread(1, isAnswer), asRead, { waitMs: timeoutMs });
      if (answer !== undefined) return answer;
      throw new TroupeError(
        'TIMEOUT',
        `member \`${address}\` asked \`${letter.to}\` (${letter.type}) and had no answer within ${timeoutMs} ms.`,
        { id },
      );
    },
    async checkpoint(given) {
      refuseClosed();
      const label = `checkpoint of member \`${address}\``;
      refuseMark(given, label);
      const { name, settled, total, data } = given;
      const isMine = (mark: CheckpointRecord) => mark.by === address && (mark.incarnation ?? 1) === incarnation;
      if (fold.ledger.checkpoints.some((mark) => mark.name === name && isMine(mark))) return;
      const again = incarnation === 1 ? {} : { incarnation };
      const told = { name, settled, total, ...(data === undefined ? {} : { data }), by: address, ...again };
      const mark = checkedData(told, label, context.payloadBytesMax) as unknown as typeof told;
      const known = marking.get(name);
      if (known !== undefined) return await known;
      const marked = new Promise<void>((resolve, reject) =>
        push('checkpoint', mark, resolve, () => reject(closedError())),
      );
      marking.set(name, marked);
      await marked;
    },
    members: () => [...fold.ledger.members.values()].map(({ id, status }) => ({ id, status })),
    onSteer(handler) {
      steer = handler;
      if (handler !== undefined)
        for (const mail of unread(Number.POSITIVE_INFINITY, ({ mode }) => mode === 'steer')) steerWith(mail);
    },
  };

  /** What a handler throws harms nobody else: its message waits for the next read, like any other. */
  const steerWith = (mail: Mail) => {
    const taken = hold([mail], 'steer');
    try {
      for (const message of taken.messages) steer?.(message);
      taken.acknowledge();
    } catch {
      taken.putBack();
    }
  };

  return {
    mailbox: () => mailbox,
    door() {
      door ??= doorOf(options);
      if (isClosed) door.close();
      return door;
    },
    called: wake,
    arrived(mail) {
      if (mail.mode === 'steer' && steer !== undefined) steerWith(mail);
      wake();
      return mail.mode === 'interrupt';
    },
    close() {
      isClosed = true;
      door?.close();
      wake();
    },
  };
}
