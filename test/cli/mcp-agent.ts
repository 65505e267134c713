/** An agent that has started `troupe mcp`, and a process for it to run. */
import { Client, type CallToolResult } from '@modelcontextprotocol/client';
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio';
import { expect, onTestFinished } from 'vitest';
import type { JsonValue } from 'troupe';
import { program, type Project } from './support.ts';

/** What a tool said: the JSON of its result. */
export type Said = Readonly<Record<string, JsonValue>> & {
  readonly ok: boolean;
  readonly error?: { readonly code: string; readonly message: string; readonly remedy: string };
  readonly run?: { readonly id: string; readonly status: string; readonly output?: JsonValue };
  readonly host?: { readonly pid: number; readonly log: string };
};

/** An agent with `troupe mcp`; hosts that it has started are ended after the test. */
export async function agent(it: Project, { cwd = it.folder }: { readonly cwd?: string } = {}) {
  const client = new Client({ name: 'test', version: '1' });
  const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('TROUPE_'))) as Record<
    string,
    string
  >;
  const args = [program, 'mcp', '--data', it.path('.troupe')];
  const transport = new StdioClientTransport({ command: process.execPath, args, cwd, env, stderr: 'pipe' });
  await client.connect(transport);
  const hosts = new Set<number>();
  onTestFinished(async () => {
    await client.close();
    for (const pid of hosts)
      try {
        process.kill(pid, 'SIGKILL');
      } catch {
        // It has ended.
      }
  });
  const call = async (name: string, given: Readonly<Record<string, unknown>> = {}): Promise<Said> => {
    const { content, isError } = (await client.callTool({ name, arguments: { ...given } })) as CallToolResult;
    const said = JSON.parse((content[0] as { text: string }).text) as Said;
    expect(said.ok).toBe(isError !== true);
    if (said.host !== undefined) hosts.add(said.host.pid);
    return said;
  };
  return { client, call, pid: transport.pid ?? 0 };
}

/** Two members that hear until they are told `stop`, and then a gate of the run. */
export const gateProcess = `
import { defineProcess } from 'troupe';
import { fn } from 'troupe/harness';
import { fanOut } from 'troupe/machines';
console.log('this must not be in the protocol');
export const harnesses = {
  listener: fn(async (_task, { inbox, checkpoint }) => {
    const heard = [];
    for (;;)
      for (const { type, body, from } of await inbox({ waitMs: 60_000 })) {
        if (type === 'stop') return heard;
        if (type === 'mark') await checkpoint({ name: 'marked', settled: 1, total: 2 });
        heard.push([from, type, body]);
      }
  }),
};
export default defineProcess('talk', async (ctx, input) => {
  const group = ctx.group('ears', fanOut, { members: ['a', 'b'].map((id) => ({ id, harness: 'listener' })) });
  const { results } = await group.output;
  const { approved, note } = await ctx.breakpoint('ship', { question: 'Ship it?' });
  return { input, approved, note, heard: Object.fromEntries(results.map(({ id, output }) => [id, output])) };
});
`;
