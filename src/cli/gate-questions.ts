/** The gates of a run that is driven here, asked at its terminal as they open. */
import { openGatesOf, type OpenGate } from '../process/unattended.ts';
import type { DataFolder } from './data-folder.ts';
import { onceInFront } from './foreground.ts';
import { questionLines, recordReply, said } from './gate-answer.ts';
import type { KnownRun } from './known-run.ts';
import type { Style } from './terminal.ts';
import type { Reply, TerminalQuestions } from './terminal-questions.ts';
import { nameText } from './text.ts';
import { approveCommand } from './waits-for.ts';

/** What {@link gateQuestions} needs. */
export interface GateQuestionsOptions {
  readonly data: DataFolder;
  readonly known: Pick<KnownRun, 'view'>;
  readonly questions: TerminalQuestions;
  readonly style: Style;
  /** Called before a question is asked; the result when it is over. */
  stand(): () => void;
  /** Tells how a question came out that left no entry, in one line. */
  say(line: string): void;
}

/** The questions of one run. */
export interface GateQuestions {
  /**
   * Asks what is open and has not been asked, in a background job when it has the terminal again, and withdraws what is open no longer. To be
   * called when something was recorded.
   */
  look(): void;
  /** Withdraws all; resolves when an answer that was given has been taken. */
  close(): Promise<void>;
}

interface Standing {
  readonly gate: OpenGate;
  /** True when it stood at the terminal, or waited for its turn there. */
  withdraw(line?: string): boolean;
}

/** A gate may be opened again when it was answered: that is another question. */
const keyOf = ({ group, name, openedAt }: OpenGate) => JSON.stringify([group, name, openedAt]);
const nameOf = ({ group, name }: OpenGate) => (group === undefined ? name : `${group}: ${name}`);

/** No questions yet. */
export function gateQuestions({ data, known, questions, style, stand, say }: GateQuestionsOptions): GateQuestions {
  /** Those that were asked, answered or not, by {@link keyOf}, as long as their gate is open. */
  const asked = new Map<string, Standing>();
  let isClosed = false;
  let callOff = () => {};

  const ask = (gate: OpenGate): Standing => {
    const { name, group, question, opening, data: payload = null } = gate;
    const over = stand();
    const run = known.view.id;
    const command = `${approveCommand(run, gate, openGatesOf(known.view))}${data.flag}`;
    const withdraw = questions.ask({
      lines: questionLines({ gate: name, title: group, question, payload }, style),
      async reply(reply: Reply) {
        const { isRecorded, line } = await recordReply({ data, run, gate: name, group, opening, command }, reply);
        // What is recorded is told by its entry.
        if (!isRecorded) say(nameText(line));
        over();
      },
    });
    return {
      gate,
      withdraw(line) {
        const wasOpen = withdraw(line);
        if (wasOpen) over();
        return wasOpen;
      },
    };
  };

  const answerOf = ({ group, name }: OpenGate) => {
    const gates = group === undefined ? known.view.gates : known.view.groups.get(group)?.gates;
    return gates?.get(name)?.answer;
  };

  const look = (): void => {
    callOff();
    if (isClosed) return;
    const open = new Map(openGatesOf(known.view).map((gate) => [keyOf(gate), gate]));
    for (const [key, { gate, withdraw }] of asked) {
      if (open.has(key)) continue;
      asked.delete(key);
      const answer = answerOf(gate);
      const how = answer === undefined ? 'is open no longer' : `was answered elsewhere: ${said(answer)}`;
      withdraw(nameText(`${nameOf(gate)}  ${how}; the question is withdrawn`));
    }
    const others = [...open].filter(([key]) => !asked.has(key));
    if (others.length === 0) return;
    // The display shows how they are answered from elsewhere.
    if (questions.isForeground()) for (const [key, gate] of others) asked.set(key, ask(gate));
    else callOff = onceInFront(questions.isForeground, look);
  };

  return {
    look,
    async close() {
      isClosed = true;
      callOff();
      for (const { withdraw } of asked.values()) withdraw();
      await questions.close();
    },
  };
}
