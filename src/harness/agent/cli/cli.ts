/** The door of the CLI adapter. What runs a CLI is loaded with the first attempt. */
import { TroupeError } from '../../../error.ts';
import type { Harness } from '../../port.ts';
import { agentHarness } from '../agent-harness.ts';
import type { AgentOptions } from '../options.ts';
import type { OwnCli } from './own-program.ts';
import type { Sandbox } from './program.ts';
import type { CliName } from './programs.ts';

/** Options of {@link cli}, besides those of every agent. */
export interface CliOptions extends AgentOptions {
  /**
   * What it may do besides using its group's tools: `read-only` (default), `workspace-write`, or `full-access`, which asks for
   * nothing.
   */
  readonly sandbox?: Sandbox;
  /** Another program than the one of that name on the PATH: its path, and leading arguments. */
  readonly program?: readonly string[];
  /** Arguments that are put before the others. */
  readonly args?: readonly string[];
  /** Tries again of one model call that the CLI makes by itself: beyond them the attempt fails, and retry and fallback decide. Default 2. */
  readonly retries?: number;
  /** Its turn has ended and it has not: it is ended after this long, and the result counts, ms. Default 5,000. */
  readonly exitMs?: number;
  /** Patience of a cancel, ms: from SIGINT to SIGTERM (default 2,000), from there to SIGKILL (default 5,000). */
  readonly graceMs?: { readonly interrupt?: number; readonly terminate?: number };
  /** Longest line of its output taken, bytes; longer ones are left out, with a notice. Default 8 MiB. */
  readonly lineBytesMax?: number;
}

const names: readonly CliName[] = ['claude', 'codex', 'copilot', 'gemini', 'opencode', 'pi', 'qwen'];

/**
 * A harness that runs an agent CLI, one process per turn: one that is known by name, or any command that speaks JSON lines.
 *
 * - A turn has ended well when the CLI's own last line says so, never by its exit code alone.
 * - Its session is recorded before it is launched where the CLI takes an id, else as soon as it tells it.
 * - By default it may use the group's tools and look around; see `sandbox`.
 *
 * Codes: BAD_INPUT.
 */
export function cli(which: CliName | OwnCli, options: CliOptions = {}): Harness {
  if (typeof which === 'string' && !names.includes(which))
    throw new TroupeError(
      'BAD_INPUT',
      `cli: expected one of ${names.join(', ')}, or {command: [...]}, got \`${which as string}\`.`,
    );
  if (typeof which === 'object') refuseBadCommand(which);
  const { sandbox, program, args, retries, exitMs, lineBytesMax, graceMs } = options;
  if (program !== undefined) refuseBadWords('program', program);
  const limits = {
    ...(exitMs === undefined ? {} : { exitMs }),
    ...(lineBytesMax === undefined ? {} : { lineBytesMax }),
    ...(graceMs === undefined ? {} : { graceMs: { interrupt: 2_000, terminate: 5_000, ...graceMs } }),
  };
  return agentHarness(async () => {
    const { cliAgent } = await import('./cli-agent.ts');
    const row =
      typeof which === 'string'
        ? (await import('./programs.ts')).programs[which]
        : (await import('./own-program.ts')).ownProgram(which);
    const used = program === undefined ? row : { ...row, command: program };
    return cliAgent(used, { sandbox, retries, args, limits });
  }, options);
}

function refuseBadCommand({ command, resume }: OwnCli): void {
  refuseBadWords('command', command);
  if (resume !== undefined) refuseBadWords('resume', resume);
}

function refuseBadWords(field: string, words: readonly string[]): void {
  if (Array.isArray(words) && words.every((word) => typeof word === 'string') && (words[0] ?? '') !== '') return;
  throw new TroupeError(
    'BAD_INPUT',
    `cli: expected \`${field}\` to be [program, ...arguments], got ${JSON.stringify(words)}.`,
  );
}
