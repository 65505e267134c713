/** Permissions and other requests of agents: what real ones do in ways of their own, each time by a fake one that does it. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test, vi } from 'vitest';
import { geminiToolName } from '../../../../src/harness/agent/acp/gemini.ts';
import type { PermissionAnswer } from '../../../../src/harness/agent/port.ts';
import { scripted } from '../../../agents/model/script.ts';
import { startToolServer } from '../tool-server.ts';
import { shellIn } from './fake/shell.ts';
import { fakeInProcess, folderOfTest } from './opening.ts';

const shell = (command: string, title?: string) => ({
  tool: 'shell',
  args: { command, ...(title === undefined ? {} : { title }) },
});

test('a permission is given for one use, wherever that option stands', async () => {
  const open = fakeInProcess({ options: ['allow_always', 'reject_always', 'reject_once', 'allow_once'] });
  const { session, asked } = await open();
  const end = await session.prompt(scripted([shell('echo 1'), shell('echo 2'), { echo: true }]));
  expect(asked).toHaveLength(2);
  expect(end).toMatchObject({ status: 'ok', text: expect.stringContaining('2\\n') as string });
});

test('where a permission could only be given for good it is refused, and the reason told', async () => {
  const { session, events } = await fakeInProcess({ options: ['allow_always', 'reject_once'] })();
  const end = await session.prompt(scripted([shell('echo 1'), { echo: true }]));
  expect(end).toMatchObject({ status: 'ok', text: expect.stringContaining('refused') as string });
  expect(events).toContainEqual({
    type: 'denied',
    tool: 'shell',
    message: 'the agent offers no way to allow it only once',
  });
});

test('an answer that comes with a cancel comes too late', async () => {
  const answers: ((answer: PermissionAnswer) => void)[] = [];
  const onPermission = () => new Promise<PermissionAnswer>((resolve) => answers.push(resolve));
  const cwd = folderOfTest();
  const { session } = await fakeInProcess({}, { ownTools: { shell: shellIn(cwd) } })({ onPermission });
  const turn = session.prompt(scripted([shell('touch made'), { text: 'done' }]));
  await vi.waitUntil(() => answers.length > 0);
  answers[0]?.({ allowed: true });
  void session.cancel();
  expect(await turn).toEqual({ status: 'cancelled' });
  await session.close();
  expect(existsSync(join(cwd, 'made'))).toBe(false);
});

test('a denial finds the way that is there: for good, or by no answer', async () => {
  for (const options of [['allow_once', 'reject_always'], ['allow_once']]) {
    const { session } = await fakeInProcess({ options })({ onPermission: () => Promise.resolve({ allowed: false }) });
    const end = await session.prompt(scripted([shell('echo made'), { echo: true }]));
    expect(end).toMatchObject({ status: 'ok', text: expect.stringContaining('refused') as string });
  }
});

test('a model’s own words never make a tool one of a given server', async () => {
  const tools = await startToolServer();
  try {
    const { session, asked } = await fakeInProcess({ hasNoNames: true })({ mcpServers: [tools.mcpServer] });
    await session.prompt(scripted([shell('true', 'mcp__group__group_send'), { text: 'done' }]));
    expect(asked.map(({ tool }) => tool)).toEqual(['mcp__group__group_send']);
  } finally {
    await tools.close();
  }
});

test('the name of a tool of Gemini CLI is the beginning of its use’s id', () => {
  const nameOf = (toolCallId: string) => geminiToolName({ toolCallId, title: 'mcp_group_x' });
  expect(nameOf('mcp_group_group_send__call_cbb98503_1')).toBe('mcp_group_group_send');
  expect(nameOf('run_shell_command__call_a8916798_2')).toBe('run_shell_command');
  expect(nameOf('run_shell_command-1795350532230-0')).toBe('run_shell_command');
  expect(nameOf('whatever')).toBeUndefined();
});

test('requests that it should not make are answered: no files, no terminals, no forms, nothing unknown', async () => {
  const { session, asked } = await fakeInProcess({ asksForMore: true })();
  const end = await session.prompt('what may I do?');
  expect(end.status === 'ok' && end.text.trim().split('\n')).toEqual([
    'fs/read_text_file -32601',
    'fs/write_text_file -32601',
    'terminal/create -32601',
    'elicitation/create -32601',
    'of/tomorrow -32601',
    'session/request_permission -32602',
  ]);
  expect(asked).toEqual([]);
});

test('updates that nobody knows are left out, in silence', async () => {
  const shout = vi.spyOn(console, 'error').mockImplementation(() => {});
  try {
    const { session, said } = await fakeInProcess({ isNoisy: true })();
    expect(await session.prompt(scripted([{ text: 'calm' }]))).toEqual({ status: 'ok', text: 'calm' });
    expect(said()).toBe('calm');
    expect(shout).not.toHaveBeenCalled();
  } finally {
    shout.mockRestore();
  }
});
