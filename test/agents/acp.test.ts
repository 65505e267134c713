/** Real agents by the Agent Client Protocol: each passes the suite that every agent passes. */
import { acpAgent } from '../../src/harness/agent/acp/acp-agent.ts';
import { acpPrograms } from '../../src/harness/agent/acp/catalog.ts';
import type { FailureClass } from '../../src/harness/port.ts';
import { agentConformance } from '../harness/agent/conformance.ts';
import { programOf } from './install/folders.ts';
import { type AgentName, pins } from './install/pins.ts';
import { describeEachWay } from './stage/agents.ts';
import { openStage } from './stage/stage.ts';
import { shellStep } from './stage/tools.ts';

/** What differs; answers of the model that an agent tries again for longer than a test waits are left out. */
const particulars: Readonly<
  Record<
    AgentName,
    {
      readonly steer: 'into-turn' | 'none';
      /** Its commands are held by a sandbox, without questions. */
      readonly permissions?: 'preset';
      readonly failures: Readonly<Record<number, FailureClass>>;
      /** A resume waits for the next minute. */
      readonly isSlow?: boolean;
    }
  >
> = {
  claude: { steer: 'into-turn', failures: { 401: 'auth', 429: 'rate-limited', 529: 'overloaded' } },
  codex: { steer: 'into-turn', permissions: 'preset', failures: { 401: 'auth', 529: 'overloaded' } },
  copilot: { steer: 'none', failures: { 401: 'auth' } },
  gemini: { steer: 'none', failures: { 401: 'auth' }, isSlow: true },
  // It tells of a failure in the service's words alone, without the status.
  opencode: { steer: 'into-turn', failures: {} },
  qwen: { steer: 'into-turn', failures: { 401: 'auth' } },
};

describeEachWay(['acp'], 'as an agent', ({ agent: name }) => {
  const { steer, permissions = 'asks', failures, isSlow = false } = particulars[name];
  const pin = pins.find(({ agent, speaks }) => agent === name && speaks.includes('acp'));
  const program = acpPrograms[name];
  agentConformance({
    name,
    agent: () =>
      acpAgent({
        ...program,
        name,
        command: [pin === undefined ? name : programOf(pin), ...program.command.slice(1)],
      }),
    async place() {
      const stage = await openStage();
      const { env, model } = stage.reach(name);
      return { cwd: stage.work, env: { ...stage.env, ...env }, model, close: () => stage.close() };
    },
    capabilities: { steer, resume: true, presetSession: false, permissions, mcp: true, warm: true },
    failures,
    hasProcesses: true,
    shell: (command) => shellStep(name, command),
    testMs: isSlow ? 150_000 : 60_000,
    cancelMs: 5_000,
  });
});
