/** Where an agent differs from what it says, or from the protocol; and how it is started. */
import type { AgentApp } from '@agentclientprotocol/sdk';
import type { AgentCapabilities, AgentEvent } from '../port.ts';
import type { Fields } from './read.ts';

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
  /** In its turns it asks by this method what has been said to it meanwhile; the answer is `{messages, hasQueuedPrompt}`. */
  readonly drains?: string;
  /** What `usage` of a prompt's response counts. Default `session`, as ACP says. */
  readonly usageOf?: 'session' | 'turn';
  /** Whether it asks before it uses a tool that was not allowed beforehand. Default `asks`. */
  readonly permissions?: AgentCapabilities['permissions'];
  /** Name of the tool of a use, where ACP's own field does not say it. Must not be a model's own words. */
  readonly toolName?: (toolCall: Fields) => string | undefined;
  /** Whether a tool of this name (see `toolName`) is one of this MCP server. Default: it begins with `mcp__<server>__`. */
  readonly isOfServer?: (tool: string, server: string) => boolean;
  /** What an update says besides the protocol: a retry, what was spent, or that the turn has failed although it will end well. */
  readonly signOf?: (update: Fields) => Sign | undefined;
  /** The same for the response of a turn that ended well with this text. */
  readonly signOfEnd?: (response: Fields, text: string) => Extract<Sign, { readonly type: 'failed' }> | undefined;
  /** It goes on when its input ends: it is told by a signal at once. */
  readonly ignoresEof?: boolean;
  /** When the transcript of a session was begun, ms since 1970: the session must not be loaded in that same UTC minute. */
  readonly transcriptAtMs?: (sessionId: string, env: Variables) => Promise<number | undefined>;
  /** It tells a loaded session's history after it has said that it is loaded: it is not listened to before it is silent. */
  readonly tellsHistoryLate?: boolean;
  /** After a session is opened its MCP tools come late: the first prompt waits this long, ms. */
  readonly toolsLateMs?: number;
}

/** What an agent says in its own way. */
export type Sign =
  | Extract<AgentEvent, { readonly type: 'retry' | 'usage' }>
  /** The turn has failed; without a message: in the words of its text. */
  | { readonly type: 'failed'; readonly message: string | undefined; readonly status: number | undefined };

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

/** An app of the ACP SDK in this process, served to each session by a connection of its own. */
export interface AcpApp extends Pick<AcpProgram, 'habits'> {
  readonly agent: AgentApp;
  /** Its name in messages. Default `acp`. */
  readonly name?: string;
}

/** How long an agent may take, ms. */
export interface AcpPatience {
  /** For `initialize`, process start included. Default 60,000. */
  readonly initialize: number;
  /** For each of `authenticate`, `session/new`, `session/load` and setting the model. Default 60,000. */
  readonly session: number;
  /** From a cancel to the end of the turn; after it the process is ended. Default 5,000. */
  readonly cancel: number;
}
