/** Every CLI under test keeps what agents promise, through the CLI adapter. */
import { cliAgent } from '../../src/harness/agent/cli/cli-agent.ts';
import { programs } from '../../src/harness/agent/cli/programs.ts';
import { agentConformance } from '../harness/agent/conformance.ts';
import { describeEachWay } from './stage/agents.ts';
import { openStage } from './stage/stage.ts';
import { shellStep } from './stage/tools.ts';

describeEachWay(['cli'], 'keeps what agents promise', ({ agent }) => {
  const row = programs[agent];
  let texts = () => 0;
  agentConformance({
    name: agent,
    agent: () =>
      cliAgent(row, { sandbox: row.capabilities.permissions === 'asks' ? 'read-only' : 'full-access', retries: 0 }),
    async place() {
      const stage = await openStage();
      const { env, model } = stage.reach(agent);
      texts = () => stage.model.requests.filter(({ step, answer }) => step >= 0 && answer === 'text').length;
      return { cwd: stage.work, env: { ...stage.env, ...env }, model, close: () => stage.close() };
    },
    capabilities: row.capabilities,
    failures: { 401: 'auth', 429: 'rate-limited', 529: 'overloaded' },
    hasProcesses: true,
    // These tell a text when it is whole.
    ...(agent === 'codex' || agent === 'opencode' || agent === 'qwen' ? { textsBegun: () => texts() } : {}),
    shell: (command) => shellStep(agent, command),
    tellsTokens: agent !== 'copilot',
    testMs: 120_000,
  });
});
