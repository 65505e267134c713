/** Schedules: what happens, in order, by the names of events; and the one token that says all of it. */
import { TroupeError } from '../../error.ts';
import type { Model } from '../checkable.ts';
import { diagramOf } from '../diagram.ts';
import type { Trace, Violation } from '../result.ts';
import { markIn, markLength, markOf } from './event-id.ts';
import { walkerOf, type Choose, type Enabled, type Walk } from './walker.ts';

/** What happens in a model, in order. Plain JSON. */
export interface Schedule {
  /** Ids of events, `settled:m1:0k3f9a`: what, whose, and a mark of all else; the same in every version of the model that can do it. */
  readonly events: readonly string[];
  /** Says the same in one short word: for `replay`. */
  readonly token: string;
}

/** A schedule that was gone through. */
export interface Replayed {
  readonly schedule: Schedule;
  /** What does not hold, and the way to it. Undefined: nothing wrong on this way. */
  readonly violation: Violation | undefined;
  readonly trace: Trace;
  /** The way as a space-time diagram. */
  readonly diagram: string;
  /** Names of what it met of `sometimes`. */
  readonly met: readonly string[];
}

/** The schedule of these events in this model. */
export function scheduleOf(model: Model<never>, events: readonly string[]): Schedule {
  return { events, token: `${markOf(model.name)}.${events.map(markIn).join('')}` };
}

/** Is this a token of the model? Names are compared, so that one token may be offered to many. */
export function isTokenOf(model: Model<never>, token: string): boolean {
  return token.startsWith(`${markOf(model.name)}.`);
}

/**
 * Goes through a model as a schedule (or its token) says, and judges what can be judged on one way: `always`, deadlock, and what a
 * step shows. Codes: BAD_INPUT for a token of another model, and for an event that cannot happen where it stands.
 */
export function replay<State>(model: Model<State>, schedule: Schedule | string): Replayed {
  const plain = model as unknown as Model<never>;
  const token = typeof schedule === 'string' ? schedule : schedule.token;
  const marks = typeof schedule === 'string' ? marksOf(plain, token) : schedule.events.map(markIn);
  const walk = walkerOf(plain).walk((enabled, step) => {
    const mark = marks[step];
    if (mark === undefined) return undefined;
    const next = enabled.find(({ id }) => markIn(id) === mark);
    if (next === undefined) throw cannotHappen(plain, schedule, step, enabled);
    return next;
  }, marks.length);
  return replayed(plain, walk);
}

/** As `replay` tells it. */
export function replayed(model: Model<never>, { events, steps, wrong, met }: Walk): Replayed {
  const violation: Violation | undefined =
    wrong === undefined
      ? undefined
      : { ...wrong, message: `${wrong.message} after ${steps.length - 1} steps`, trace: { steps } };
  return {
    schedule: scheduleOf(model, events),
    violation,
    trace: { steps },
    diagram: diagramOf({ steps }, model.lanes),
    met,
  };
}

/** Takes what is still possible of these events, in order, and leaves out what is not: what has lost its cause goes with it. */
export function inOrder(events: readonly string[]): Choose {
  let at = 0;
  return (enabled) => {
    while (at < events.length) {
      const id = events[at];
      at += 1;
      const next = enabled.find((one) => one.id === id);
      if (next !== undefined) return next;
    }
    return undefined;
  };
}

function marksOf(model: Model<never>, token: string): readonly string[] {
  const [, marks = ''] = token.split('.');
  if (!isTokenOf(model, token) || marks.length % markLength !== 0)
    throw new TroupeError(
      'BAD_INPUT',
      `replay: \`${token.slice(0, 40)}\` is no token of model \`${model.name}\`, whose tokens begin with \`${markOf(model.name)}.\`. Replay it with the model that it was printed for.`,
    );
  return marks.match(new RegExp(`.{${markLength}}`, 'g')) ?? [];
}

function cannotHappen(
  model: Model<never>,
  schedule: Schedule | string,
  step: number,
  enabled: readonly Enabled[],
): TroupeError {
  const what = typeof schedule === 'string' ? `event ${step}` : `event ${step}, \`${schedule.events[step] ?? ''}\`,`;
  const shown = enabled.slice(0, 12).map(({ id }) => id);
  const could = enabled.length === 0 ? 'nothing' : shown.join(', ') + (enabled.length > shown.length ? ' …' : '');
  return new TroupeError(
    'BAD_INPUT',
    `replay: ${what} of the schedule cannot happen there in model \`${model.name}\`: the model is another one by now. What could: ${could}.`,
  );
}
