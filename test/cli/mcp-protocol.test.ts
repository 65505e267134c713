/** `troupe mcp` on the wire, and what it does not do: spoil its output, load what is not needed, say too much. */
import { spawn } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { CallToolResult } from '@modelcontextprotocol/client';
import { expect, onTestFinished, test } from 'vitest';
import { agent, gateProcess } from './mcp-agent.ts';
import { patience, program, project } from './support.ts';

test('standard output carries the protocol only, one message a line, whoever else writes to it; it ends with standard input', async () => {
  const noise = `import { existsSync } from 'node:fs';
    setInterval(() => existsSync('loud') && console.log('noise'), 20).unref();`;
  const it = project({ 'talk.process.mjs': gateProcess, 'noise.mjs': noise });
  const child = spawn(process.execPath, ['--import', './noise.mjs', program, 'mcp', '--data', it.path('.troupe')], {
    cwd: it.folder,
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  let stderr = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
  let stdout = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
  const ended = new Promise<number | null>((resolve) => child.once('close', resolve));
  const say = (message: object) => child.stdin.write(`${JSON.stringify({ jsonrpc: '2.0', ...message })}\n`);
  const hasAnswered = (id: number) => stdout.split('\n').some((line) => line.includes(`"id":${id}`));
  say({
    id: 0,
    method: 'server/discover',
    params: { _meta: { 'io.modelcontextprotocol/protocolVersion': '2026-07-28' } },
  });
  say({
    id: 1,
    method: 'initialize',
    params: { protocolVersion: '2025-06-18', capabilities: {}, clientInfo: { name: 'x', version: '1' } },
  });
  await expect.poll(() => hasAnswered(1), patience).toBe(true);
  it.write('loud', '');
  say({ method: 'notifications/initialized' });
  say({ id: 2, method: 'resources/list' });
  say({
    id: 3,
    method: 'tools/call',
    params: { name: 'run_start', arguments: { file: 'talk.process.mjs', runId: 'r' } },
  });
  child.stdin.write('this is no JSON\n{"half":\n\u0000\n');
  await expect.poll(() => hasAnswered(3), patience).toBe(true);
  // One that waits does not hold up the end, and the run does not end with it.
  say({ id: 4, method: 'tools/call', params: { name: 'run_wait', arguments: { run: 'r', until: 'end' } } });
  say({ id: 5, method: 'ping' });
  await expect.poll(() => hasAnswered(5), patience).toBe(true);
  const at = performance.now();
  child.stdin.end();
  expect(await ended).toBe(0);
  expect(performance.now() - at).toBeLessThan(10_000);
  expect(await it.troupe('cancel', 'r')).toMatchObject({
    code: 0,
    stdout: expect.stringMatching(/process \d+ on .+ ended it/),
  });
  expect(stderr).toContain('noise');
  const messages = stdout
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as { jsonrpc: string; id: number; error?: { code: number }; result?: object });
  for (const { jsonrpc } of messages) expect(jsonrpc).toBe('2.0');
  const byId = new Map(messages.map((message) => [message.id, message]));
  expect(byId.get(0)?.error?.code).toBe(-32_601);
  expect(byId.get(1)?.result).toMatchObject({ protocolVersion: '2025-06-18', serverInfo: { name: 'troupe' } });
  expect(byId.get(2)?.result).toEqual({ resources: [] });
  expect(JSON.stringify(byId.get(3)?.result)).toContain('active');
});

test('a long result is shortened, and says so', async () => {
  const it = project({
    'long.process.mjs': `
      import { defineProcess } from 'troupe';
      export default defineProcess('long', async () => ({ text: 'x'.repeat(200_000), list: Array.from({ length: 5_000 }, (_, n) => ({ n, s: 'y'.repeat(50) })) }));`,
  });
  const { call, client } = await agent(it);
  await call('run_start', { file: 'long.process.mjs', runId: 'long' });
  const { content } = (await client.callTool({ name: 'run_wait', arguments: { run: 'long' } })) as CallToolResult;
  const { text } = content[0] as { text: string };
  expect(text.length).toBeLessThan(50_000);
  expect(text).toMatch(/x… \(200000 characters in all\)/);
  expect(text).toMatch(/… \(5000 in all\)/);
});

test('of a bushy result, or one of long names, something is left, and nothing of what is ours', async () => {
  const it = project({
    'bushy.process.mjs': `
      import { defineProcess } from 'troupe';
      import { fanOut } from 'troupe/machines';
      const bush = (depth) => depth === 0 ? 'leaf' : Object.fromEntries(Array.from({ length: 8 }, (_, n) => ['branch ' + n, bush(depth - 1)]));
      export default defineProcess('bushy', async (ctx) => {
        const members = [{ id: 'a', command: ['false'] }];
        await ctx.group('g', fanOut, { members }).output;
        return [bush(5), { ['long '.repeat(10_000) + 1]: 1, ['long '.repeat(10_000) + 2]: 2 }];
      });`,
  });
  const { call, client } = await agent(it);
  await call('run_start', { file: 'bushy.process.mjs', runId: 'bushy' });
  await call('run_wait', { run: 'bushy' });
  const { content } = (await client.callTool({ name: 'run_show', arguments: { run: 'bushy' } })) as CallToolResult;
  const { text } = content[0] as { text: string };
  expect(text.length).toBeLessThan(50_000);
  expect(text).toMatch(/characters in all, name 1\)":1,[^:]*characters in all, name 2\)":2/);
  expect(JSON.parse(text)).toMatchObject({
    run: {
      status: 'completed',
      output: [{ 'branch 0': expect.anything(), '…': '8 in all' }, expect.anything()],
      entries: expect.any(Number),
    },
    groups: [{ status: 'completed', members: [{ id: 'a', status: 'failed', error: expect.anything() }] }],
  });
});

test('who has no agents does not load the SDK: no module of the program imports it before it is wanted', () => {
  const folder = dirname(program);
  const modules = readdirSync(folder).filter((name) => name.endsWith('.js'));
  expect(modules.length).toBeGreaterThan(3);
  const texts = modules.map((name) => readFileSync(join(folder, name), 'utf8'));
  expect(texts.filter((text) => /^(import|export)\b[^(;]*from\s*"@modelcontextprotocol/m.test(text))).toEqual([]);
  expect(texts.filter((text) => text.includes('import("@modelcontextprotocol/server")')).length).toBeGreaterThan(0);
});

test('--help says how agents are told of it', async () => {
  const { stdout, code } = await project().troupe('mcp', '--help');
  expect(code).toBe(0);
  const json = /\{ "mcpServers".*\}$/m.exec(stdout)?.[0] ?? '';
  expect(JSON.parse(json)).toEqual({ mcpServers: { troupe: { command: 'npx', args: ['troupe', 'mcp'] } } });
  for (const agent of ['claude', 'codex', 'gemini'])
    expect(stdout).toMatch(new RegExp(`^  \\$ ${agent} mcp add troupe .*npx troupe mcp$`, 'm'));
});
