/** How an agent is made a harness: what the bridge goes by, whoever the agent is. */
import type { Clock } from '../../clock.ts';
import type { JsonValue } from '../../json.ts';
import type { InheritEnv } from '../program/env.ts';
import type { ServeMailbox } from './mailbox-server.ts';
import type { PermissionPolicy } from './permission.ts';

/** Options of an agent harness. */
export interface AgentOptions {
  /** What members may need. Default none. */
  readonly capabilities?: readonly string[];
  /** Attempts at once on this host. Default: no limit of its own. */
  readonly concurrency?: number;
  /** Attempts begun in any 60 s on this host; further ones wait. Default: no limit. */
  readonly ratePerMinute?: number;
  /** Model to use, unless the invocation's `input.model` names one. Default the agent's own. */
  readonly model?: string;
  /** Variables added to the agent's environment; the invocation's own win over these. */
  readonly env?: Readonly<Record<string, string>>;
  /**
   * How much of the host's environment it inherits: all (true, the default) but what tells of an agent's session that the host runs in
   * (CLAUDECODE …), nothing, or the variables named.
   */
  readonly inheritEnv?: InheritEnv;
  /** Folder to work in; an invocation's relative `cwd` begins here. Default: the host's. */
  readonly cwd?: string;
  /** Who decides about tools that were not allowed beforehand. Default `deny`. */
  readonly permissions?: PermissionPolicy;
  /**
   * The group's mailbox over MCP: `optional` (default) says so when the agent does not join, `required` fails the attempt
   * (code MAILBOX_DEAD), `none` gives it none.
   */
  readonly mailbox?: 'none' | 'optional' | 'required';
  /** Time from the model's first sign of life until the agent must have joined the mailbox, ms. Default 15,000. */
  readonly joinMs?: number;
  /** Turns that are added, one after the other, while unread mail is there when a turn has ended. Default 3, at least 0. */
  readonly followUps?: number;
  /**
   * Nothing heard for this long, and no tool at work: the attempt fails (class timeout, code STALLED), ms. Default 600,000. So long it may
   * also tell of nothing but tries of a model call; then it fails as the last of them.
   */
  readonly stallMs?: number;
  /** How long a cancelled turn may take to end by itself before its processes are ended, ms. Default 3,000. */
  readonly cancelMs?: number;
  /** False: the agent is given the prompt as it is, without a word about its group. Default true. */
  readonly briefing?: boolean;
  /** Further variables whose values are secret, by name; those that look like it (KEY, TOKEN, SECRET, PASSWORD, AUTH) always are. */
  readonly secrets?: readonly string[];
  /** Raw output written to the attempt's file, bytes; what comes after is counted and left out. Default 64 MiB. */
  readonly outputBytesMax?: number;
  /** Serves the mailbox. Default: over MCP on loopback. */
  readonly serveMailbox?: ServeMailbox;
  /** Measures patience. Default: the machine's own clock. */
  readonly clock?: Clock;
}

/** What an invocation's `input` may say to an agent. */
export interface AgentInput {
  readonly model?: string;
  /** JSON Schema of the result, which then is JSON, not text. */
  readonly outputSchema?: JsonValue;
}

/** `input` as an agent's, or what is wrong with it. Anything else in it is another's. */
export function agentInput(input: JsonValue | undefined): AgentInput | string {
  if (input === undefined || typeof input !== 'object' || input === null || Array.isArray(input)) return {};
  const { model, outputSchema } = input as Readonly<Record<string, JsonValue>>;
  if (model !== undefined && typeof model !== 'string')
    return `Expected \`input.model\` to be a text, got ${typeof model}.`;
  if (outputSchema !== undefined && (typeof outputSchema !== 'object' || outputSchema === null))
    return `Expected \`input.outputSchema\` to be a JSON Schema, got ${outputSchema === null ? 'null' : typeof outputSchema}.`;
  return { ...(model === undefined ? {} : { model }), ...(outputSchema === undefined ? {} : { outputSchema }) };
}
