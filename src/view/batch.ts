/**
 * Many entries folded into one state, with no patches asked for: what is written to is copied once, everything else is shared with the
 * state before. A draft of immer's does the same at several times the cost, which a run of a hundred thousand entries notices.
 */
import type { Draft } from 'immer';
import type { Effect } from '../group/effect.ts';
import type { Entry } from '../journal/port.ts';
import { keyFor } from './key.ts';
import type { GroupState, MemberState, ViewState } from './model.ts';
import { emptyGroup } from './reduce-group.ts';
import { reduce } from './reduce.ts';
import { writeMail } from './turns.ts';

/** A batch under way. */
export interface Batch {
  /** Folds the entry at `position`. */
  reduce(position: number, entry: Entry): void;
  /** Counts what the turn of this group's entry put into mailboxes. */
  mail(stream: string, effects: readonly Effect[]): void;
  /** The state after; the batch is over. */
  end(): ViewState;
}

type Group = Draft<GroupState>;

/** A batch that begins with `before`, which is not changed. */
export function batchOf(before: ViewState): Batch {
  const state = {
    ...before,
    run: { ...before.run },
    groups: { ...before.groups },
    gates: copied(before.gates),
    judged: { ...before.judged, properties: { ...before.judged.properties } },
  } as Draft<ViewState>;
  const owned = new Map<string, Set<string>>();

  const own = (stream: string): Group => {
    const name = stream.slice('group:'.length);
    const key = keyFor(name);
    const known = state.groups[key];
    if (owned.has(key)) return known as Group;
    owned.set(key, new Set());
    const group = known ?? (emptyGroup(name) as Group);
    const copy: Group = {
      ...group,
      members: { ...group.members },
      gates: copied(group.gates),
      checkpoints: [...group.checkpoints],
      deadLetters: [...group.deadLetters],
      warnings: [...group.warnings],
    };
    state.groups[key] = copy;
    return copy;
  };
  const ownMember = (stream: string, id: string) => {
    const group = own(stream);
    const key = keyFor(id);
    const mine = owned.get(keyFor(group.name)) as Set<string>;
    const member = group.members[key];
    if (mine.has(key) || member === undefined) return;
    mine.add(key);
    group.members[key] = memberCopy(member);
  };
  const ownAll = (stream: string) => {
    for (const { id } of Object.values(own(stream).members)) ownMember(stream, id);
  };

  return {
    reduce(position, entry) {
      const { stream, type, data } = entry;
      if (type === 'epoch.taken') for (const { name } of Object.values(state.groups)) ownAll(`group:${name}`);
      if (stream.startsWith('group:')) {
        const { member } = (data ?? {}) as { readonly member?: unknown };
        if (type === 'group.ended' || type === 'group.cancelled') ownAll(stream);
        else if (typeof member === 'string') ownMember(stream, member);
        else own(stream);
      }
      reduce(state, position, entry);
    },
    mail(stream, effects) {
      for (const effect of effects) if (effect.type === 'deliver') ownMember(stream, effect.address);
      writeMail(own(stream), effects);
    },
    end: () => state,
  };
}

function memberCopy(member: Draft<MemberState>): Draft<MemberState> {
  return { ...member, attempts: member.attempts.map((one) => ({ ...one })) };
}

function copied<Value extends object>(record: Readonly<Record<string, Value>>): Record<string, Draft<Value>> {
  return Object.fromEntries(Object.entries(record).map(([key, value]) => [key, { ...value } as Draft<Value>]));
}
