/**
 * A set of tools as an MCP server, over the official SDK: what the group's mailbox and `troupe mcp` have in common. A tool that
 * cannot do its work says so in its result, with a code and a remedy, so that the model that called can mend it.
 */
import type * as Protocol from '@modelcontextprotocol/server';
import { isTroupeError, remedies } from '../../../error.ts';
import type { JsonValue } from '../../../json.ts';
import { engineVersion } from '../../../version.ts';
import { toolArguments, type ToolArguments } from './arguments.ts';
import { visibleJson } from './visible-json.ts';

/** JSON Schema of one argument. */
type ArgumentSchema = Readonly<Record<string, JsonValue>>;

/** A tool. */
export interface Tool {
  readonly name: string;
  /** For a model: what it does, and when to use it. */
  readonly description: string;
  readonly arguments: Readonly<Record<string, ArgumentSchema>>;
  readonly required: readonly string[];
  /** It changes nothing that anyone else sees. */
  readonly isReadOnly: boolean;
  /** Called twice with the same arguments it does no more than called once. */
  readonly isIdempotent: boolean;
  /** What it ends cannot be had back. Default false. */
  readonly isDestructive?: boolean;
  /** `signal`: nobody waits for the result any more. What it throws becomes a tool error. */
  call(args: ToolArguments, signal: AbortSignal): Promise<Readonly<Record<string, JsonValue>>>;
}

/** What a tool server is made of. */
export interface ToolServerOptions {
  readonly name: string;
  /** For a model: what the server is for. */
  readonly instructions: string;
  readonly tools: readonly Tool[];
  /** Adds to the results of all tools but those named here, of failed calls too. Must not throw. */
  readonly addToResults?: {
    readonly but: readonly string[];
    more(): Promise<Readonly<Record<string, JsonValue>>>;
  };
  /** Told of each request that is answered well. */
  readonly answered?: (method: 'tools/list') => void;
  /** Told of what went wrong inside: our bugs, and clients that do not keep to the protocol. */
  readonly noticed?: (error: Error) => void;
}

/** The official SDK, loaded. */
export type Sdk = typeof Protocol;

/** The SDK is loaded when the first server is wanted (about 0.15 s): who has no agents pays nothing. */
export function loadSdk(): Promise<Sdk> {
  return import('@modelcontextprotocol/server');
}

/** Results are ours, and their schemas none: the SDK's validator (a fifth of a call's time) has nothing to do. */
const noValidation = {
  getValidator: () => (input: unknown) => ({ valid: true, data: input, errorMessage: undefined }),
};

/** A server of these tools. Resources and prompts are not offered; who asks all the same finds none. */
export function toolServer(sdk: Sdk, options: ToolServerOptions): Protocol.Server {
  const { name, instructions, tools, addToResults, answered, noticed } = options;
  const server = new sdk.Server(
    { name, version: engineVersion },
    // The tools are listed once: they never change.
    { capabilities: { tools: {} }, instructions, jsonSchemaValidator: noValidation as never },
  );
  server.onerror = (error) => noticed?.(error);
  server.setRequestHandler('tools/list', () => {
    answered?.('tools/list');
    return { tools: tools.map(listed) };
  });
  server.setRequestHandler('tools/call', async ({ params }, { mcpReq }) => {
    const tool = tools.find((one) => one.name === params.name);
    if (tool === undefined) {
      const names = tools.map((one) => one.name).join(', ');
      throw new sdk.ProtocolError(
        sdk.ProtocolErrorCode.InvalidParams,
        `unknown tool \`${params.name.slice(0, 100)}\`; tools: ${names}`,
      );
    }
    const done = await called(tool, params.arguments ?? {}, mcpReq.signal);
    const isAlone = addToResults === undefined || (done.ok && addToResults.but.includes(tool.name));
    return resultOf(isAlone ? done : { ...done, ...(await addToResults.more()) });
  });
  server.fallbackRequestHandler = ({ method }) => {
    const empty = emptyLists.get(method);
    if (empty !== undefined) return Promise.resolve({ [empty]: [] });
    throw new sdk.ProtocolError(sdk.ProtocolErrorCode.MethodNotFound, 'Method not found');
  };
  return server;
}

/** Lists that some clients ask for without being offered them. */
const emptyLists: ReadonlyMap<string, string> = new Map([
  ['resources/list', 'resources'],
  ['resources/templates/list', 'resourceTemplates'],
  ['prompts/list', 'prompts'],
]);

function listed(tool: Tool): Protocol.Tool {
  const { name, description, arguments: properties, required, isReadOnly, isIdempotent, isDestructive = false } = tool;
  return {
    name,
    description,
    inputSchema: {
      type: 'object',
      // Ours are readonly; nobody changes them.
      properties: properties as unknown as Protocol.JSONObject,
      required: [...required],
      additionalProperties: false,
    },
    annotations: {
      readOnlyHint: isReadOnly,
      idempotentHint: isIdempotent,
      destructiveHint: isDestructive,
      openWorldHint: false,
    },
  };
}

type Done = Readonly<Record<string, JsonValue>> & { readonly ok: boolean };

async function called(tool: Tool, given: Readonly<Record<string, unknown>>, signal: AbortSignal): Promise<Done> {
  try {
    const args = toolArguments(tool.name, given, Object.keys(tool.arguments));
    return { ok: true, ...(await tool.call(args, signal)) };
  } catch (thrown) {
    return { ok: false, error: toolError(thrown) };
  }
}

/** What went wrong, for a model: a stable code, one sentence, and what to do. Of a bug of ours only that it is one. */
export function toolError(thrown: unknown): JsonValue {
  if (!isTroupeError(thrown)) {
    const message = thrown instanceof Error ? thrown.message : String(thrown);
    return { code: 'BUG', message: message.slice(0, 500), remedy: 'This is a bug of troupe; go on without this tool.' };
  }
  const { code, message, details } = thrown;
  const near = details['nearest'];
  return {
    code,
    message: message.startsWith(`${code}: `) ? message.slice(code.length + 2) : message,
    remedy: remedies[code],
    ...(Array.isArray(near) && near.length > 0 ? { didYouMean: near as readonly string[] } : {}),
  };
}

function resultOf(done: Done): Protocol.CallToolResult {
  return { content: [{ type: 'text', text: visibleJson(done) }], ...(done.ok ? {} : { isError: true }) };
}
