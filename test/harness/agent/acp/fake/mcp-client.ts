/** As much of an MCP client as a fake agent needs: JSON-RPC over POST. */
import type { JsonObject } from '../../../../agents/model/question.ts';

/** A server as ACP names it. */
export interface NamedServer {
  readonly name: string;
  readonly url: string;
  readonly headers: readonly { readonly name: string; readonly value: string }[];
}

/** Says hello to a server; resolves to the names of its tools. */
export async function toolsOf(server: NamedServer): Promise<readonly string[]> {
  const clientInfo = { name: 'fake', version: '1' };
  await ask(server, 'initialize', { protocolVersion: '2025-06-18', capabilities: {}, clientInfo });
  await post(server, { jsonrpc: '2.0', method: 'notifications/initialized' });
  const { tools } = (await ask(server, 'tools/list', {})) as { tools: readonly { readonly name: string }[] };
  return tools.map(({ name }) => name);
}

/** Calls a tool; resolves to the text of its result. */
export async function callTool(server: NamedServer, name: string, args: JsonObject): Promise<string> {
  const result = (await ask(server, 'tools/call', { name, arguments: args })) as {
    content: readonly { readonly text?: string }[];
  };
  return result.content.map(({ text = '' }) => text).join('\n');
}

async function ask(server: NamedServer, method: string, params: JsonObject): Promise<unknown> {
  const text = await post(server, { jsonrpc: '2.0', id: 1, method, params });
  const data = text.startsWith('{') ? text : (/^data: (.*)$/m.exec(text)?.[1] ?? '');
  const { result, error } = JSON.parse(data) as { readonly result?: unknown; readonly error?: unknown };
  if (result === undefined) throw new Error(`${method}: ${JSON.stringify(error)}`);
  return result;
}

async function post({ url, headers }: NamedServer, body: JsonObject): Promise<string> {
  const response = await fetch(url, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      'accept': 'application/json, text/event-stream',
      ...Object.fromEntries(headers.map(({ name, value }) => [name, value])),
    },
    body: JSON.stringify(body),
  });
  if (!response.ok) throw new Error(`${url} answered ${response.status}`);
  return response.text();
}
