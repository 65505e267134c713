/** The gates of one group: what its members ask, and the answers: each counts once, and whoever asked hears it once. */
import { TroupeError } from '../error.ts';
import type { GateAnswer, Question } from '../harness/port.ts';
import { pathPart } from './address.ts';
import type { ActorKey } from './effect.ts';
import type { Push } from './entries.ts';
import type { GateRecord, Ledger } from './ledger.ts';

/** The gates of one group. */
export interface Gates {
  /** Records an answer; true when the host waits for it (a budget's gate), not the coordinator. Codes: UNKNOWN_GATE. */
  answer(gate: string, answer: GateAnswer): boolean;
  /** Opens a member's gate unless it is open, and calls back with its answer; the result calls that off. */
  ask(member: ActorKey, question: Question, answered: (answer: GateAnswer) => void): () => void;
  /** Tells the answers whose signal was lost with its host. */
  tellAgain(): void;
}

/** The gates that `ledger` knows. */
export function gatesOf(group: string, ledger: Ledger, push: Push): Gates {
  /** Gates whose answer is on its way or recorded. */
  const answering = new Set<string>();
  /** Gates of members that are being opened. */
  const opening = new Set<string>();
  /** Who waits for the answer at a member's gate. */
  const waiting = new Map<string, Set<(answer: GateAnswer) => void>>();

  const keyOf = ({ effect, name, by, incarnation }: GateRecord) =>
    effect ?? (by === undefined ? name : `${name}#${incarnation}`);
  const answerTo = ({ answer }: GateRecord): GateAnswer | undefined =>
    answer === undefined ? undefined : { approved: answer.approved, note: answer.note, by: answer.by };
  const tellWaiting = (name: string) => {
    const gate = ledger.gates.get(name);
    const answer = gate === undefined ? undefined : answerTo(gate);
    if (answer === undefined) return;
    for (const answered of waiting.get(name) ?? []) answered(answer);
    waiting.delete(name);
  };

  const tell = (effect: string, gate: string, { approved, note, by }: GateAnswer) => {
    const id = `gate ${effect}`;
    if (ledger.signals.has(id)) return;
    push('signal', { id, from: by, event: { type: approved ? 'approved' : 'rejected', gate, note, by } });
  };

  return {
    answer(name, { approved, note, by }) {
      const gate = ledger.gates.get(name);
      const isAnswered = gate?.answer !== undefined || (gate !== undefined && answering.has(keyOf(gate)));
      if (gate === undefined || isAnswered) {
        const open = [...ledger.gates.values()].filter(({ answer }) => answer === undefined).map((one) => one.name);
        const why = gate === undefined ? 'has no gate' : 'has had an answer at gate';
        throw new TroupeError(
          'UNKNOWN_GATE',
          `group \`${group}\` ${why} \`${name}\`; open gates: ${open.join(', ') || 'none'}.`,
        );
      }
      answering.add(keyOf(gate));
      push('gate.answered', { name, approved, note, by }, () => tellWaiting(name));
      if (gate.by !== undefined) return false;
      if (gate.effect === undefined) return true;
      tell(gate.effect, name, { approved, note, by });
      return false;
    },
    ask({ address, incarnation }, { name: asked, question, data }, answered) {
      // A slash of the member's own is written otherwise: `c` of `a/b` is not `b/c` of `a`.
      const name = `${pathPart(address)}/${asked}`;
      const known = ledger.gates.get(name);
      const gate = known?.by === address && known.incarnation === incarnation ? known : undefined;
      const answer = gate === undefined ? undefined : answerTo(gate);
      if (answer !== undefined) {
        answered(answer);
        return () => {};
      }
      const key = `${name}#${incarnation}`;
      if (gate === undefined && !opening.has(key)) {
        const more = data === undefined ? {} : { data };
        opening.add(key);
        const opened = () => void opening.delete(key);
        push('gate.opened', { name, question, ...more, by: address, incarnation }, opened, opened);
      }
      const waiters = waiting.get(name) ?? new Set();
      waiting.set(name, waiters.add(answered));
      return () => {
        waiters.delete(answered);
        if (waiters.size === 0 && waiting.get(name) === waiters) waiting.delete(name);
      };
    },
    tellAgain() {
      if (ledger.status !== 'active') return;
      for (const { effect, answer, name } of ledger.gates.values()) {
        if (effect !== undefined && answer !== undefined) tell(effect, name, answer);
      }
    },
  };
}
