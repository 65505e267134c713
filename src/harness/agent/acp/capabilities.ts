/** What an agent can do, from its answer to `initialize` and from its habits. */
import type { AgentCapabilities } from '../port.ts';
import type { AcpHabits } from './habits.ts';
import { type Fields, fieldsOf } from './read.ts';

/** What the protocol's answer tells, besides the port's capabilities. */
export interface AcpAbilities {
  readonly capabilities: AgentCapabilities;
  /** How something is said to a running turn. */
  readonly steering: 'drained' | 'extension' | 'none' | 'second-prompt';
  /** How a session is taken up again: `load` tells its history once more, `resume` does not. */
  readonly taking: 'load' | 'resume' | 'none';
}

/** What `initialized`, the answer to `initialize`, says. */
export function abilitiesOf(initialized: Fields, habits: AcpHabits): AcpAbilities {
  const agent = fieldsOf(initialized['agentCapabilities']);
  const hasExtension = fieldsOf(fieldsOf(initialized['_meta'])['steering'])['supported'] === true;
  const hasResume = isOffered(fieldsOf(agent['sessionCapabilities'])['resume']);
  const taking = agent['loadSession'] === true ? 'load' : hasResume ? 'resume' : 'none';
  return {
    capabilities: {
      steer: hasExtension || habits.drains !== undefined ? 'into-turn' : (habits.secondPrompt ?? 'none'),
      resume: taking !== 'none',
      presetSession: false,
      permissions: habits.permissions ?? 'asks',
      mcp: fieldsOf(agent['mcpCapabilities'])['http'] === true,
      warm: true,
    },
    steering: steeringOf(hasExtension, habits),
    taking,
  };
}

function steeringOf(hasExtension: boolean, { drains, secondPrompt }: AcpHabits): AcpAbilities['steering'] {
  if (hasExtension) return 'extension';
  if (drains !== undefined) return 'drained';
  return secondPrompt === undefined ? 'none' : 'second-prompt';
}

/** ACP offers a thing by an object, even an empty one. */
function isOffered(value: unknown): boolean {
  return typeof value === 'object' && value !== null;
}
