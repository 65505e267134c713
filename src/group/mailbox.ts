/**
 * The mailbox of one attempt: a running harness's door to its group. What it reads is acknowledged by an entry when it
 * has been handed over, not when it was written; an attempt that is made again finds what the one before had not read.
 */
import { TroupeError } from '../error.ts';
import { canonical } from '../json.ts';
import type { DeliveryMode, Letter, Mailbox, Message } from '../harness/port.ts';
import { hashText, hashToText } from './digest.ts';
import type { ActorKey } from './effect.ts';
import type { GroupFold } from './fold.ts';
import type { GroupContext } from './group-context.ts';
import { unreadIn } from './box.ts';
import type { Mail } from './box.ts';
import { mailKey } from './mail.ts';
import type { Post } from './post.ts';
import type { Push } from './entries.ts';

/** A mailbox, and what the host does with it. */
export interface OpenMailbox {
  readonly mailbox: Mailbox;
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
  readonly fold: GroupFold;
  readonly post: Post;
  readonly push: Push;
}

const asMessage = ({ mode: _mode, effect: _effect, ...message }: Mail): Message => message;

/** Opens the mailbox of one attempt. */
export function mailboxOf({ context, member, attempt, fold, post, push }: MailboxOptions): OpenMailbox {
  const { address, incarnation } = member;
  const key = mailKey(member);
  /** Handed over, and the reading not folded yet. */
  const handed = new Set<string>();
  const sent = new Map<string, number>();
  let waiters: (() => void)[] = [];
  let steer: ((message: Message) => void) | undefined;
  let isClosed = false;

  const refuseClosed = () => {
    if (isClosed)
      throw new TroupeError(
        'CANCELLED',
        `attempt ${attempt} of member \`${address}\` has ended; it has no mailbox any more.`,
      );
  };
  const unread = (max: number, isWanted: (mail: Mail) => boolean = () => true) =>
    unreadIn(fold.mail.get(key), max, (mail) => !handed.has(mail.id) && isWanted(mail));

  const handOver = (mails: readonly Mail[], as: DeliveryMode): readonly Message[] => {
    if (mails.length === 0) return [];
    for (const { id } of mails) handed.add(id);
    const ids = mails.map(({ id }) => id);
    push('message.read', { member: address, incarnation, attempt, ids, as }, () => {
      // From here the fold knows.
      for (const id of ids) handed.delete(id);
    });
    return mails.map(asMessage);
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

  /** The same letter of the same invocation has the same id, whichever attempt sends it. */
  const idOf = (letter: Letter): string => {
    const text = canonical({ to: letter.to, type: letter.type, body: letter.body ?? null });
    const count = (sent.get(text) ?? 0) + 1;
    sent.set(text, count);
    return `${address}#${incarnation}:${hashToText(hashText(text))}${count === 1 ? '' : `:${count}`}`;
  };

  const send = async (letter: Letter): Promise<{ readonly id: string }> => {
    refuseClosed();
    return await post.send(address, { ...letter, id: letter.id ?? idOf(letter) });
  };

  const waitFor = async (pick: () => readonly Mail[], waitMs: number): Promise<readonly Message[]> => {
    const untilMs = context.clock.now() + waitMs;
    for (;;) {
      refuseClosed();
      const mails = pick();
      if (mails.length > 0 || context.clock.now() >= untilMs) return handOver(mails, 'queue');
      await changed(untilMs);
    }
  };

  const mailbox: Mailbox = {
    send,
    inbox: ({ waitMs = 0, max = 100 } = {}) => waitFor(() => unread(max), waitMs),
    async ask(letter, { timeoutMs }) {
      const { id } = await send(letter);
      const [answer] = await waitFor(() => unread(1, ({ inReplyTo }) => inReplyTo === id), timeoutMs);
      if (answer !== undefined) return answer;
      throw new TroupeError(
        'TIMEOUT',
        `member \`${address}\` asked \`${letter.to}\` (${letter.type}) and had no answer within ${timeoutMs} ms.`,
        { id },
      );
    },
    async checkpoint({ name, settled, total, data }) {
      refuseClosed();
      if (fold.ledger.checkpoints.some((mark) => mark.by === address && mark.name === name)) return;
      await new Promise<void>((resolve) => {
        push('checkpoint', { name, settled, total, ...(data === undefined ? {} : { data }), by: address }, resolve);
      });
    },
    members: () => [...fold.ledger.members.values()].map(({ id, status }) => ({ id, status })),
    onSteer(handler) {
      steer = handler;
      if (handler !== undefined)
        for (const mail of unread(Number.POSITIVE_INFINITY, ({ mode }) => mode === 'steer')) steerWith(mail);
    },
  };

  const steerWith = (mail: Mail) => {
    for (const message of handOver([mail], 'steer')) steer?.(message);
  };

  return {
    mailbox,
    arrived(mail) {
      if (mail.mode === 'steer' && steer !== undefined) steerWith(mail);
      wake();
      return mail.mode === 'interrupt';
    },
    close() {
      isClosed = true;
      wake();
    },
  };
}
