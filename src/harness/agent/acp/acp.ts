/** The door of the ACP adapter. What speaks the protocol is loaded with the first attempt. */
import { TroupeError } from '../../../error.ts';
import type { Harness } from '../../port.ts';
import { agentHarness } from '../agent-harness.ts';
import type { AgentOptions } from '../options.ts';
import type { AcpApp, AcpName, AcpPatience, AcpProgram } from './habits.ts';

/** Options of {@link acp}, besides those of every agent. */
export interface AcpOptions extends AgentOptions {
  /** Another program than the one of that name on the PATH: its path, and leading arguments. */
  readonly program?: readonly string[];
  /** Arguments that are put behind the others. */
  readonly args?: readonly string[];
  /** How long it may take. */
  readonly patience?: Partial<AcpPatience>;
}

const names: readonly AcpName[] = ['claude', 'codex', 'copilot', 'gemini', 'opencode', 'qwen'];

/**
 * A harness over an agent that speaks the Agent Client Protocol: one that is known by name, any command that speaks it, or an app of the
 * ACP SDK in this process.
 *
 * - One process per attempt, warm for all of its turns; one that dies is started again, and its session loaded where it can be.
 * - The tools of its group are allowed; about others it asks, and `permissions` decides. A permission is given for one use.
 * - Known by name: `gemini` (Gemini CLI), `opencode`, `qwen` (Qwen Code), `copilot` (Copilot CLI), and the programs `claude-agent-acp` and
 *   `codex-acp` for `claude` and `codex`. A session of Gemini CLI is taken up again in another minute than it was begun in: its
 *   attempt then waits up to 60 s.
 *
 * Codes: BAD_INPUT.
 */
export function acp(which: AcpApp | AcpName | AcpProgram, options: AcpOptions = {}): Harness {
  if (typeof which === 'string' && !names.includes(which))
    throw new TroupeError(
      'BAD_INPUT',
      `acp: expected one of ${names.join(', ')}, {command: [...]} or {agent}, got \`${which as string}\`.`,
    );
  const { program, args = [], patience } = options;
  const command = program ?? (typeof which === 'object' && 'command' in which ? which.command : undefined);
  if (command !== undefined) refuseBadCommand(program === undefined ? 'command' : 'program', command);
  return agentHarness(async () => {
    const [{ acpAgent }, { acpPrograms }] = await Promise.all([import('./acp-agent.ts'), import('./catalog.ts')]);
    const given = typeof which === 'string' ? { name: which, ...acpPrograms[which] } : which;
    const used =
      'agent' in given
        ? given
        : { ...given, command: [...(program ?? given.command.slice(0, 1)), ...given.command.slice(1), ...args] };
    return acpAgent(used, patience === undefined ? {} : { patience });
  }, options);
}

function refuseBadCommand(field: string, words: readonly string[]): void {
  if (Array.isArray(words) && words.every((word) => typeof word === 'string') && (words[0] ?? '') !== '') return;
  throw new TroupeError(
    'BAD_INPUT',
    `acp: expected \`${field}\` to be [program, ...arguments], got ${JSON.stringify(words)}.`,
  );
}
