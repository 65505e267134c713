/** The levels of an escalation, and what they have to keep to. */
import type { JsonValue } from 'troupe';
import { badInput, checkMembers, milliseconds, type MemberInput } from './member-input.ts';

/** A level that works. */
export type EscalationMember = MemberInput & {
  /** The level has so long, ms >= 1; default no limit. */
  readonly withinMs?: number;
};

/** A level that asks a human; only the last. */
export interface EscalationGate {
  /** Name of the gate. */
  readonly id: string;
  readonly gate: { readonly question: string; readonly data?: JsonValue };
  /** Counts as rejected after this, ms >= 1; default no limit. */
  readonly withinMs?: number;
}

const levelsMax = 100;

/** Does this level ask a human? */
export function isGate(level: EscalationMember | EscalationGate | undefined): level is EscalationGate {
  return level !== undefined && 'gate' in level;
}

/** Levels that can be tried: each in its own time, a gate only at the end. */
export function checkLevels(levels: readonly (EscalationMember | EscalationGate)[]): void {
  checkMembers('escalation', levels as readonly MemberInput[], { name: 'levels', max: levelsMax });
  for (const [index, level] of levels.entries()) {
    milliseconds('escalation', `levels.${level.id}.withinMs`, level.withinMs);
    if (!isGate(level)) continue;
    if (index < levels.length - 1)
      throw badInput(
        'escalation',
        `expected only the last level to be a gate, got gate \`${level.id}\` at place ${index + 1} of ${levels.length}`,
      );
    if (typeof level.gate?.question !== 'string')
      throw badInput('escalation', `expected gate \`${level.id}\` to have a question`);
  }
}
