/** An MCP server over streamable HTTP on loopback, with one tool: who came with which token, and what they called. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { AgentMcpServer } from '../../../src/harness/agent/port.ts';

/** One request that came with the right token. */
export interface ToolRequest {
  readonly method: string;
  readonly params?: Readonly<Record<string, unknown>>;
}

/** A running server. */
export interface ToolServer {
  /** What an agent is told to connect to. Its tool is `group_send {to, body}`. */
  readonly mcpServer: AgentMcpServer;
  /** What was asked, oldest first. */
  readonly requests: readonly ToolRequest[];
  /** Arguments of the calls, oldest first. */
  calls(): readonly Readonly<Record<string, unknown>>[];
  close(): Promise<void>;
}

const tool = {
  name: 'group_send',
  description: 'Sends a message to another member of the group.',
  inputSchema: {
    type: 'object',
    properties: { to: { type: 'string' }, body: { type: 'string' } },
    required: ['to', 'body'],
  },
};

/** Starts one. */
export async function startToolServer(): Promise<ToolServer> {
  const requests: ToolRequest[] = [];
  const token = `token-${process.pid}-${process.hrtime.bigint()}`;
  const server = createServer((request, response) => void answer(request, response));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const reply = (status: number, body?: object) => {
      response.writeHead(status, { 'content-type': 'application/json' });
      response.end(body === undefined ? undefined : JSON.stringify(body));
    };
    if (request.headers.authorization !== `Bearer ${token}`) return reply(401);
    if (request.method !== 'POST') return reply(405);
    let text = '';
    for await (const chunk of request) text += String(chunk);
    const { id, method, params = {} } = JSON.parse(text) as ToolRequest & { readonly id?: unknown };
    requests.push({ method, params });
    if (id === undefined) return reply(202);
    const result = resultOf(method, params);
    if (result === undefined) reply(200, { jsonrpc: '2.0', id, error: { code: -32_601, message: `no ${method}` } });
    else reply(200, { jsonrpc: '2.0', id, result });
  }

  return {
    mcpServer: {
      name: 'group',
      url: `http://127.0.0.1:${port}/mcp`,
      headers: { Authorization: `Bearer ${token}` },
    },
    requests,
    calls: () =>
      requests
        .filter(({ method }) => method === 'tools/call')
        .map(({ params }) => params?.['arguments'] as Readonly<Record<string, unknown>>),
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

function resultOf(method: string, params: Readonly<Record<string, unknown>>): object | undefined {
  switch (method) {
    case 'initialize':
      return {
        protocolVersion: params['protocolVersion'],
        capabilities: { tools: {} },
        serverInfo: { name: 'group', version: '1' },
      };
    case 'ping':
      return {};
    case 'tools/list':
      return { tools: [tool] };
    case 'tools/call':
      return { content: [{ type: 'text', text: 'it was sent' }] };
    case 'resources/list':
      return { resources: [] };
    case 'resources/templates/list':
      return { resourceTemplates: [] };
    case 'prompts/list':
      return { prompts: [] };
    default:
      return undefined;
  }
}
