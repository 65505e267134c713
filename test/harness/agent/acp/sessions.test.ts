/** Sessions: how they are opened and taken up again by agents that do it in ways of their own; each time a fake one that does it. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { expect, test, vi } from 'vitest';
import { geminiTranscriptAtMs } from '../../../../src/harness/agent/acp/gemini.ts';
import { codeOfFailure } from '../../../../src/harness/agent/failure.ts';
import { AgentFailure } from '../../../../src/harness/agent/port.ts';
import { handClock } from '../../../support/hand-clock.ts';
import { scripted } from '../../../agents/model/script.ts';
import { startToolServer } from '../tool-server.ts';
import { fakeInProcess, folderOfTest } from './opening.ts';

test('a session is loaded in the minute after its transcript was begun (Gemini)', async () => {
  const clock = handClock(Date.parse('2026-03-01T12:00:20Z'));
  const open = fakeInProcess({ wipesWithinMinute: true }, { now: clock.now });
  const lost = await open({ clock });
  await lost.session.close();
  const unharmed = { mode: 'resume', id: lost.session.id ?? '' } as const;
  await expect(open({ clock, session: unharmed })).rejects.toThrow('No previous sessions');

  const kept = await open({ clock });
  await kept.session.prompt(scripted([{ text: 'noted' }, { echo: true }]));
  await kept.session.close();
  const beganMs = clock.now();
  const habits = { transcriptAtMs: () => Promise.resolve(beganMs) };
  const again = open({ clock, habits, session: { mode: 'resume', id: kept.session.id ?? '' } });
  let isOpen = false;
  void again.then(() => (isOpen = true));
  await vi.waitUntil(() => clock.waiting > 0);
  clock.advance(39_000);
  await delay(20);
  expect(isOpen).toBe(false);
  clock.advance(1_000);
  const { session } = await again;
  expect(await session.prompt('a word: nougat')).toMatchObject({
    status: 'ok',
    text: expect.stringContaining('nougat') as string,
  });
});

test('a session whose transcript is of a time to come is loaded at once: the clock was put back', async () => {
  const clock = handClock(Date.parse('2026-03-01T12:00:20Z'));
  const open = fakeInProcess({}, { now: clock.now });
  const kept = await open({ clock });
  await kept.session.prompt(scripted([{ text: 'noted' }]));
  await kept.session.close();
  const habits = { transcriptAtMs: () => Promise.resolve(clock.now() + 86_400_000) };
  const { session } = await open({ clock, habits, session: { mode: 'resume', id: kept.session.id ?? '' } });
  expect(session.id).toBe(kept.session.id);
});

test('a session whose loading waits is called off at once', async () => {
  const clock = handClock(Date.parse('2026-03-01T12:00:20Z'));
  const controller = new AbortController();
  const opening = fakeInProcess()({
    clock,
    habits: { transcriptAtMs: () => Promise.resolve(clock.now()) },
    session: { mode: 'resume', id: 'some' },
    signal: controller.signal,
  });
  await vi.waitUntil(() => clock.waiting > 0);
  controller.abort();
  await expect(opening).rejects.toThrow('it was called off');
});

test('a session that is being taken up again is not taken up a second time', async () => {
  const clock = handClock(Date.parse('2026-03-01T12:00:20Z'));
  let loads = 0;
  const transcriptAtMs = () => {
    loads += 1;
    return Promise.resolve(clock.now());
  };
  const { session } = await fakeInProcess({ ignoresCancel: true })({ clock, habits: { transcriptAtMs } });
  const lost = session.prompt(scripted([{ slow: { n: 10_000, ms: 20 } }]));
  await delay(50);
  const cancelling = session.cancel();
  for (let step = 0; step < 20; step += 1) {
    clock.advance(500);
    await delay(1);
  }
  await cancelling;
  expect(await lost).toEqual({ status: 'cancelled' });
  const early = session.prompt('x');
  await vi.waitUntil(() => loads > 0 && clock.waiting > 0);
  await session.cancel();
  expect(await early).toEqual({ status: 'cancelled' });
  const again = session.prompt(scripted([{ text: 'back' }]));
  await delay(20);
  clock.advance(60_000);
  expect(await again).toEqual({ status: 'ok', text: 'back' });
  expect(loads).toBe(1);
});

test('when a transcript of Gemini CLI was begun stands in its name', async () => {
  const home = folderOfTest();
  const chats = join(home, '.gemini/tmp/project/chats');
  mkdirSync(chats, { recursive: true });
  for (const name of ['session-2026-03-01T12-07-c14c6785.jsonl', 'session-2026-03-01T12-05-c14c6785.json', 'other.txt'])
    writeFileSync(join(chats, name), '');
  const id = 'c14c6785-46bd-4514-a241-e179f80bd381';
  expect(await geminiTranscriptAtMs(id, { HOME: home })).toBe(Date.parse('2026-03-01T12:07:00Z'));
  expect(await geminiTranscriptAtMs('d14c6785', { HOME: home })).toBeUndefined();
  expect(await geminiTranscriptAtMs(id, { HOME: join(home, 'nowhere') })).toBeUndefined();
});

test('a history that is told after the loading is not taken for an answer (Gemini)', async () => {
  const open = fakeInProcess({ tellsHistoryLate: true });
  const before = await open();
  await before.session.prompt(scripted([{ text: 'an old answer' }, { text: 'a new answer' }]));
  await before.session.close();
  const session = { mode: 'resume', id: before.session.id ?? '' } as const;
  const fooled = await open({ session });
  await fooled.session.prompt(scripted([{ text: 'a new answer', wait: 600 }]));
  expect(fooled.said()).toContain('an old answer');
  const wise = await open({ session, habits: { tellsHistoryLate: true } });
  await wise.session.prompt(scripted([{ text: 'a new answer', wait: 600 }]));
  expect(wise.said()).toBe('a new answer');
});

test('MCP tools that come late are waited for before the first prompt (Qwen Code)', async () => {
  const tools = await startToolServer();
  try {
    const clock = handClock();
    const script = scripted([{ tool: 'group_send', args: { to: 'a', body: 'b' } }, { text: 'done' }]);
    const open = fakeInProcess({ toolsLateMs: 300 }, { now: clock.now });
    const mcpServers = [tools.mcpServer];
    const early = await open({ clock, mcpServers });
    expect(await early.session.prompt(script)).toMatchObject({ text: expect.stringContaining('no tool') as string });
    const patient = await open({ clock, mcpServers, habits: { toolsLateMs: 400 } });
    const turn = patient.session.prompt(script);
    await vi.waitUntil(() => clock.waiting > 0);
    clock.advance(400);
    expect(await turn).toMatchObject({ text: 'done' });
  } finally {
    await tools.close();
  }
});

test('authenticates where the agent is known to want it, when the key is there (Gemini)', async () => {
  const open = fakeInProcess({ authMethod: 'by-key' });
  const habits = { authenticate: { method: 'by-key', ifSet: 'THE_KEY' } };
  const { session } = await open({ habits, env: { THE_KEY: 'k' } });
  expect(await session.prompt(scripted([{ text: 'in' }]))).toEqual({ status: 'ok', text: 'in' });
  for (const opening of [{}, { habits }, { habits, env: { THE_KEY: '' } }]) {
    const failure = await fakeInProcess({ authMethod: 'by-key' })(opening).catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(AgentFailure);
    expect(failure).toMatchObject({ class: 'auth' });
  }
});

test('an agent without MCP over HTTP is refused where it is needed, and only there', async () => {
  const open = fakeInProcess({ hasNoHttp: true });
  const { session } = await open();
  expect(session.capabilities.mcp).toBe(false);
  const mcpServers = [{ name: 'group', url: 'http://127.0.0.1:1/', headers: {} }];
  await expect(open({ mcpServers })).rejects.toMatchObject({ class: 'refused' });
});

test('an agent of another version of the protocol is refused', async () => {
  await expect(fakeInProcess({ version: 2 })()).rejects.toMatchObject({
    class: 'refused',
    message: expect.stringContaining('version 2') as string,
  });
});

test('a session of an agent that keeps none is refused, and one that is resumed has no history to tell', async () => {
  const session = { mode: 'resume', id: 'some' } as const;
  const forgetful = await fakeInProcess({ resume: 'none' })();
  expect(forgetful.session.capabilities.resume).toBe(false);
  await expect(fakeInProcess({ resume: 'none' })({ session })).rejects.toMatchObject({ class: 'refused' });

  const open = fakeInProcess({ resume: 'resume' });
  const before = await open();
  await before.session.prompt(scripted([{ text: 'noted' }, { echo: true }]));
  const after = await open({ session: { mode: 'resume', id: before.session.id ?? '' } });
  expect(await after.session.prompt('nougat')).toMatchObject({ text: expect.stringContaining('nougat') as string });
});

test('a session that is not there says so in words that the bridge knows', async () => {
  const failure = await fakeInProcess()({ session: { mode: 'resume', id: 'gone' } }).catch((error: unknown) => error);
  expect(codeOfFailure((failure as Error).message)).toBe('SESSION_UNKNOWN');
  const other = await fakeInProcess({ silentAt: 'session/load' })({
    session: { mode: 'resume', id: 'gone' },
    patience: { session: 50 },
  }).catch((error: unknown) => error);
  expect(other).toMatchObject({ class: 'timeout' });
  expect((other as Error).message).toBe('fake did not load `gone` within 50 ms.');
  expect(codeOfFailure((other as Error).message)).not.toBe('SESSION_UNKNOWN');
});

test('a model is set by the agent’s option, and refused where it has none', async () => {
  const { session } = await fakeInProcess({ models: ['small', 'large'] })({ model: 'large' });
  expect(await session.prompt(scripted([{ text: 'ok' }]))).toMatchObject({ status: 'ok' });
  await expect(fakeInProcess({ models: ['small'] })({ model: 'huge' })).rejects.toThrow('use the model `huge`');
  await expect(fakeInProcess()({ model: 'large' })).rejects.toMatchObject({ class: 'refused' });
});
