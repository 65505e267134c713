/** What a fake agent does besides its turns, in good and bad ways. */
import type { AgentContext } from '@agentclientprotocol/sdk';

/** Updates that no schema knows, and lines that are no messages. */
export async function makeNoise(
  client: AgentContext,
  sessionId: string,
  babble: (line: string) => void = () => {},
): Promise<void> {
  babble('Debugger listening on ws://127.0.0.1:9229');
  babble('[1,2,3]');
  babble('{"jsonrpc":"2.0","id":"never asked","result":{}}');
  const strange = [
    { sessionUpdate: 'of_tomorrow', content: 7 },
    { sessionUpdate: 'agent_message_chunk', content: { type: 'text', text: 12 } },
    { sessionUpdate: 'agent_message_chunk' },
    { sessionUpdate: 'tool_call' },
  ];
  for (const one of strange) await client.notify<unknown>('session/update', { sessionId, update: one });
  await client.notify<unknown>('session/update', { sessionId: 'of somebody else', update: strange[0] });
  await client.notify<unknown>('session/update');
  await client.notify<unknown>('_some/extension', { any: 'thing' });
}

/** Makes requests that it should not make, and says the codes of their answers. */
export async function askForMore(client: AgentContext, sessionId: string): Promise<void> {
  const asked = [
    ['fs/read_text_file', { sessionId: sessionId, path: '/etc/hostname' }],
    ['fs/write_text_file', { sessionId: sessionId, path: '/nowhere/at/all', content: '' }],
    ['terminal/create', { sessionId: sessionId, command: 'true' }],
    ['elicitation/create', { sessionId: sessionId, message: '?', mode: 'form', requestedSchema: {} }],
    ['of/tomorrow', {}],
    ['session/request_permission', { sessionId: 'of somebody else', toolCall: { toolCallId: 'x' }, options: [] }],
  ] as const;
  for (const [method, params] of asked) {
    const code = await client.request<unknown>(method, params).then(
      () => 'answered',
      (error: unknown) => String((error as { readonly code?: unknown }).code),
    );
    const content = { type: 'text', text: `${method} ${code}\n` } as const;
    await update(client, sessionId, { sessionUpdate: 'agent_message_chunk', content });
  }
}

/** Sends an update of a session, of whatever shape. */
export function update(client: AgentContext, sessionId: string, what: object): Promise<void> {
  return client.notify<unknown>('session/update', { sessionId, update: what });
}

/** Asks what was said to its turn meanwhile. */
export async function said(client: AgentContext, sessionId: string): Promise<readonly string[]> {
  const answer = await client.request<unknown>('fake/drain', { sessionId });
  return (answer as { readonly messages: readonly string[] }).messages;
}
