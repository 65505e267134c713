/** The gates of one group: what its machines and members ask, and the answers: each counts once, and whoever asked hears it once. */
import { TroupeError } from '../error.ts';
import type { GateAnswer, Question } from '../harness/port.ts';
import {
  gateName,
  gatesThatWait,
  isAskedBelow,
  leftGates,
  openedBy,
  openingOf,
  tellingOf,
  type Asked,
  type Emitted,
} from './askers.ts';
import { isHosts } from './budget.ts';
import type { ActorKey } from './effect.ts';
import type { GroupEvents, Push } from './entries.ts';
import type { GateRecord, Ledger } from './ledger.ts';
import type { System } from './system.ts';

/** The gates of one group. */
export interface Gates {
  /**
   * Records an answer, to this {@link openingOf} the gate where one is said; true when the host waits for it (a budget's gate), not a machine
   * or a member. Codes: UNKNOWN_GATE.
   */
  answer(gate: string, answer: GateAnswer, opening?: string): boolean;
  /** Opens a machine's gate. */
  open(emitted: Emitted): void;
  /** Opens a member's gate unless it is open, and calls back with its answer; the result calls that off. */
  ask(member: ActorKey, question: Question, answered: (answer: GateAnswer) => void): () => void;
  /** Tells the answers whose signal was lost with its host. */
  tellAgain(): void;
  /** Withdraws what machines below the coordinator have asked that are gone in this state. */
  withdraw(system: System): void;
}

/** The gates that `ledger` knows. */
export function gatesOf(group: string, ledger: Ledger, push: Push): Gates {
  /** Gates whose answer is on its way or recorded. */
  const answering = new Set<string>();
  /** Names of gates that machines below the coordinator may wait at, so that not all are looked through each time; undefined: not known yet. */
  let askedBelow: Set<string> | undefined;
  /** Gates whose asker is gone, and whose withdrawal is on its way or recorded. */
  const withdrawn = new Set<string>();
  /** Machines' gates that are being opened, by name: an answer that comes meanwhile stands behind that in the journal. */
  const reopening = new Map<string, Asked>();
  /** Gates of members that are being opened. */
  const opening = new Set<string>();
  /** Who waits for the answer at a member's gate. */
  const waiting = new Map<string, Set<(answer: GateAnswer) => void>>();

  const answerTo = ({ answer }: GateRecord): GateAnswer | undefined =>
    answer === undefined ? undefined : { approved: answer.approved, note: answer.note, by: answer.by };
  const tellWaiting = (name: string) => {
    const gate = ledger.gates.get(name);
    const answer = gate === undefined ? undefined : answerTo(gate);
    if (answer === undefined) return;
    for (const answered of waiting.get(name) ?? []) answered(answer);
    waiting.delete(name);
  };

  const tell = (telling: GroupEvents['signal']) => {
    if (!ledger.signals.has(telling.id)) push('signal', telling);
  };

  return {
    answer(name, { approved, note, by }, opening) {
      const gate = ledger.gates.get(name);
      const asked = reopening.get(name) ?? gate;
      const isAnother = opening !== undefined && asked !== undefined && openingOf(asked) !== opening;
      const isLeft = (one: GateRecord) => withdrawn.has(openingOf(one));
      const isAnswered = gate !== undefined && (gate.answer !== undefined || answering.has(openingOf(gate)));
      const open = gatesThatWait(ledger).filter((one) => !isLeft(one));
      if (gate === undefined || asked === undefined || isAnswered || isAnother || !open.includes(gate)) {
        const isGone = gate === undefined || isLeft(gate);
        const isOver = isGone ? 'has no' : 'has ended, and hears no answer at its';
        const why = isAnswered ? 'has had an answer at' : isAnother ? 'has asked anew at' : isOver;
        throw new TroupeError(
          'UNKNOWN_GATE',
          `group \`${group}\` ${why} gate \`${name}\`; open gates: ${open.map((one) => one.name).join(', ') || 'none'}.`,
        );
      }
      answering.add(openingOf(asked));
      push('gate.answered', { name, approved, note, by }, () => tellWaiting(name));
      const telling = tellingOf(asked, { approved, note, by });
      if (telling !== undefined) tell(telling);
      return isHosts(gate);
    },
    open(emitted) {
      const opened = openedBy(emitted);
      reopening.set(opened.name, opened);
      push('gate.opened', opened, () => {
        if (reopening.get(opened.name) === opened) reopening.delete(opened.name);
        if (opened.by !== undefined) askedBelow?.add(opened.name);
      });
    },
    ask({ address, incarnation }, { name: asked, question, data }, answered) {
      const name = gateName(address, asked);
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
      for (const gate of ledger.gates.values()) {
        const telling = gate.answer === undefined ? undefined : tellingOf(gate, gate.answer);
        if (telling !== undefined) tell(telling);
      }
    },
    withdraw(system) {
      const gates = [...(askedBelow ?? ledger.gates.keys())]
        .flatMap((name) => ledger.gates.get(name) ?? [])
        .filter(isAskedBelow);
      askedBelow = new Set(gates.map(({ name }) => name));
      for (const left of leftGates(gates, system)) {
        const key = openingOf(ledger.gates.get(left.name) as GateRecord);
        if (answering.has(key) || withdrawn.has(key)) continue;
        withdrawn.add(key);
        push('gate.withdrawn', left);
      }
    },
  };
}
