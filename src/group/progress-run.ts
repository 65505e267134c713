/**
 * Progress told in a row. It only lands in the members' own snapshots, so a run of it is folded without a turn around each: all count
 * in the digest, and of each member the last is written.
 */
import type { Cell } from './cell.ts';
import { Digest } from './digest.ts';
import type { GroupEvents } from './entries.ts';
import { memberTransition, type MemberSnapshot } from './member.ts';
import { cellAt, type System } from './system.ts';
import { setAt } from './vector.ts';

/** A run of progress on top of a system. */
export interface ProgressRun {
  /** Folds one `member.progress`; that of a member who is not living changes nothing. */
  add(seq: number, data: GroupEvents['member.progress']): void;
  /** The system after the run. */
  end(): System;
}

/** Begins a run. */
export function progressRun(system: System): ProgressRun {
  const lanes = new Digest(system.lanes);
  const told = new Map<Cell, GroupEvents['member.progress']>();
  let { seq } = system;
  return {
    add(at, data) {
      const cell = cellAt(system, data.member);
      const actor = cell?.actor;
      if (
        system.end !== undefined ||
        actor === undefined ||
        !actor.running ||
        cell?.incarnation !== data.incarnation ||
        actor.logic.kind !== 'member'
      )
        return;
      lanes.number(at);
      lanes.hash(cell.place.hash);
      seq = at;
      told.set(cell, data);
    },
    end() {
      if (told.size === 0) return system;
      let { cells } = system;
      for (const [cell, { progress }] of told) cells = setAt(cells, cell.place.index, withProgress(cell, progress));
      const { definition, bounds, places, systemIds, memberCount, timerCount, startedCount, scheduledCount } = system;
      return {
        definition,
        bounds,
        places,
        cells,
        systemIds,
        seq,
        end: undefined,
        memberCount,
        timerCount,
        startedCount,
        scheduledCount,
        lanes,
      };
    },
  };
}

function withProgress(cell: Cell, progress: GroupEvents['member.progress']['progress']): Cell {
  const { place, incarnation, last, actor } = cell;
  if (actor === undefined) return cell;
  const { ref, logic, order, timers, running } = actor;
  const snapshot = memberTransition(actor.snapshot as MemberSnapshot, { type: 'troupe.progress', progress });
  return { place, incarnation, last, actor: { ref, logic, snapshot, running, order, timers } };
}
