/**
 * Escalation: tries levels in order, cheap before dear before a human. The next one is tried when a level fails, takes too long,
 * or when the judge does not accept what it came to. The last level may be a gate: a question to a human.
 *
 * ```mermaid
 * stateDiagram-v2
 *   [*] --> choosing
 *   choosing --> asking: is gate
 *   choosing --> trying: is member
 *   choosing --> choosing: none is left
 *   trying --> judging: xstate.done.actor.* [has judge]
 *   trying --> done: xstate.done.actor.*
 *   trying --> choosing: xstate.error.actor.* / after level
 *   judging --> done: xstate.done.actor.* [is accepted]
 *   judging --> choosing: xstate.done.actor.* / xstate.error.actor.*
 *   asking --> done: approved [is for this gate] / rejected [is for this gate] / after gate
 *   done --> [*]
 * ```
 *
 * ```ts
 * const fix = ctx.group('fix', escalation, {
 *   levels: [
 *     { id: 'small', harness: 'small-model', prompt: 'Fix test 7.', withinMs: 300_000 },
 *     { id: 'large', harness: 'large-model', prompt: 'Fix test 7.' },
 *     { id: 'maintainer', gate: { question: 'Nothing fixed test 7. Ship without it?' } },
 *   ],
 *   judge: { id: 'tests', command: ['npm', 'test'], accepts: 'success' },
 * });
 * const { accepted, level, output } = await fix.output;
 * ```
 *
 * A level's `input` has `earlier`: what the levels before it came to. The judge's has `level`, `output` and `earlier`. A gate
 * waits for the event `{ type: 'approved', gate: '<id>', note? }` or `{ type: 'rejected', gate: '<id>', note? }` from outside.
 * When no level is left the group fails, with what each came to. In another machine (`withMachines`) the gate is answered as
 * `<address>/<id>`: `troupe approve <run> fix/maintainer` for the escalation at `fix`, which hears its own `<id>`.
 */
import { assign, enqueueActions, setup, type AnyActorRef } from 'xstate';
import { checkpoint, coordinator, gate, member, type JsonValue, type PlainError } from 'troupe';
import { checkLevels, isGate, type EscalationGate, type EscalationMember } from './levels.ts';
import {
  checkInput,
  checkMembers,
  checkNames,
  handedOn,
  membersFailed,
  oneOf,
  spawnWork,
  type Given,
  type MemberEnd,
  type MemberInput,
} from './member-input.ts';
import { isAccepted } from './verdict.ts';

/** Input of {@link escalation}. */
export interface EscalationInput {
  /** Cheapest first; 1 to 100. */
  readonly levels: readonly (EscalationMember | EscalationGate)[];
  /**
   * Judges what a level came to; default: a level that succeeds is accepted. With `accepts: 'verdict'` (default) the judge accepts
   * with output `true`, `{ accept: true, … }`, or a command's standard output that is such JSON; with `success` by
   * succeeding. A judge that fails accepts nothing.
   */
  readonly judge?: MemberInput & { readonly accepts?: 'verdict' | 'success' };
  /** Put into each member's `input.previous`. */
  readonly previous?: JsonValue;
}

/** What a level came to that was not accepted. */
export interface Tried {
  readonly id: string;
  readonly why: 'failed' | 'late' | 'not accepted';
  readonly output?: JsonValue;
  readonly error?: PlainError;
  /** What the judge said. */
  readonly verdict?: JsonValue;
}

/** Output of {@link escalation}. */
export interface EscalationOutput {
  /** False only when a gate was rejected. */
  readonly accepted: boolean;
  /** Id of the level that decided. */
  readonly level: string;
  /** The level's output; of a gate: the last output of a level before it, null when there is none. */
  readonly output: JsonValue;
  /** What was noted at the gate, or what the judge said of the accepted output. */
  readonly note: JsonValue;
  /** The levels before it, in order. */
  readonly tried: readonly Tried[];
}

interface EscalationContext {
  readonly given: Given;
  readonly levels: readonly (EscalationMember | EscalationGate)[];
  readonly judge: MemberInput | null;
  readonly accepts: 'verdict' | 'success';
  readonly tried: readonly Tried[];
  /** What the level under way came to, while it is judged. */
  readonly candidate: JsonValue;
  readonly end: { readonly accepted: boolean; readonly output: JsonValue; readonly note: JsonValue } | null;
}

/** What it hears: members' ends, and what was decided at a gate. */
interface Heard extends MemberEnd {
  readonly gate?: JsonValue;
  readonly note?: JsonValue;
}

function contextOf({ levels, judge: judgeInput, previous }: EscalationInput, self: AnyActorRef): EscalationContext {
  checkLevels(levels);
  const members = levels.filter((level): level is EscalationMember => !isGate(level));
  const { accepts, ...judge } = judgeInput ?? { id: '' };
  const all = judgeInput === undefined ? members : [...members, judge];
  checkMembers('escalation', all, { name: 'levels and judge', min: 0, isGiven: true });
  checkNames('escalation', self, all);
  return {
    given: handedOn(previous),
    levels,
    judge: judgeInput === undefined ? null : judge,
    accepts: oneOf('escalation', 'judge.accepts', accepts, ['verdict', 'success']),
    tried: [],
    candidate: null,
    end: null,
  };
}

/** The level under way. */
function current({ levels, tried }: EscalationContext): EscalationMember | EscalationGate | undefined {
  return levels[tried.length];
}

function withTried(context: EscalationContext, what: Omit<Tried, 'id'>): Partial<EscalationContext> {
  const { id } = current(context) as EscalationMember;
  return { tried: [...context.tried, { id, ...what }], candidate: null };
}

/** What the best of the levels before came to. */
function lastOutput({ tried }: EscalationContext): JsonValue {
  return tried.findLast(({ output }) => output !== undefined)?.output ?? null;
}

function earlier({ given, tried }: EscalationContext): Given {
  // Plain JSON all through; what is undefined counts as absent.
  return { ...given, earlier: tried as unknown as JsonValue };
}

function allFailed({ tried }: EscalationContext): Error {
  const failed = tried.map(({ id, why, error, verdict }) => {
    const more = error?.message ?? (verdict === undefined ? '' : JSON.stringify(verdict));
    return {
      id,
      error: {
        name: 'Error',
        message: more === '' ? why : `${why}: ${more}`,
        ...(error === undefined ? {} : { cause: error }),
      },
    };
  });
  return membersFailed(`none of ${tried.length} levels was accepted`, failed);
}

/** The coordinator: see the head of this file. */
export const escalation = coordinator(
  setup({
    types: {} as {
      input: EscalationInput;
      context: EscalationContext;
      events: Heard;
      output: EscalationOutput;
      emitted: { readonly type: string };
    },
    actors: { member },
    guards: {
      isGate: ({ context }) => isGate(current(context)),
      isMember: ({ context }) => current(context) !== undefined,
      noneIsLeft: ({ context }) => current(context) === undefined,
      hasJudge: ({ context }) => context.judge !== null,
      isAccepted: ({ context, event }) => context.accepts === 'success' || isAccepted(event.output),
      isForThisGate: ({ context, event }) => event.gate === current(context)?.id,
    },
    actions: {
      tryLevel: assign(({ context, spawn }) => {
        const { withinMs: _withinMs, ...level } = current(context) as EscalationMember;
        spawnWork(spawn, level.id, level, earlier(context));
        return {};
      }),
      limitTime: enqueueActions(({ context, enqueue }) => {
        const level = current(context);
        if (level?.withinMs === undefined) return;
        const type = isGate(level) ? 'xstate.after.gate' : 'xstate.after.level';
        enqueue.raise({ type } as Heard, { id: 'within', delay: level.withinMs });
      }),
      stopLevel: enqueueActions(({ context, enqueue }) => {
        enqueue.cancel('within');
        enqueue.stopChild(current(context)?.id as string);
      }),
      askJudge: assign(({ context, event, spawn }) => {
        const judge = context.judge as MemberInput;
        spawnWork(spawn, judge.id, judge, { level: event.actorId, output: event.output, ...earlier(context) });
        return { candidate: event.output };
      }),
      stopJudge: enqueueActions(({ context, enqueue }) => enqueue.stopChild(context.judge?.id as string)),
      noteFailed: assign(({ context, event }) => withTried(context, { why: 'failed', error: event.error })),
      noteLate: assign(({ context }) => withTried(context, { why: 'late' })),
      noteNotAccepted: assign(({ context, event }) => {
        const judged = event.type.startsWith('xstate.error.') ? { error: event.error } : { verdict: event.output };
        return withTried(context, { why: 'not accepted', output: context.candidate, ...judged });
      }),
      noteAccepted: assign(({ context, event }) => {
        const { judge, candidate } = context;
        return {
          end: {
            accepted: true,
            output: judge === null ? event.output : candidate,
            note: judge === null ? null : event.output,
          },
        };
      }),
      noteDecided: assign(({ context, event }) => ({
        end: { accepted: event.type === 'approved', output: lastOutput(context), note: event.note ?? null },
      })),
      noteUnanswered: assign(({ context }) => ({
        end: {
          accepted: false,
          output: lastOutput(context),
          note: `nobody answered in ${current(context)?.withinMs} ms`,
        },
      })),
      openGate: gate(({ context }) => {
        const { id, gate: asked } = current(context) as EscalationGate;
        const tried = { tried: context.tried } as unknown as JsonValue;
        return { name: id, question: asked.question, data: asked.data ?? tried };
      }),
      failWithAll: assign(({ context }) => {
        throw allFailed(context);
      }),
      markLevel: checkpoint(({ context: { tried, levels } }) => {
        const { id, why } = tried.at(-1) as Tried;
        return { name: id, reason: why, settled: tried.length, total: levels.length };
      }),
    },
  }).createMachine({
    id: 'escalation',
    context: ({ input, self }) => contextOf(checkInput('escalation', input), self),
    initial: 'choosing',
    states: {
      choosing: {
        always: [
          { guard: 'isGate', target: 'asking' },
          { guard: 'isMember', target: 'trying' },
          { guard: 'noneIsLeft', actions: 'failWithAll' },
        ],
      },
      trying: {
        entry: ['tryLevel', 'limitTime'],
        on: {
          'xstate.done.actor.*': [
            { guard: 'hasJudge', target: 'judging', actions: 'stopLevel' },
            { target: 'done', actions: ['stopLevel', 'noteAccepted'] },
          ],
          'xstate.error.actor.*': { target: 'choosing', actions: ['stopLevel', 'noteFailed', 'markLevel'] },
          'xstate.after.level': { target: 'choosing', actions: ['stopLevel', 'noteLate', 'markLevel'] },
        },
      },
      judging: {
        entry: 'askJudge',
        on: {
          'xstate.done.actor.*': [
            { guard: 'isAccepted', target: 'done', actions: ['stopJudge', 'noteAccepted'] },
            { target: 'choosing', actions: ['stopJudge', 'noteNotAccepted', 'markLevel'] },
          ],
          'xstate.error.actor.*': { target: 'choosing', actions: ['stopJudge', 'noteNotAccepted', 'markLevel'] },
        },
      },
      asking: {
        entry: ['openGate', 'limitTime'],
        on: {
          'approved': { guard: 'isForThisGate', target: 'done', actions: 'noteDecided' },
          'rejected': { guard: 'isForThisGate', target: 'done', actions: 'noteDecided' },
          'xstate.after.gate': { target: 'done', actions: 'noteUnanswered' },
        },
      },
      done: { type: 'final' },
    },
    output: ({ context }) => {
      // The final state is reached with an end.
      const { accepted, output, note } = context.end as NonNullable<EscalationContext['end']>;
      return { accepted, level: current(context)?.id as string, output, note, tried: context.tried };
    },
  }),
);
