/**
 * A member's mail on its way to an agent: taken from its mailbox, put into a result, acknowledged when that has been delivered.
 * What was delivered is kept for a while, so that it can be read again by cursor, and a long body in stretches.
 */
import { TroupeError } from '../../../error.ts';
import type { Mailbox, Message, Taken } from '../../port.ts';
import type { JsonValue } from '../../../json.ts';
import { visibleJson } from './visible-json.ts';

/** Letters in one result. */
export const lettersMax = 20;
/** Characters of all letters in one result: agents cut, or refuse, results of more than some 25,000 tokens. */
const resultCharsMax = 32_000;
/** Characters of a body that are shown at once; the rest is read in stretches. */
export const bodyCharsMax = 12_000;
/** What is kept for reading again: letters, and characters of their bodies. */
const keptMax = 1_000;
const keptCharsMax = 4_000_000;

/** An answer that was written out counts as arrived when its connection has not broken for so long, ms. */
export const brokenWithinMs = 250;

/** One answer to an agent, with the mail that is in it. The first end counts: {@link Delivery.arrived} or {@link Delivery.lost}. */
export interface Delivery {
  /** Adds mail. */
  add(taken: Taken): void;
  /** It carries no mail: nobody needs to know what becomes of it. */
  isEmpty(): boolean;
  /** All of it has been handed to the system: it will arrive, unless the connection breaks at once. */
  written(): void;
  arrived(): void;
  /** It never arrived: the mail in it is for the next. */
  lost(): void;
}

/** How mail is looked for. */
export interface Look {
  readonly waitMs?: number;
  readonly max?: number;
  /** Id of the last letter that the reader has seen. */
  readonly cursor?: string | undefined;
  readonly signal?: AbortSignal;
}

/** Letters as the reader is shown them. */
export interface ShownMail {
  readonly letters: readonly JsonValue[];
  /** There is more: look again. */
  readonly hasMore: boolean;
  /** Id of the last of them. */
  readonly last: string | undefined;
}

/** The mail of one attempt. */
export interface MailBag {
  look(delivery: Delivery, look: Look): Promise<ShownMail>;
  /** A stretch of the body of a letter that was delivered, as JSON text. Codes: BAD_INPUT. */
  stretch(id: string, from: number): Readonly<Record<string, JsonValue>>;
  /** A new answer. */
  delivery(): Delivery;
  /** What was written out has arrived. */
  confirm(): void;
}

/** The bag for `mailbox`. `isRepeated`: an earlier attempt of the same invocation may have read some of it, so a cursor may stand in it. */
export function mailBag(mailbox: Mailbox, isRepeated: boolean): MailBag {
  let kept: Message[] = [];
  let keptChars = 0;
  const charsOf = ({ body }: Message) => JSON.stringify(body).length;

  /** Answers that were written out a moment ago. */
  const written = new Set<Delivery>();

  const keep = (messages: readonly Message[]) => {
    kept.push(...messages);
    for (const message of messages) keptChars += charsOf(message);
    let gone = 0;
    while (kept.length - gone > keptMax || keptChars > keptCharsMax) {
      const oldest = kept[gone];
      if (oldest === undefined) break;
      keptChars -= charsOf(oldest);
      gone += 1;
    }
    if (gone > 0) kept = kept.slice(gone);
  };

  /** New mail, as much as one result may hold; at least one letter, if there is any. */
  const fresh = async (into: Delivery, { waitMs = 0, max = lettersMax, signal }: Look) => {
    const wait = signal === undefined ? { waitMs } : { waitMs, signal };
    let taken = await mailbox.take({ ...wait, max });
    let hasMore = taken.messages.length === max;
    const fits = fitting(taken.messages);
    if (fits < taken.messages.length) {
      taken.putBack();
      taken = await mailbox.take({ max: fits });
      hasMore = true;
    }
    into.add(taken);
    return { messages: taken.messages, hasMore };
  };

  /** What the reader has not seen of the mail that an earlier attempt may have read: nothing up to the cursor. */
  const after = (cursor: string | undefined, messages: readonly Message[]) => {
    const place = cursor === undefined || !isRepeated ? -1 : messages.findIndex(({ id }) => id === cursor);
    return messages.slice(place + 1);
  };

  return {
    async look(into, look) {
      const { cursor, max = lettersMax } = look;
      const place = cursor === undefined ? -1 : kept.findLastIndex(({ id }) => id === cursor);
      const again = place < 0 ? [] : kept.slice(place + 1);
      const old = again.slice(0, Math.min(max, fitting(again)));
      // What was delivered and is asked for again comes first, and alone: order is the order of the journal.
      if (old.length > 0) return { letters: old.map(letterOf), hasMore: true, last: old.at(-1)?.id };
      const { messages, hasMore } = await fresh(into, look);
      const unseen = after(cursor, messages);
      return { letters: unseen.map(letterOf), hasMore, last: messages.at(-1)?.id };
    },
    stretch(id, from) {
      const message = kept.find((one) => one.id === id);
      if (message === undefined)
        throw new TroupeError('BAD_INPUT', `expected \`id\` to be that of a letter you were given, got \`${id}\`.`);
      const text = JSON.stringify(message.body);
      const part = text.slice(from, from + bodyCharsMax);
      const next = from + part.length;
      return { id, from: message.from, bodyJson: part, at: from, ...(next < text.length ? { next } : { isEnd: true }) };
    },
    delivery() {
      const inside: Taken[] = [];
      let isOver = false;
      let timer: NodeJS.Timeout | undefined;
      const end = (act: (taken: Taken) => void) => {
        if (isOver) return;
        isOver = true;
        clearTimeout(timer);
        written.delete(one);
        for (const taken of inside) act(taken);
      };
      const one: Delivery = {
        add: (taken) => (isOver ? taken.putBack() : void inside.push(taken)),
        isEmpty: () => inside.every(({ messages }) => messages.length === 0),
        written() {
          if (isOver) return;
          written.add(one);
          timer = setTimeout(one.arrived, brokenWithinMs);
        },
        arrived: () =>
          end((taken) => {
            keep(taken.messages);
            taken.acknowledge();
          }),
        lost: () => end((taken) => taken.putBack()),
      };
      return one;
    },
    confirm() {
      for (const one of written) one.arrived();
    },
  };
}

/** How many of these letters, from the first on, one result holds: at least one. */
function fitting(messages: readonly Message[]): number {
  let chars = 0;
  const over = messages.findIndex((message) => {
    chars += visibleJson(letterOf(message)).length;
    return chars > resultCharsMax;
  });
  return over < 0 ? messages.length : Math.max(1, over);
}

/** A letter as its reader is shown it. Who it is from is what the journal says, never what the letter says. */
function letterOf({ id, from, to, type, body, inReplyTo, at }: Message): JsonValue {
  const text = JSON.stringify(body);
  const shown =
    text.length <= bodyCharsMax
      ? { body }
      : {
          bodyJson: text.slice(0, bodyCharsMax),
          cut: `${text.length} characters in all; go on with group_inbox {"id":${JSON.stringify(id)},"from":${bodyCharsMax}}`,
        };
  const reply = inReplyTo === undefined ? {} : { inReplyTo };
  return { id, from, to, type, ...reply, at: new Date(at).toISOString(), ...shown };
}
