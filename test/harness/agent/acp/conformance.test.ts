/** The suite that every agent passes, on an app in this process and on a program. */
import { acpAgent } from '../../../../src/harness/agent/acp/acp-agent.ts';
import { agentConformance, type AgentUnderTest } from '../conformance.ts';
import { fakeAgent } from './fake/app.ts';
import { fakeCommand } from './fake/command.ts';
import { transcriptsInMemory } from './fake/session.ts';
import { shellIn } from './fake/shell.ts';

const common: Pick<AgentUnderTest, 'capabilities' | 'failures' | 'shell'> = {
  shell: (command) => ({ tool: 'shell', args: { command } }),
  capabilities: {
    steer: 'into-turn',
    resume: true,
    presetSession: false,
    permissions: 'asks',
    mcp: true,
    warm: true,
  },
  failures: { 401: 'auth', 429: 'rate-limited', 529: 'overloaded', 500: 'overloaded' },
};

const transcripts = transcriptsInMemory();

agentConformance({
  ...common,
  name: 'in-process',
  agent: (folder) => acpAgent({ agent: fakeAgent({ transcripts, ownTools: { shell: shellIn(folder) } }) }),
  hasProcesses: false,
});

agentConformance({
  ...common,
  name: 'program',
  agent: () => acpAgent({ command: fakeCommand }),
  hasProcesses: true,
});
