/** A turn from its beginning to what it comes to. */
import { TroupeError } from '../error.ts';
import { toJson, type JsonValue } from '../json.ts';
import { parentAddress, rootAddress } from './address.ts';
import type { Bounds } from './bounds.ts';
import type { Cell } from './cell.ts';
import { where } from './describe.ts';
import type { ActorKey, Delivery, Effect, GroupEnd } from './effect.ts';
import { bytesOver } from './json-bytes.ts';
import { isPlainError, plainTroupeError, toPlainError } from './plain-error.ts';
import { enter, leave } from './ref.ts';
import { stoppedSnapshot } from './snapshot.ts';
import { wants, type System } from './system.ts';
import { Turn } from './turn.ts';
import type { Vector } from './vector.ts';

/** What a turn comes to. */
export interface Step {
  readonly system: System;
  /** What the fold asks of the world, in order. */
  readonly effects: readonly Effect[];
  /** The actor-to-actor deliveries that the turn derived, in order. */
  readonly derived: readonly Delivery[];
}

/**
 * Runs `work` as the turn of entry `seq`. Over a bound, or on what could not be replayed, the turn is taken back
 * and the group ends as failed: the same in every replay.
 */
export function runTurn(system: System, seq: number, at: number, work: (turn: Turn) => void): Step {
  const turn = new Turn(system, seq, at);
  enter(turn);
  try {
    work(turn);
    turn.limits.assertUnbroken();
    return settle(turn);
  } catch (error) {
    const { broken } = turn.limits;
    if (broken === undefined) throw error;
    return abandon(new Turn(system, seq, at), broken);
  } finally {
    turn.roster.release();
    leave();
  }
}

function settle(turn: Turn): Step {
  const end = turn.system.end === undefined ? endOf(turn) : undefined;
  const cells = turn.roster.write(turn.lanes);
  const next = systemAfter(turn, cells, turn.system.end);
  return end === undefined ? stepTo(turn, next) : endWith(turn, next, end);
}

function abandon(turn: Turn, error: TroupeError): Step {
  return endWith(turn, turn.system, { status: 'failed', error: plainTroupeError(error) });
}

function endWith(turn: Turn, system: System, end: GroupEnd): Step {
  const goingOn: ActorKey[] = [];
  for (const { address, incarnation, input } of wants(system)) {
    if (end.status !== 'cancelled' && input.background === true && parentAddress(address) === rootAddress)
      goingOn.push({ address, incarnation });
    else turn.outbox.ask({ type: 'cancel', address, incarnation });
  }
  const ended = goingOn.length === 0 ? end : { ...end, goingOn };
  turn.outbox.ask({ type: 'end', ...ended });
  return stepTo(turn, systemAfter(turn, system.cells, ended));
}

function stepTo(turn: Turn, system: System): Step {
  return { system, effects: turn.outbox.effects, derived: turn.outbox.derived };
}

function systemAfter(turn: Turn, cells: Vector<Cell>, end: GroupEnd | undefined): System {
  const { system, seq, roster, timetable, lanes } = turn;
  return {
    definition: system.definition,
    bounds: system.bounds,
    places: system.places,
    cells,
    systemIds: roster.systemIds(),
    seq,
    end,
    memberCount: roster.memberCount,
    timerCount: timetable.count,
    startedCount: turn.startedCount,
    scheduledCount: timetable.scheduledCount,
    lanes: { a: lanes.a, b: lanes.b },
  };
}

/** How the group has ended, if its coordinator stopped in this turn. */
function endOf({ system, reason }: Turn): GroupEnd | undefined {
  const root = system.places.byAddress.get(rootAddress)?.live;
  if (root === undefined || root.phase !== 'stopped') return undefined;
  const { status, output, error } = root.snapshot ?? stoppedSnapshot;
  if (status === 'error') return { status: 'failed', error: isPlainError(error) ? error : toPlainError(error) };
  if (status !== 'done') return { status: 'cancelled', reason };
  try {
    const told = output === undefined ? null : toJson(output, `${where(root)}: output`);
    return outputTooLarge(system.bounds, told) ?? { status: 'completed', output: told };
  } catch (thrown) {
    return { status: 'failed', error: toPlainError(thrown) };
  }
}

/** A group whose output no journal takes could never end. Groups that were created before there was this bound have none. */
function outputTooLarge({ outputBytesMax }: Partial<Bounds>, output: JsonValue): GroupEnd | undefined {
  const bytes = outputBytesMax === undefined ? undefined : bytesOver(output, outputBytesMax);
  if (bytes === undefined) return undefined;
  const message = `output of the group: ${bytes} bytes are over the bound \`outputBytesMax\` of ${String(outputBytesMax)}; put large data into files and return their paths.`;
  return { status: 'failed', error: plainTroupeError(new TroupeError('LIMIT', message, { bound: 'outputBytesMax' })) };
}
