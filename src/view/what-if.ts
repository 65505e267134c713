/**
 * What if: a machine without a run, stepped by hand. The real host drives it in memory; its members wait to be told how they end, its
 * clock stands still until it is moved, and nothing of the world is touched. Going back plays the choices again, up to there.
 */
import type { AnyStateMachine } from 'xstate';
import type { Clock } from '../clock.ts';
import { TroupeError } from '../error.ts';
import type { Coordinator } from '../group/coordinator.ts';
import { scripted } from '../harness/scripted.ts';
import type { JsonValue } from '../json.ts';
import { memoryStore } from '../journal/memory.ts';
import type { Journal } from '../journal/port.ts';
import { defineProcess, type Process } from '../process/define-process.ts';
import { drained } from '../process/drained.ts';
import { openRun } from '../process/run.ts';
import type { Chart } from './chart.ts';
import type { Choice, ViewState } from './model.ts';

/** A machine under what-if. */
export interface WhatIf {
  readonly journal: Journal;
  readonly process: Process<never, unknown>;
  /** What could happen in this state, which is that at the end. */
  choices(state: ViewState, charts: Readonly<Record<string, Chart>>): readonly Choice[];
  /** Lets it happen, and waits until nothing more follows. Codes: BAD_INPUT. */
  take(id: string, value: JsonValue | undefined): Promise<void>;
  /** What was chosen so far. */
  readonly taken: readonly Taken[];
  close(): Promise<void>;
}

/** A choice that was made. */
export interface Taken {
  readonly id: string;
  readonly value: JsonValue | undefined;
}

/** Name of the one group. */
export const whatIfGroup = 'group';
const run = 'what-if';
/** Turns of the event loop after which nothing more follows: all is in memory. */
const turnsToSettle = 60;

/** Starts a group of `machine` with `input`, and lets `taken` happen again. Codes: MACHINE_UNSUPPORTED, BAD_INPUT. */
export async function whatIf(
  machine: AnyStateMachine,
  input: JsonValue,
  again: readonly Taken[] = [],
): Promise<WhatIf> {
  const clock = stillClock();
  const store = memoryStore();
  const harness = scripted(undefined, { clock });
  const process = defineProcess(run, (ctx) =>
    ctx
      .group(whatIfGroup, machine as Coordinator<JsonValue, JsonValue>, input)
      .output.catch((error: unknown) => String(error)),
  ) as Process<never, unknown>;
  const opened = await openRun({
    store,
    process,
    run,
    harnesses: { 'by hand': harness },
    defaultHarness: 'by hand',
    clock,
  });
  const driving = opened.drive();
  let failure: Error | undefined;
  driving.catch((error: unknown) => {
    failure = error instanceof Error ? error : new Error(String(error));
  });
  const settled = async () => {
    for (let turn = 0; turn < turnsToSettle; turn += 1) await drained();
    if (failure !== undefined) throw failure;
  };
  await settled();
  const journal = await store.open(run);
  const taken: Taken[] = [];
  let events = 0;

  const happen = async (id: string, value: JsonValue | undefined): Promise<void> => {
    const space = id.indexOf(' ');
    const kind = space === -1 ? id : id.slice(0, space);
    const what = space === -1 ? '' : id.slice(space + 1);
    switch (kind) {
      case 'ok':
        harness.settle(what, { status: 'ok', output: value ?? null });
        return;
      case 'error': {
        const message = typeof value === 'string' ? value : 'chosen by hand';
        harness.settle(what, { status: 'error', class: 'refused', error: { name: 'Error', message } });
        return;
      }
      case 'event': {
        const fields = isRecord(value) ? value : {};
        events += 1;
        await opened.signal(whatIfGroup, { ...fields, type: what }, { id: `by hand ${events}` });
        return;
      }
      case 'approve':
      case 'reject':
        await opened.answer({ gate: what, approved: kind === 'approve', note: '' });
        return;
      case 'time':
        clock.toNext();
        return;
      case 'cancel':
        await opened.cancel('chosen by hand');
        return;
      default:
        throw new TroupeError('BAD_INPUT', `expected a choice such as \`ok worker\` or \`event go\`, got \`${id}\`.`);
    }
  };
  const whatIf: WhatIf = {
    journal,
    process,
    taken,
    choices: (state, charts) =>
      choicesIn(
        state,
        charts,
        harness.open().map(({ member }) => member),
        clock.isAwaited(),
      ),
    async take(id, value) {
      await happen(id, value);
      taken.push({ id, value });
      await settled();
    },
    async close() {
      await opened.stop('closed').catch(() => {});
      await opened.close();
      await journal.close();
    },
  };
  for (const one of again) await whatIf.take(one.id, one.value);
  return whatIf;
}

function choicesIn(
  state: ViewState,
  charts: Readonly<Record<string, Chart>>,
  open: readonly string[],
  isTimed: boolean,
): readonly Choice[] {
  const group = state.groups[whatIfGroup];
  if (group === undefined || group.status !== 'active') return [];
  const choices: Choice[] = open.flatMap((member) => [
    { id: `ok ${member}`, label: `${member} succeeds`, takes: 'output' as const },
    { id: `error ${member}`, label: `${member} fails`, takes: 'message' as const },
  ]);
  const events = new Set<string>();
  const actor = group.actors[''];
  for (const { source, event } of charts[actor?.chart ?? '']?.transitions ?? []) {
    if (
      actor?.active.includes(source) !== true ||
      event === '' ||
      event === 'default' ||
      /^(xstate|troupe)\./.test(event)
    )
      continue;
    events.add(event);
  }
  for (const event of events) {
    if (!event.includes('*')) choices.push({ id: `event ${event}`, label: `event ${event}`, takes: 'event' });
  }
  for (const { name, answer } of Object.values(group.gates)) {
    if (answer !== null) continue;
    choices.push({ id: `approve ${name}`, label: `approve ${name}`, takes: 'none' });
    choices.push({ id: `reject ${name}`, label: `reject ${name}`, takes: 'none' });
  }
  if (isTimed) choices.push({ id: 'time', label: 'time passes to the next timer', takes: 'none' });
  choices.push({ id: 'cancel', label: 'cancel', takes: 'none' });
  return choices;
}

const isRecord = (value: JsonValue | undefined): value is { readonly [key: string]: JsonValue } =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

interface StillClock extends Clock {
  /** Moves to the next moment that somebody waits for. */
  toNext(): void;
  isAwaited(): boolean;
}

/** A clock that stands still until it is moved. */
function stillClock(): StillClock {
  let now = 0;
  const wakes = new Map<() => void, number>();
  const due = () => [...wakes].sort((a, b) => a[1] - b[1])[0];
  const fire = () => {
    const next = due();
    if (next === undefined) return;
    wakes.delete(next[0]);
    now = Math.max(now, next[1]);
    next[0]();
  };
  return {
    now: () => now,
    wakeAt(atMs, callback) {
      const call = () => callback();
      wakes.set(call, atMs);
      // What is due already does not wait to be let happen.
      if (atMs <= now) void drained().then(() => wakes.delete(call) && callback());
      return () => void wakes.delete(call);
    },
    toNext: fire,
    isAwaited: () => wakes.size > 0,
  };
}
