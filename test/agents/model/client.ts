/** What agents send, in each wire format: a client of the test's own. */
import type { JsonValue } from '../../../src/json.ts';
import { readers, type Understood } from './readers.ts';

/** Formats of the model. */
export type Format = keyof typeof readers;

/** One thing in a conversation, as the client keeps it. */
export type Item =
  | { readonly user: string }
  /** What the agent's program puts in; a user's text where the format has no other place for it. */
  | { readonly system: string }
  | { readonly assistant: string }
  | { readonly call: string; readonly id: string; readonly args?: JsonValue }
  | { readonly result: string; readonly id: string };

/** What is asked. */
export interface Ask {
  readonly items: readonly Item[];
  /** Names of offered tools; default `group_send` and `shell`. */
  readonly tools?: readonly string[];
  readonly isStream?: boolean;
}

/** Formats, for tables of tests. */
export const formats = Object.keys(readers) as readonly Format[];

const toolNames = ['mcp__group__group_send', 'shell'];

/** Path and body of a request. */
export function requestOf(format: Format, { items, tools = toolNames, isStream = true }: Ask) {
  const schema = { type: 'object', properties: {} };
  const described = tools.map((name) => ({ name, description: name }));
  switch (format) {
    case 'anthropic':
      return {
        path: '/v1/messages?beta=true',
        body: {
          model: 'm',
          max_tokens: 100,
          stream: isStream,
          messages: items.map((item) =>
            'system' in item
              ? { role: 'system', content: item.system }
              : 'user' in item
                ? { role: 'user', content: [{ type: 'text', text: item.user }] }
                : 'assistant' in item
                  ? { role: 'assistant', content: item.assistant }
                  : 'call' in item
                    ? {
                        role: 'assistant',
                        content: [{ type: 'tool_use', id: item.id, name: item.call, input: item.args ?? {} }],
                      }
                    : {
                        role: 'user',
                        content: [
                          { type: 'tool_result', tool_use_id: item.id, content: [{ type: 'text', text: item.result }] },
                        ],
                      },
          ),
          tools: described.map((tool) => ({ ...tool, input_schema: schema })),
        },
      };
    case 'chat':
      return {
        path: '/v1/chat/completions',
        body: {
          model: 'm',
          stream: isStream,
          messages: [
            { role: 'system', content: 'You help.' },
            ...items.map((item) =>
              'system' in item
                ? { role: 'system', content: item.system }
                : 'user' in item
                  ? { role: 'user', content: item.user }
                  : 'assistant' in item
                    ? { role: 'assistant', content: item.assistant }
                    : 'call' in item
                      ? {
                          role: 'assistant',
                          content: null,
                          tool_calls: [
                            {
                              id: item.id,
                              type: 'function',
                              function: { name: item.call, arguments: JSON.stringify(item.args ?? {}) },
                            },
                          ],
                        }
                      : { role: 'tool', tool_call_id: item.id, content: item.result },
            ),
          ],
          tools: described.map((tool) => ({ type: 'function', function: { ...tool, parameters: schema } })),
        },
      };
    case 'responses':
      return {
        path: '/v1/responses',
        body: {
          model: 'm',
          stream: isStream,
          instructions: 'You help.',
          input: items.map((item) =>
            'system' in item
              ? { type: 'message', role: 'developer', content: [{ type: 'input_text', text: item.system }] }
              : 'user' in item
                ? { type: 'message', role: 'user', content: [{ type: 'input_text', text: item.user }] }
                : 'assistant' in item
                  ? { type: 'message', role: 'assistant', content: [{ type: 'output_text', text: item.assistant }] }
                  : 'call' in item
                    ? { type: 'function_call', call_id: item.id, name: item.call, arguments: '{}' }
                    : { type: 'function_call_output', call_id: item.id, output: item.result },
          ),
          tools: described.map((tool) =>
            tool.name.startsWith('mcp__group__')
              ? {
                  type: 'namespace',
                  name: 'mcp__group',
                  tools: [{ type: 'function', ...tool, name: tool.name.slice('mcp__group__'.length) }],
                }
              : tool.name === 'tool_search'
                ? { type: 'tool_search', execution: 'client' }
                : { type: 'function', ...tool, parameters: schema },
          ),
        },
      };
    case 'gemini':
      return {
        path: `/v1beta/models/m:${isStream ? 'streamGenerateContent?alt=sse' : 'generateContent'}`,
        body: {
          contents: items.map((item) =>
            'system' in item
              ? { role: 'user', parts: [{ text: item.system }] }
              : 'user' in item
                ? { role: 'user', parts: [{ text: item.user }] }
                : 'assistant' in item
                  ? { role: 'model', parts: [{ text: item.assistant }] }
                  : 'call' in item
                    ? {
                        role: 'model',
                        parts: [{ functionCall: { id: item.id, name: item.call, args: item.args ?? {} } }],
                      }
                    : {
                        role: 'user',
                        parts: [{ functionResponse: { id: item.id, name: 'x', response: { output: item.result } } }],
                      },
          ),
          tools: tools.length === 0 ? [] : [{ functionDeclarations: described }],
        },
      };
  }
}

/** Sends it. */
export function post(url: string, format: Format, ask: Ask): Promise<Response> {
  const { path, body } = requestOf(format, ask);
  const headers = { 'content-type': 'application/json', 'x-api-key': 'k' };
  return fetch(url + path, { method: 'POST', headers, body: JSON.stringify(body) });
}

/** Sends it, and reads the answer as a client of that format does. */
export async function ask(url: string, format: Format, asked: Ask): Promise<Understood> {
  const response = await post(url, format, asked);
  const text = await response.text();
  if (response.status !== 200) throw new Error(`${response.status}: ${text}`);
  const isStream = asked.isStream ?? true;
  return isStream ? readers[format].stream(text) : readers[format].whole(text);
}
