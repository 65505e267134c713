/** The text of one turn: messages one after the other, of which the last that says something is the answer. */
import type { AgentEvent } from '../port.ts';

/** Longest answer taken, UTF-16 units: 4 Mi. */
export const answerMax = 4 * 2 ** 20;

/** The messages of a turn. */
export interface Answer {
  /** Takes a piece of a message; the event that tells of it. A piece of another message than before begins a new text. */
  take(text: string, messageId: string | undefined): AgentEvent;
  /** What comes next is another message: the agent used a tool between. */
  cut(): void;
  /** The last message that says something; cut at `answerMax`. */
  text(): string;
  /** It was longer than `answerMax`. */
  isCut(): boolean;
}

/** An answer with nothing in it. */
export function answer(): Answer {
  let last = '';
  let current = '';
  let id: string | undefined;
  let isNew = true;
  let isCut = false;
  return {
    take(text, messageId) {
      if (messageId !== undefined && id !== undefined && messageId !== id) isNew = true;
      if (isNew) {
        if (current.trim() !== '') last = current;
        current = '';
        isCut = false;
      }
      const isDelta = !isNew;
      id = messageId ?? (isNew ? undefined : id);
      isNew = false;
      const room = answerMax - current.length;
      if (text.length > room) isCut = true;
      current += text.slice(0, room);
      return { type: 'text', text, isDelta };
    },
    cut: () => void (isNew = true),
    text: () => (current.trim() === '' ? last : current),
    isCut: () => isCut,
  };
}
