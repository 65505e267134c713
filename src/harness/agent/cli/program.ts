/** What an agent CLI is to its adapter: a row of one table. */
import type { JsonValue } from '../../../json.ts';
import type { AgentCapabilities, AgentMcpServer } from '../port.ts';
import type { Dialect, LiveInput } from './dialect.ts';

/**
 * What a CLI may do besides using the MCP servers it is given: `read-only` look around, `workspace-write` change files in its
 * folder too, `full-access` everything, unasked. How far each CLI keeps to it stands in its row.
 */
export type Sandbox = 'full-access' | 'read-only' | 'workspace-write';

/** One turn that is to be made by one process. */
export interface CliTurn {
  readonly prompt: string;
  /** `isNew`: it is to be opened, with this id where the CLI takes one; else it is to go on. */
  readonly session: { readonly id: string | undefined; readonly isNew: boolean };
  readonly mcpServers: readonly AgentMcpServer[];
  readonly model: string | undefined;
  readonly outputSchema: JsonValue | undefined;
  readonly costUsdMax: number | undefined;
  readonly sandbox: Sandbox;
  /** Tries of one model call that the CLI may make by itself, after the first, where it can be told. */
  readonly retries: number;
  /** Its environment so far. */
  readonly env: Readonly<Record<string, string>>;
  readonly cwd: string;
  /** Writes a file that nobody else may read and that is gone after the turn's session; resolves to its path. */
  file(name: string, content: string): Promise<string>;
  /** Makes such a folder, empty; resolves to its path. */
  folder(name: string): Promise<string>;
}

/** What follows the program's own words. */
export interface CommandLine {
  readonly args: readonly string[];
  /** Variables added. */
  readonly env?: Readonly<Record<string, string>>;
  /** Text for its input; without it the input is empty, or what its {@link LiveInput} says. */
  readonly stdin?: string;
}

/** A row of the table. */
export interface CliProgram {
  /** As in messages. */
  readonly name: string;
  /** Program and leading arguments. */
  readonly command: readonly string[];
  readonly dialect: Dialect;
  /** It is prompted, steered, interrupted and answered on its input while it works. */
  readonly input?: LiveInput;
  readonly capabilities: AgentCapabilities;
  commandLine(turn: CliTurn): CommandLine | Promise<CommandLine>;
}

/** What a CLI without a live input can do; a row says what differs. */
export const oneShot: AgentCapabilities = {
  steer: 'none',
  resume: true,
  presetSession: true,
  permissions: 'preset',
  mcp: true,
  warm: false,
};

/** The words that are there. */
export function words(...given: readonly (false | readonly string[] | string | undefined)[]): readonly string[] {
  return given.flatMap((one) => (one === undefined || one === false ? [] : one));
}
