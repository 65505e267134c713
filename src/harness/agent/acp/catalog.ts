/** The agents that are known by name: how each is started, and where it differs from the protocol. Seen on the versions named. */
import type { AgentCapabilities } from '../port.ts';
import { geminiToolName, geminiTranscriptAtMs } from './gemini.ts';
import { type Fields, fieldsOf, textOf } from './read.ts';

type Variables = Readonly<Record<string, string>>;

/** Where an agent differs from what it says, or from the protocol. Every field is optional: an agent without habits keeps to it. */
export interface AcpHabits {
  /** Authenticates with this method before a session is opened, when this variable is set. */
  readonly authenticate?: { readonly method: string; readonly ifSet: string };
  /** How it is told its model other than by ACP's own option: arguments and variables that are added. */
  readonly tellModel?: (
    model: string,
    env: Variables,
  ) => { readonly args?: readonly string[]; readonly env?: Variables };
  /** A second prompt during a turn joins it, or waits for its end. Default: it is not tried, for it ends the turn elsewhere. */
  readonly secondPrompt?: 'into-turn' | 'next-turn';
  /** What `usage` of a prompt's response counts. Default `session`, as ACP says. */
  readonly usageOf?: 'session' | 'turn';
  /** Whether it asks before it uses a tool that was not allowed beforehand. Default `asks`. */
  readonly permissions?: AgentCapabilities['permissions'];
  /** Name of the tool of a use, where ACP's own field does not say it. Must not be a model's own words. */
  readonly toolName?: (toolCall: Fields) => string | undefined;
  /** Whether a tool of this name (see `toolName`) is one of this MCP server. Default: it begins with `mcp__<server>__`. */
  readonly isOfServer?: (tool: string, server: string) => boolean;
  /** It goes on when its input ends: it is told by a signal at once. */
  readonly ignoresEof?: boolean;
  /** When the transcript of a session was begun, ms since 1970: the session must not be loaded in that same UTC minute. */
  readonly transcriptAtMs?: (sessionId: string, env: Variables) => Promise<number | undefined>;
  /** It tells a loaded session's history after it has said that it is loaded: it is not listened to before it is silent. */
  readonly tellsHistoryLate?: boolean;
  /** After a session is opened its MCP tools come late: the first prompt waits this long, ms. */
  readonly toolsLateMs?: number;
}

/** A program that speaks ACP on its standard streams. */
export interface AcpProgram {
  /** Program and arguments, never a shell line. */
  readonly command: readonly string[];
  /** Its name in messages. Default: the program's. */
  readonly name?: string;
  /** Variables added to the environment of the session; those of the session win. */
  readonly env?: Variables;
  readonly habits?: AcpHabits;
}

/** Agents known by name. */
export type AcpName = 'claude' | 'codex' | 'copilot' | 'gemini' | 'opencode' | 'qwen';

/** How each known agent is started. By default each may do only what it asks for, and use what it is given. */
export const acpPrograms: Readonly<Record<AcpName, AcpProgram>> = {
  // claude-agent-acp 0.100: has `_session/steering`. Deferred tools would hide the group's.
  claude: {
    command: ['claude-agent-acp'],
    env: { ENABLE_TOOL_SEARCH: 'false' },
    habits: { tellModel: (model) => ({ env: { ANTHROPIC_MODEL: model } }), usageOf: 'turn' },
  },
  // codex-acp 2.6: has `_session/steering`; lives on when its input ends. Read-only it uses MCP tools without asking; in its
  // default mode a reviewing model decides.
  codex: {
    command: ['codex-acp'],
    env: { NO_BROWSER: '1', INITIAL_AGENT_MODE: 'read-only' },
    habits: { tellModel: codexModel, usageOf: 'turn', permissions: 'preset', ignoresEof: true },
  },
  // Copilot CLI 1.0.102: a tool's title is its name for MCP tools, and a model's own words for a command.
  copilot: {
    command: ['copilot', '--acp', '--no-auto-update'],
    habits: {
      tellModel: (model) => ({ env: { COPILOT_MODEL: model } }),
      toolName: nameByTitle,
      isOfServer: (tool, server) => tool.startsWith(`${server}-`),
    },
  },
  // Gemini CLI 0.61: see gemini.ts.
  gemini: {
    command: ['gemini', '--acp', '--skip-trust'],
    env: { GEMINI_CLI_NO_RELAUNCH: 'true' },
    habits: {
      authenticate: { method: 'gemini-api-key', ifSet: 'GEMINI_API_KEY' },
      tellModel: (model) => ({ args: ['-m', model] }),
      toolName: geminiToolName,
      isOfServer: (tool, server) => tool.startsWith(`mcp_${server}_`),
      transcriptAtMs: geminiTranscriptAtMs,
      tellsHistoryLate: true,
    },
  },
  // OpenCode 1.18: asks only where its rules say so; by default they allow everything. Its usage is that of a turn's last call.
  opencode: {
    command: ['opencode', 'acp'],
    env: { OPENCODE_PERMISSION: '{"*":"ask"}' },
    habits: {
      secondPrompt: 'into-turn',
      usageOf: 'turn',
      toolName: nameByTitle,
      isOfServer: (tool, server) => tool.startsWith(`${server}_`),
    },
  },
  qwen: {
    command: ['qwen', '--acp'],
    habits: { tellModel: (model) => ({ args: ['-m', model] }), toolsLateMs: 500 },
  },
};

/** The title, where the kind says that it is no command, search or address of the model's. */
function nameByTitle(toolCall: Fields): string | undefined {
  const kind = textOf(toolCall['kind']);
  return kind === 'other' || kind === undefined ? textOf(toolCall['title']) : kind;
}

/** codex-acp takes its settings as one JSON text. */
function codexModel(model: string, { CODEX_CONFIG: settings }: Variables) {
  let own: unknown;
  try {
    own = JSON.parse(settings ?? '{}');
  } catch {
    // It says itself what is wrong with it.
    return {};
  }
  return { env: { CODEX_CONFIG: JSON.stringify({ ...fieldsOf(own), model }) } };
}
