/** The door of the bridge: any agent as a harness. What performs an attempt is loaded with the first one. */
import { checkBounds } from '../check-bounds.ts';
import type { Attempt, Harness } from '../port.ts';
import type { AgentOptions } from './options.ts';
import type { Agent } from './port.ts';

/**
 * A harness that gives its attempts to an agent.
 *
 * - The invocation's `prompt` is the task; `input` may hold `model` and `outputSchema` (see `AgentInput`). The output is the agent's
 *   last text, or JSON where JSON is asked for.
 * - The agent has the group's mailbox over MCP; its session is recorded, and an attempt that was lost (the host died, the agent
 *   crashed, it was interrupted) is followed by one that takes the session up again. One whose output was refused (`invalid-output`) is
 *   followed by one that is told why; retries of that class are asked for with `retry.on`.
 * - Mode `steer` reaches it in the running turn where it can be steered, else at its next use of the mailbox, else by ending the turn
 *   and prompting again; what happened is told as progress. `interrupt` makes a new attempt in the same session.
 * - Over the invocation's own budget (`costUsd`, `tokens`) the turn is ended: class refused, code BUDGET.
 * - Secrets of its environment reach neither journal nor output: see `secrets`.
 * - When it settles nothing of it runs any more, its children and what they left behind included.
 *
 * Codes: BAD_INPUT.
 */
export function agentHarness(agent: Agent | (() => Promise<Agent>), options: AgentOptions = {}): Harness {
  const { capabilities, concurrency, ratePerMinute } = options;
  checkBounds('agent harness', options);
  const perform = async (attempt: Attempt) => {
    const { performByAgent } = await import('./perform.ts');
    return await performByAgent(typeof agent === 'function' ? await agent() : agent, attempt, options);
  };
  const sweep = async (key: string) => {
    const { sweepAgent } = await import('./sweep-agent.ts');
    await sweepAgent(key);
  };
  return {
    ...(capabilities === undefined ? {} : { capabilities }),
    ...(concurrency === undefined ? {} : { concurrency }),
    ...(ratePerMinute === undefined ? {} : { ratePerMinute }),
    perform,
    ...(typeof agent === 'object' && agent.isInProcess === true ? {} : { sweep }),
  };
}
