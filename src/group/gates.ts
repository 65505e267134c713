/** Answers to the gates of one group: each counts once, and its coordinator hears it once. */
import { TroupeError } from '../error.ts';
import type { Push } from './entries.ts';
import type { Ledger } from './ledger.ts';

/** Somebody's answer. */
export interface GateAnswer {
  readonly approved: boolean;
  readonly note: string;
  readonly by: string;
}

/** The gates of one group. */
export interface Gates {
  /** Records an answer; true when the host waits for it (a budget's gate), not the coordinator. Codes: UNKNOWN_GATE. */
  answer(gate: string, answer: GateAnswer): boolean;
  /** Tells the answers whose signal was lost with its host. */
  tellAgain(): void;
}

/** The gates that `ledger` knows. */
export function gatesOf(group: string, ledger: Ledger, push: Push): Gates {
  /** Gates whose answer is on its way or recorded. */
  const answering = new Set<string>();

  const tell = (effect: string, gate: string, { approved, note, by }: GateAnswer) => {
    const id = `gate ${effect}`;
    if (ledger.signals.has(id)) return;
    push('signal', { id, from: by, event: { type: approved ? 'approved' : 'rejected', gate, note, by } });
  };

  return {
    answer(name, { approved, note, by }) {
      const gate = ledger.gates.get(name);
      const isAnswered = gate?.answer !== undefined || answering.has(gate?.effect ?? name);
      if (gate === undefined || isAnswered) {
        const open = [...ledger.gates.values()].filter(({ answer }) => answer === undefined).map((one) => one.name);
        const why = gate === undefined ? 'has no gate' : 'has had an answer at gate';
        throw new TroupeError(
          'UNKNOWN_GATE',
          `group \`${group}\` ${why} \`${name}\`; open gates: ${open.join(', ') || 'none'}.`,
        );
      }
      answering.add(gate.effect ?? name);
      push('gate.answered', { name, approved, note, by });
      if (gate.effect === undefined) return true;
      tell(gate.effect, name, { approved, note, by });
      return false;
    },
    tellAgain() {
      if (ledger.status !== 'active') return;
      for (const { effect, answer, name } of ledger.gates.values()) {
        if (effect !== undefined && answer !== undefined) tell(effect, name, answer);
      }
    },
  };
}
