/** What members do: which model is whose, the outcomes by number, and the machines in harnesses' places. */
import { TroupeError } from '../../error.ts';
import { canonical, toJson, type JsonValue } from '../../json.ts';
import { define } from '../../group/definition.ts';
import type { Effect } from '../../group/effect.ts';
import { interruptedCode } from '../../group/interruption.ts';
import { timers } from '../../group/step.ts';
import type { Outcome } from '../../harness/port.ts';
import { fail, ok } from '../../harness/outcome.ts';
import type { Move } from '../actors/options.ts';
import { PairMap } from '../engine/pair-map.ts';
import { localsOf } from '../kernel/locals.ts';
import { stepsOf, type Steps } from '../kernel/steps.ts';
import { textsOf, type Texts } from '../kernel/texts.ts';
import type { TellEvent } from '../tell.ts';
import { outcomes, type MemberMachine, type MemberModel } from './options.ts';

/** What of an outcome can settle a member. */
export type Settling = Exclude<Outcome, { readonly status: 'cancelled' }>;

/** One member's behaviour. */
export interface Behaviour {
  /** Numbers of the outcomes that an attempt may come to of itself. */
  readonly outcomes: readonly number[];
  readonly steps: Steps | undefined;
  readonly moves: readonly Move[];
}

/** What a machine in a member's place did. */
export interface MemberStep {
  readonly mind: number;
  /** Numbers of messages. */
  readonly sent: readonly number[];
  /** Number of its outcome, when it has ended. */
  readonly outcome: number | undefined;
}

/** A message on its way to be recorded. */
export type Outgoing = { readonly to: string; readonly type: string; readonly body: JsonValue };

/** Everything that members do. */
export interface Behaviours {
  of(address: string): Behaviour;
  outcomeOf(id: number): Settling;
  readonly crashed: number;
  readonly interrupted: number;
  begin(behaviour: Behaviour, invocation: JsonValue): MemberStep;
  hear(behaviour: Behaviour, mind: number, event: JsonValue): MemberStep;
  /** Events of the timers that a machine has set. */
  timersOf(behaviour: Behaviour, mind: number): readonly JsonValue[];
  fire(behaviour: Behaviour, mind: number, timer: JsonValue): MemberStep;
  messageOf(id: number): Outgoing;
  readonly allSteps: readonly Steps[];
}

/** Compiles the models. Codes: BAD_INPUT, MACHINE_UNSUPPORTED. */
export function behavioursOf(
  models: { readonly [address: string]: MemberModel } | undefined,
  isChecked: boolean,
): Behaviours {
  const texts = textsOf();
  const all: Settling[] = [];
  const outcomeId = (outcome: Outcome): number => {
    if (outcome.status === 'cancelled')
      throw new TroupeError(
        'BAD_INPUT',
        'outcomes: expected ok(…) or fail(…), got a cancelled one; use `cancel` or `faults`',
      );
    if (outcome.status === 'ok') toJson(outcome.output ?? null, 'outcomes: an output');
    // A stack names files of this machine; no journal keeps it.
    const plain = JSON.parse(
      JSON.stringify(outcome, (key, value: unknown) => (key === 'stack' ? undefined : value)),
    ) as Settling;
    const id = texts.idOf(canonical(plain as unknown as JsonValue));
    if (id === all.length) all.push(plain);
    return id;
  };
  const messages = textsOf();
  const stepsBy = new Map<unknown, Steps>();
  const compiled = new Map<MemberModel, Behaviour>();
  const compile = (model: MemberModel): Behaviour => {
    const known = compiled.get(model);
    if (known !== undefined) return known;
    const behaviour = compileOne(model);
    compiled.set(model, behaviour);
    return behaviour;
  };
  const compileOne = (model: MemberModel): Behaviour => {
    if ('outcomes' in model) {
      if (model.outcomes.length === 0)
        throw new TroupeError('BAD_INPUT', 'outcomes: expected at least one way to come out');
      return { outcomes: [...new Set(model.outcomes.map(outcomeId))], steps: undefined, moves: [] };
    }
    const { machine, moves = [] } = 'root' in model ? ({ machine: model } as MemberMachine) : model;
    const definition = define(machine);
    const steps = stepsBy.get(definition) ?? stepsOf(definition, localsOf(undefined), isChecked);
    stepsBy.set(definition, steps);
    return { outcomes: [], steps, moves };
  };
  const table = models ?? { '*': outcomes(ok(), fail()) };
  for (const model of Object.values(table)) compile(model);
  const patterns = Object.keys(table).sort((a, b) => b.length - a.length || (a < b ? -1 : 1));
  const byAddress = new Map<string, Behaviour>();

  const stepped = (steps: Steps, local: number, effects: readonly Effect[]): MemberStep => {
    const sent: number[] = [];
    for (const effect of effects) {
      if (effect.type !== 'emit' || effect.event.type !== 'troupe.tell') continue;
      const { to, event } = effect.event as unknown as TellEvent;
      const { type, body, ...fields } = event;
      sent.push(messages.idOf(canonical({ to, type, body: body ?? fields } as unknown as JsonValue)));
    }
    const { end } = steps.locals.systemOf(local);
    const outcome =
      end === undefined
        ? undefined
        : end.status === 'completed'
          ? outcomeId(ok(end.output))
          : outcomeId(
              end.status === 'failed' ? { status: 'error', class: 'failed', error: end.error } : fail('failed'),
            );
    return { mind: local, sent, outcome };
  };
  const memos = new Map<Steps, { readonly ids: PairMap; readonly events: Texts; readonly results: MemberStep[] }>();
  /** Each distinct step of a machine is taken once. */
  const memoised = (steps: Steps, mind: number, type: string, data: JsonValue): MemberStep => {
    let memo = memos.get(steps);
    if (memo === undefined) memos.set(steps, (memo = { ids: new PairMap(), events: textsOf(), results: [] }));
    const { ids, events, results } = memo;
    const event = events.idOf(`${type} ${canonical(data)}`);
    const known = ids.get(mind, event);
    if (known >= 0) return results[known] as MemberStep;
    const { local, effects } = steps.step(mind, type, data, 0);
    const result = stepped(steps, local, effects);
    ids.set(mind, event, results.length);
    results.push(result);
    return result;
  };
  const stepsFor = ({ steps }: Behaviour): Steps => {
    if (steps === undefined) throw new Error('the member has no machine');
    return steps;
  };

  return {
    of(address) {
      const known = byAddress.get(address);
      if (known !== undefined) return known;
      const pattern = patterns.find((one) => one === address) ?? patterns.find((one) => isMatch(one, address));
      const model = pattern === undefined ? undefined : table[pattern];
      if (model === undefined)
        throw new TroupeError(
          'BAD_INPUT',
          `protocol: \`members\` says nothing of member \`${address}\`; it has ${patterns.join(', ')}. Add it, or \`*\` for all others.`,
        );
      const behaviour = compile(model);
      byAddress.set(address, behaviour);
      return behaviour;
    },
    outcomeOf: (id) => all[id] as Settling,
    crashed: outcomeId({ status: 'error', class: 'crashed', error: { name: 'Error', message: 'the attempt crashed' } }),
    interrupted: outcomeId({
      status: 'error',
      class: 'crashed',
      error: { name: 'InterruptedError', message: 'its host ended', code: interruptedCode },
    }),
    begin(behaviour, invocation) {
      const steps = stepsFor(behaviour);
      const { local, effects } = steps.begin(invocation);
      return stepped(steps, local, effects);
    },
    hear: (behaviour, mind, event) =>
      memoised(stepsFor(behaviour), mind, 'signal', { id: 'letter', from: 'group', event }),
    timersOf(behaviour, mind) {
      const { steps } = behaviour;
      return steps === undefined ? [] : (timers(steps.locals.systemOf(mind)) as unknown as readonly JsonValue[]);
    },
    fire: (behaviour, mind, timer) => memoised(stepsFor(behaviour), mind, 'timer.fired', timer),
    messageOf: (id) => JSON.parse(messages.textOf(id)) as Outgoing,
    get allSteps() {
      return [...stepsBy.values()];
    },
  };
}

function isMatch(pattern: string, address: string): boolean {
  if (!pattern.includes('*')) return false;
  const parts = pattern.split('*').map((part) => part.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&'));
  return new RegExp(`^${parts.join('.*')}$`, 's').test(address);
}
