/** A test of many random schedules: for models that are too large to be explored whole. */
import { TroupeError } from '../error.ts';
import type { Model } from './checkable.ts';
import { generator } from './engine/explore.ts';
import { tokenFromEnvironment } from './schedule/environment.ts';
import { isTokenOf, replay, replayed, scheduleOf, type Replayed, type Schedule } from './schedule/schedule.ts';
import { shrunk } from './schedule/shrink.ts';
import { walkerOf, type Walk } from './schedule/walker.ts';

/** How many, and which. */
export interface ScheduleOptions {
  /** Default 200. */
  readonly runs?: number;
  /** A whole number; the same seed gives the same schedules. Default 1. */
  readonly seed?: number;
  /** Events in one at most, the beginning counted. Default 100. */
  readonly eventsMax?: number;
}

/** What was tried. */
export interface SchedulesTried {
  readonly runs: number;
  readonly events: number;
  /** Names of what was met of the model's `sometimes`. A sample that misses one proves nothing. */
  readonly met: readonly string[];
}

/** Random schedules of a model, each of which can happen. Codes: BAD_INPUT. */
export function* randomSchedules<State>(model: Model<State>, options: ScheduleOptions = {}): Generator<Schedule> {
  const plain = model as unknown as Model<never>;
  for (const { events } of walks(plain, options, false)) yield scheduleOf(plain, events);
}

/**
 * Goes through random schedules of a model, and throws for the first on which something does not hold: as few events as are needed,
 * drawn, with the token and the command that replay just this one. Judged are `always`, deadlocks, and what a step shows; for the rest
 * see `check`. With TROUPE_SCHEDULE=<token> it replays that one and no other. Codes: BAD_INPUT.
 */
export function assertSchedules<State>(model: Model<State>, options: ScheduleOptions = {}): SchedulesTried {
  const plain = model as unknown as Model<never>;
  const token = tokenFromEnvironment();
  if (token !== undefined && isTokenOf(plain, token)) {
    const again = replay(model, token);
    if (again.violation !== undefined) throw failure(plain, again, 'again');
    return { runs: 1, events: again.schedule.events.length, met: again.met };
  }
  const met = new Set<string>();
  let runs = 0;
  let events = 0;
  for (const walk of walks(plain, options, true)) {
    runs += 1;
    events += walk.events.length;
    for (const name of walk.met) met.add(name);
    if (walk.wrong === undefined) continue;
    const how = `in run ${runs} of seed ${options.seed ?? 1}`;
    throw failure(plain, replayed(plain, shrunk(plain, walk)), how);
  }
  return { runs, events, met: [...met] };
}

function* walks(model: Model<never>, options: ScheduleOptions, judges: boolean): Generator<Walk> {
  const { runs = 200, seed = 1, eventsMax = 100 } = options;
  if (![runs, seed, eventsMax].every(Number.isInteger) || runs < 1 || eventsMax < 1)
    throw new TroupeError(
      'BAD_INPUT',
      `schedules: expected {runs >= 1, seed, eventsMax >= 1} in whole numbers, got ${JSON.stringify({ runs, seed, eventsMax })}`,
    );
  const draw = generator(seed);
  const walker = walkerOf(model);
  for (let run = 0; run < runs; run += 1)
    yield walker.walk((enabled) => enabled[Math.floor(draw() * enabled.length)], eventsMax, judges);
}

function failure(model: Model<never>, { schedule, violation, diagram }: Replayed, how: string): Error {
  const { property = '', message = '' } = violation ?? {};
  const error = new Error(
    `${model.name}: ${message} (${property}, ${how})\n\n${diagram}\n\ntoken: ${schedule.token}\nreplay it: TROUPE_SCHEDULE=${schedule.token} npx vitest run\n`,
  );
  error.name = 'ScheduleError';
  return error;
}
