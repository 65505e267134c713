/** Questions to whoever sits at the terminal: one after the other, while what is printed goes on above. */
import { plainLine } from '../harness/program/last-line.ts';
import { onceInFront } from './foreground.ts';
import { dropTypeAhead, readLines, type LineReader, type LineTerminal } from './line-reader.ts';

/** What was answered: `later` when nothing was. */
export type Reply = { readonly approved: boolean; readonly note: string } | 'later';

/** A question that is answered with yes, no or later. */
export interface Question {
  /** Stand above the prompt; without control characters but colours. */
  readonly lines: readonly string[];
  /** Takes what was answered. The next question is asked when it has resolved; it must not reject. */
  reply(reply: Reply): Promise<void>;
}

/** The questions at one terminal. */
export interface TerminalQuestions {
  /**
   * Asks when those before have been answered. The result withdraws the question: true when it stood at the terminal or waited for its
   * turn there, false when it has been answered; `line`, if given, is printed where it stood.
   */
  ask(question: Question): (line?: string) => boolean;
  /** Prints a line, above what is being typed. */
  print(line: string): void;
  /** False in a background job: what is asked now waits until it has the terminal. */
  readonly isForeground: () => boolean;
  /** Withdraws all questions; resolves when an answer that was given has been taken. Safe to call twice. */
  close(): Promise<void>;
}

interface Asked {
  readonly question: Question;
  isShown: boolean;
  isOver: boolean;
}

const prompt = 'Approve? [y]es / [n]o / [l]ater, and a note if you like: ';
const reasonPrompt = 'Why not? (Enter for no reason): ';

/**
 * Asks at this terminal. The end of its input answers every question with `later`; while others have the terminal (`troupe run … &`) the
 * questions wait.
 */
export function terminalQuestions(terminal: LineTerminal): TerminalQuestions {
  const { input, output } = terminal;
  const waiting: Asked[] = [];
  let current: Asked | undefined;
  let reader: LineReader | undefined;
  let working: Promise<void> | undefined;
  let hasEnded = false;
  let isClosed = false;
  let goOn = () => {};
  // A terminal that is gone is an end of input.
  const end = () => {
    hasEnded = true;
    goOn();
  };
  input.once('end', end);
  input.on('error', end);

  const print = (line: string) => {
    if (reader === undefined) output.write(`${line}\n`);
    else reader.above(line);
  };

  const untilForeground = async (asked: Asked) => {
    if (asked.isOver || hasEnded || terminal.isForeground()) return;
    for (const line of [...asked.question.lines, 'It is asked when this job is brought to the front.']) print(line);
    asked.isShown = true;
    await new Promise<void>((resolve) => {
      const callOff = onceInFront(terminal.isForeground, resolve);
      goOn = () => {
        callOff();
        resolve();
      };
    });
  };
  /** Undefined when it was withdrawn. */
  const replyTo = async (asked: Asked): Promise<Reply | undefined> => {
    await untilForeground(asked);
    if (!hasEnded && !asked.isOver) await dropTypeAhead(terminal);
    if (asked.isOver) return undefined;
    for (const line of asked.question.lines) print(line);
    if (hasEnded) return 'later';
    asked.isShown = true;
    reader = readLines(terminal);
    try {
      return await heard(reader);
    } finally {
      reader.close();
      reader = undefined;
    }
  };
  const work = async () => {
    for (let asked = waiting.shift(); asked !== undefined; asked = waiting.shift()) {
      current = asked;
      const reply = await replyTo(asked);
      current = undefined;
      // Withdrawn while the answer was on its way here.
      if (reply === undefined || asked.isOver) continue;
      asked.isOver = true;
      await asked.question.reply(reply);
    }
    working = undefined;
  };
  const withdraw = (asked: Asked, line: string | undefined): boolean => {
    if (asked.isOver) return false;
    asked.isOver = true;
    const at = waiting.indexOf(asked);
    if (at >= 0) waiting.splice(at, 1);
    if (asked === current) {
      reader?.close();
      goOn();
    }
    if (line !== undefined && asked.isShown) print(line);
    return true;
  };

  return {
    ask(question) {
      const asked: Asked = { question, isShown: false, isOver: isClosed };
      if (!isClosed) {
        waiting.push(asked);
        working ??= work();
      }
      return (line) => withdraw(asked, line);
    },
    print,
    isForeground: terminal.isForeground,
    async close() {
      isClosed = true;
      for (const asked of [...waiting, ...(current === undefined ? [] : [current])]) withdraw(asked, undefined);
      await working;
      input.off('end', end);
    },
  };
}

/** What is typed, asked for until it is clear. */
async function heard(reader: LineReader): Promise<Reply> {
  for (;;) {
    const text = await reader.next(prompt);
    if (text === undefined) return 'later';
    const reply = replyIn(text);
    if (reply === 'later') return reply;
    if (reply === undefined) {
      const typed = plainLine(text);
      reader.above(`Please answer y, n or l${typed === '' ? '' : `; “${typed}” is none of them, or more than one`}.`);
      continue;
    }
    if (reply.approved || reply.note !== '') return reply;
    const reason = await reader.next(reasonPrompt);
    return reason === undefined ? 'later' : { approved: false, note: reason.trim() };
  }
}

const words: Readonly<Record<string, 'yes' | 'no' | 'later'>> = {
  y: 'yes',
  yes: 'yes',
  n: 'no',
  no: 'no',
  l: 'later',
  later: 'later',
};

const wordOf = (text: string) => {
  const word = text.toLowerCase();
  return Object.hasOwn(words, word) ? words[word] : undefined;
};

/** `y`, `n` or `l`, in short or in full, and a note behind it; undefined for anything else, two answers in one too. */
function replyIn(text: string): Reply | undefined {
  const [, first = '', note = ''] = /^(\p{L}+)[,;:.!]?(?:\s+(.*))?$/su.exec(text.trim()) ?? [];
  const answer = wordOf(first);
  if (answer === undefined || wordOf(note) !== undefined) return undefined;
  return answer === 'later' ? 'later' : { approved: answer === 'yes', note: note.trim() };
}
