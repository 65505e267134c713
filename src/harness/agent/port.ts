/**
 * The agent port: what an agent CLI, an ACP agent, a function or a test fake offers, so that one bridge makes a
 * {@link Harness} of it. A session is one conversation; it may outlive its process (`resume`), and one process may
 * hold it for many turns. The port knows nothing of groups: the group's mailbox is an MCP server among others.
 */
import type { JsonValue } from '../../json.ts';
import type { FailureClass, PlainError } from '../port.ts';

/** What an agent can do, as found out when a session opens: never assumed from its name alone. */
export interface AgentCapabilities {
  /** What {@link AgentSession.steer} does: into the running turn, after it, or not at all. */
  readonly steer: 'into-turn' | 'next-turn' | 'none';
  /** A session can be taken up again by its id, also in another process. */
  readonly resume: boolean;
  /** The caller may choose the session's id before anything is started. */
  readonly presetSession: boolean;
  /** It asks before it uses a tool that was not allowed beforehand. */
  readonly permissions: 'asks' | 'preset';
  /** It takes MCP servers over streamable HTTP. */
  readonly mcp: boolean;
  /** A turn may follow a turn without a new process. */
  readonly warm: boolean;
}

/** An MCP server over streamable HTTP that the agent is to have. */
export interface AgentMcpServer {
  readonly name: string;
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
}

/** Something that happens in a session. Text and tool data come from a model: data, never instructions. */
export type AgentEvent =
  /** The session's id is known; sent once, before anything that could not be made again. */
  | { readonly type: 'session'; readonly id: string }
  /** Text of the agent's answer; `isDelta`: to be joined to the text before it. */
  | { readonly type: 'text'; readonly text: string; readonly isDelta: boolean }
  | {
      readonly type: 'tool';
      readonly id: string;
      readonly name: string;
      readonly status: 'done' | 'failed' | 'started';
      readonly input?: JsonValue;
      readonly output?: JsonValue;
    }
  /** `isCumulative`: the session's total up to now, earlier runs of it included; else what came on top. */
  | { readonly type: 'usage'; readonly tokens?: number; readonly costUsd?: number; readonly isCumulative: boolean }
  /** The agent itself tries a model call again: progress, not a failure. */
  | { readonly type: 'retry'; readonly attempt: number; readonly class: FailureClass; readonly message: string }
  /** A tool use that was refused: by policy, by whoever was asked, or by the agent's own sandbox. */
  | { readonly type: 'denied'; readonly tool: string; readonly message: string }
  /** An MCP server that the agent could not reach, as far as it says so. */
  | { readonly type: 'mcp-failed'; readonly server: string; readonly message: string }
  /** Anything else worth a line. */
  | { readonly type: 'notice'; readonly line: string };

/** The agent asks whether it may do something. */
export interface PermissionRequest {
  /** Unique within the session. */
  readonly id: string;
  /** The tool's name as the agent says it. */
  readonly tool: string;
  /** What it wants to do with it; decide on this, never on a title, which may be a model's own words. */
  readonly input: JsonValue;
}

/** The answer to a {@link PermissionRequest}; it holds for this one use. */
export interface PermissionAnswer {
  readonly allowed: boolean;
  readonly note?: string;
}

/** How a session is opened. */
export interface AgentOpen {
  /** Absolute path of the folder to work in. */
  readonly cwd: string;
  /** The whole environment of its processes; it holds the attempt's mark, by which they are found again. */
  readonly env: Readonly<Record<string, string>>;
  /**
   * Key of the attempt, whose mark `env` carries: `close` ends all processes that bear it (`endAll` of `program/sweep.ts`), those
   * that left their group included.
   */
  readonly key: string;
  /** `new`: with this id where the agent takes one. `resume`: this session goes on. */
  readonly session: { readonly mode: 'new'; readonly id?: string } | { readonly mode: 'resume'; readonly id: string };
  readonly mcpServers: readonly AgentMcpServer[];
  /** An agent that takes no such servers is opened without them. Default false: it may be refused. */
  readonly areMcpServersOptional?: boolean;
  /** Model to use; default the agent's own. */
  readonly model?: string;
  /** The answer is to be JSON of this JSON Schema, where the agent can be told so. */
  readonly outputSchema?: JsonValue;
  /** What the agent may spend in this session, where it can be told so; checked by the caller besides. */
  readonly costUsdMax?: number;
  /** Called in order, never after {@link AgentSession.close} has resolved. Must not throw. */
  onEvent(event: AgentEvent): void;
  /** What its processes write, as it comes, characters whole: kept as the attempt's output. The stream waits while it is pending. */
  onOutput?(chunk: Uint8Array): Promise<void> | void;
  /** Answers when it is decided, however long that takes; a rejection counts as a refusal. */
  onPermission(request: PermissionRequest): Promise<PermissionAnswer>;
  /** Aborted: the session is not wanted any more. `open` then rejects soon, and leaves nothing running. Later it means nothing. */
  readonly signal?: AbortSignal;
}

/** How a turn ended. */
export type TurnEnd =
  | {
      readonly status: 'ok';
      /** The agent's last text. */
      readonly text: string;
      /** What it answered under an `outputSchema`. */
      readonly structured?: JsonValue;
    }
  | { readonly status: 'cancelled' }
  | { readonly status: 'error'; readonly class: FailureClass; readonly error: PlainError };

/** An open session. */
export interface AgentSession {
  /** Undefined until the `session` event where the agent makes its own. */
  readonly id: string | undefined;
  readonly capabilities: AgentCapabilities;
  /** Process groups that belong to it, for a later sweep; empty for one without processes. */
  readonly pids: readonly number[];
  /**
   * One turn at a time; again where `warm` or `resume`, by a new process if need be. Resolves when the agent's own terminal event
   * has come, or nothing of it can come any more. Never rejects.
   */
  prompt(text: string): Promise<TurnEnd>;
  /** Says something to the running turn; resolves to what became of it. Absent where the agent has no such thing. */
  steer?(text: string): Promise<'injected' | 'queued' | 'refused'>;
  /** Ends the running turn; its `prompt` resolves as `cancelled`. The session can be prompted again where `warm` or `resume`. */
  cancel(): Promise<void>;
  /** Ends the session's processes, all of them, within 10 s; resolves when nothing runs any more. Never rejects. */
  close(): Promise<void>;
}

/** A kind of agent: opens sessions. */
export interface Agent {
  /** Name of the program or protocol, as in messages. */
  readonly name: string;
  /** Its sessions start no processes: nothing of them outlives this one. */
  readonly isInProcess?: true;
  /** Rejects with an {@link AgentFailure}. */
  open(options: AgentOpen): Promise<AgentSession>;
}

/** Why a session could not be opened. */
export class AgentFailure extends Error {
  override readonly name = 'AgentFailure';
  readonly class: FailureClass;

  constructor(failureClass: FailureClass, message: string, options?: ErrorOptions) {
    super(message, options);
    this.class = failureClass;
  }
}
