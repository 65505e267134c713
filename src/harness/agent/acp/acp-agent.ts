/** Agents that speak the Agent Client Protocol (version 1): known by name, started by a command, or an app in this process. */
import { type Clock, systemClock } from '../../../clock.ts';
import { type Agent, AgentFailure, type AgentOpen } from '../port.ts';
import { acpPrograms } from './catalog.ts';
import type { AcpApp, AcpName, AcpPatience, AcpProgram } from './habits.ts';
import { aborted, pause } from './deadline.ts';
import { openLink } from './link.ts';
import { openSession } from './session.ts';
import { wireToApp, wireToProgram } from './wire.ts';

/** Waits of {@link acpAgent}, and where its time comes from. */
export interface AcpAgentOptions {
  readonly patience?: Partial<AcpPatience>;
  /** Default: the machine's. */
  readonly clock?: Clock;
}

/** From the end of its input to the first signal, ms. */
const eofMs = 1_500;
const minuteMs = 60_000;

/**
 * An agent that speaks ACP. Each session has a process and connection of its own, warm for many turns; when the process dies
 * it is started again and the session loaded, where the agent can do that. The SDK is loaded with the first session.
 *
 * - Nothing of our files or terminals is offered to it; requests that it should not make are answered with method-not-found.
 * - Stop reasons: `end_turn` is ok, `refusal` class `refused`, a limit of the agent's own `failed`. Errors by what they say: `auth`,
 *   `rate-limited`, `overloaded`, else `failed`; an agent that ended or broke the protocol is `crashed`, one that did not open in
 *   time `timeout`, one that cannot do what is asked `refused`.
 */
export function acpAgent(source: AcpApp | AcpName | AcpProgram, options: AcpAgentOptions = {}): Agent {
  const { clock = systemClock } = options;
  const patience: AcpPatience = { initialize: 60_000, session: 60_000, cancel: 5_000, ...options.patience };
  const given = typeof source === 'string' ? acpPrograms[source] : source;
  const name = typeof source === 'string' ? source : (given.name ?? nameOf(given));
  const { habits = {} } = given;
  const open = async (opening: AgentOpen) => {
    const isModelTold = !('agent' in given) && habits.tellModel !== undefined;
    return openSession({
      agent: name,
      habits,
      patience,
      clock,
      open: opening,
      link: async (session, heard, signal) => {
        if (session.mode === 'resume') {
          const atMs = await habits.transcriptAtMs?.(session.id, opening.env);
          await anotherMinute(clock, atMs, aborted(signal));
        }
        return openLink({
          agent: name,
          habits,
          isModelTold,
          patience,
          clock,
          open: opening,
          signal,
          session,
          connect: (listener) =>
            'agent' in given
              ? wireToApp(given.agent, listener)
              : wireToProgram(
                  {
                    ...startOf(given, opening),
                    eofMs: habits.ignoresEof === true ? 0 : eofMs,
                    onOutput: opening.onOutput,
                  },
                  listener,
                ),
          ...heard,
        });
      },
    });
  };
  return {
    name,
    open: (opening) =>
      open(opening).catch((error: unknown) => {
        if (error instanceof AgentFailure) throw error;
        throw new AgentFailure('crashed', `${name} could not be opened: ${String(error)}`, { cause: error });
      }),
  };
}

function nameOf(given: AcpApp | AcpProgram): string {
  return 'agent' in given ? 'acp' : (given.command[0] ?? '').replace(/^.*[/\\]/, '');
}

function startOf({ command, env: added = {}, habits = {} }: AcpProgram, { cwd, env: own, key, model }: AgentOpen) {
  const env = { ...added, ...own };
  const told = model === undefined ? undefined : habits.tellModel?.(model, env);
  return { argv: [...command, ...(told?.args ?? [])], cwd, key, env: { ...env, ...told?.env } };
}

/** Waits until the UTC minute is another one than that of `atMs`; where clocks have been put back, that may be one to come. */
async function anotherMinute(clock: Clock, atMs: number | undefined, early: Promise<unknown>): Promise<void> {
  const waitMs = (Math.floor((atMs ?? 0) / minuteMs) + 1) * minuteMs - clock.now();
  if (waitMs <= minuteMs) await pause(clock, waitMs, early);
}
