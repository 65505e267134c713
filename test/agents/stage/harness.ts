/** The agents under test as harnesses: troupe's own adapters, told of the mock model. */
import { acp, cli, type AgentOptions, type CliOptions, type Harness } from '../../../src/harness/index.ts';
import type { AgentName } from '../install/pins.ts';
import type { Way } from './agents.ts';
import type { Stage } from './stage.ts';

/** The agent as a member's harness, allowed to do everything; nothing of the test's own environment reaches it. */
export function memberOf(stage: Stage, { agent, speech }: Way, options: AgentOptions = {}): Harness {
  return speech === 'cli'
    ? cliMember(stage, agent, { sandbox: 'full-access', ...options })
    : acp(agent, { ...optionsOf(stage, agent), permissions: 'allow', ...options });
}

/** The same by its command line. */
export function cliMember(stage: Stage, agent: AgentName, options: CliOptions = {}): Harness {
  return cli(agent, { ...optionsOf(stage, agent), ...options });
}

function optionsOf(stage: Stage, agent: AgentName): AgentOptions {
  const { env, model } = stage.reach(agent);
  return { inheritEnv: false, cwd: stage.work, model, mailbox: 'required', env: { ...stage.env, ...env } };
}
