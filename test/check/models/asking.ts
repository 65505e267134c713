/** A coordinator that asks one member, and then does as it is told. */
import { assign, setup, type AnyStateMachine } from 'xstate';
import { coordinator, member } from 'troupe';
import { check, ok, outcomes, protocol, type CheckResult, type ProtocolOptions } from 'troupe/check';

/** What the steps to a violation were, by type. */
export const stepsOf = (result: CheckResult, property: string): readonly string[] | undefined =>
  result.violations.find((one) => one.property === property)?.trace?.steps.map(({ type }) => type);

/** Asks one member, and then does as `states` say. */
export function asking(states: object, more: object = {}) {
  return coordinator(
    setup({
      types: {} as { context: { readonly n: number }; events: { readonly type: string; readonly actorId: string } },
      actors: { member },
      actions: {
        ask: assign(({ spawn }) => {
          spawn('member', { id: 'a', input: {} });
          return {};
        }),
      },
    }).createMachine({
      id: 'asking',
      context: { n: 0 },
      initial: 'waiting',
      ...more,
      states: { done: { type: 'final' }, ...states } as never,
      // States that are put together at run time have no types of their own.
    }) as unknown as AnyStateMachine,
  );
}

/** Every member succeeds. */
export const one = { '*': outcomes(ok()) };
/** Checks a machine whose members succeed. */
export const run = (
  machine: ReturnType<typeof asking>,
  options: Partial<ProtocolOptions<unknown, unknown, unknown>> = {},
) => check(protocol({ coordinator: machine, input: null, members: one, ...options }));
