/** Steps of a script that use the agents' own tools, as each agent names them. */
import type { AgentName } from '../install/pins.ts';
import type { JsonObject } from '../model/question.ts';

/** Runs a shell command. */
export function shellStep(name: AgentName, command: string): JsonObject {
  const description = 'A command of the test';
  switch (name) {
    case 'codex':
      return { tool: 'exec_command', args: { cmd: command } };
    case 'claude':
      return { tool: 'Bash', args: { command, description } };
    case 'gemini':
    case 'qwen':
      return { tool: 'run_shell_command', args: { command, description, is_background: false } };
    case 'opencode':
    case 'copilot':
      return { tool: 'bash', args: { command, description } };
  }
}
