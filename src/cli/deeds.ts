/** What anybody may do to a run from outside, whoever drives it: a message, an answer. Commands and tools print it each in their way. */
import { randomBytes } from 'node:crypto';
import { isTroupeError } from '../error.ts';
import type { DeliveryMode } from '../harness/port.ts';
import type { JsonValue } from '../json.ts';
import { answerUnattended, gateOf, groupOf, sendUnattended, type OpenGate } from '../process/unattended.ts';
import { askHost, type Asked } from './ask-host.ts';
import type { DataFolder } from './data-folder.ts';
import { knownRun } from './known-run.ts';

/** A message from outside. */
export interface OutsideMessage {
  readonly group: string;
  readonly to: string;
  readonly type: string;
  readonly body: JsonValue;
  /** Default `queue`. */
  readonly mode?: DeliveryMode | undefined;
  /** Names it: the same id twice is one message. Default a new one. */
  readonly id?: string | undefined;
}

/** Sends a message. Codes: RUN_UNKNOWN, UNKNOWN_GROUP, GROUP_ENDED, UNKNOWN_MEMBER, RESERVED_EVENT, ENTRY_TOO_LARGE, LIMIT, JOURNAL_IO. */
export async function sendToRun(
  data: DataFolder,
  run: string,
  message: OutsideMessage,
): Promise<{ readonly id: string; readonly asked: Asked }> {
  const { group, to, type, body } = message;
  groupOf((await knownRun(data.store, run)).view, group);
  const id = message.id ?? `outside-${Date.now().toString(36)}-${randomBytes(4).toString('hex')}`;
  const mode = message.mode === undefined || message.mode === 'queue' ? {} : { mode: message.mode };
  const letter = { type: 'message', group, to, message: type, body, messageId: id, ...mode } as const;
  const alone = () => sendUnattended({ store: data.store, run, group, letter: { id, to, type, body, ...mode } });
  return { id, asked: await askHost(data, run, letter, alone) };
}

/** An answer from outside. */
export interface OutsideAnswer {
  readonly gate: string;
  /** The group whose gate it is, if several have one of this name. */
  readonly group?: string | undefined;
  readonly approved: boolean;
  readonly note: string;
  /** Which opening of the gate was looked at. Default: the one that is open now. */
  readonly opening?: string | undefined;
}

/** Answers an open gate. Codes: RUN_UNKNOWN, UNKNOWN_GATE, BAD_INPUT, JOURNAL_IO. */
export async function answerRun(
  data: DataFolder,
  run: string,
  { gate: name, group: given, approved, note, opening }: OutsideAnswer,
): Promise<{ readonly gate: OpenGate; readonly asked: Asked }> {
  const gate = gateOf((await knownRun(data.store, run)).view, name, given);
  const group = gate.group === undefined ? {} : { group: gate.group };
  // Somebody else's answer may come first, and the gate be opened again with another question.
  const answer = { ...group, gate: name, approved, note, opening: opening ?? gate.opening };
  const alone = async () => {
    try {
      await answerUnattended({ store: data.store, run, answer });
    } catch (error) {
      // A host has recorded it, and died before it took the letter away.
      if (!isTroupeError(error, 'UNKNOWN_GATE') || !(await isAnsweredSo(data, run, answer))) throw error;
    }
  };
  return { gate, asked: await askHost(data, run, { type: 'answer', ...answer }, alone) };
}

/** Whether this is what the gate was answered with. */
async function isAnsweredSo(
  data: DataFolder,
  run: string,
  { gate, group, approved, note }: OutsideAnswer,
): Promise<boolean> {
  const { view } = await knownRun(data.store, run);
  const answer = (group === undefined ? view : view.groups.get(group))?.gates.get(gate)?.answer;
  return answer !== undefined && answer.approved === approved && answer.note === note;
}
