/**
 * What the bridge needs of whoever serves a group's mailbox to an agent: one MCP server per attempt, with an URL and a
 * token of its own, so that the token alone says who speaks. See `mcp/` for the server itself.
 */
import type { Attempt } from '../port.ts';
import type { AgentMcpServer } from './port.ts';

/** The mailbox of one attempt, served over MCP. */
export interface MailboxServer {
  /** What the agent is told to connect to. */
  readonly mcpServer: AgentMcpServer;
  /** `initialize` and `tools/list` have been heard under this attempt's token: the agent has the group's tools. */
  isJoined(): boolean;
  /**
   * When the agent was last heard, ms since 1970; undefined before the first request. While one of its calls is waiting for
   * its answer (`group_inbox` with a wait) that is now: an agent that waits for mail does not stall.
   */
  lastHeardAt(): number | undefined;
  /** Refuses the token from now on and ends what is open. Never rejects; a second call does nothing. */
  close(): Promise<void>;
}

/**
 * Serves an attempt's mailbox. The attempt is the bridge's own view of it: what is sent, checkpointed or told through it has
 * been cleaned of secrets. Rejects when nothing can listen on loopback.
 */
export type ServeMailbox = (attempt: Attempt) => Promise<MailboxServer>;
