/** Stately's protocol, both ways, spoken with its own client. */
import { once } from 'node:events';
import { createWebSocketInspector } from '@statelyai/inspect';
import { createActor, createMachine, setup } from 'xstate';
import { expect, onTestFinished, test } from 'vitest';
import WebSocket from 'ws';
import { defineProcess, type Process } from 'troupe';
import { fanOut } from 'troupe/machines';
import { chartOf } from '../../src/view/chart.ts';
import { definitionOf, statelyEvents, valueOf } from '../../src/view/export/stately.ts';
import { openRecording } from '../../src/view/open-recording.ts';
import { maskOf } from '../../src/cli/mask.ts';
import { tellStately } from '../../src/cli/inspect-stately.ts';
import { statelyApp } from '../../src/view/stately-app.ts';
import { isOwn, statelyDoor } from '../../src/view/stately-door.ts';
import { finished, stage } from '../support/running.ts';

const patience = { timeout: 10_000 };

const light = setup({}).createMachine({
  id: 'light',
  initial: 'green',
  states: {
    green: { on: { next: 'yellow' } },
    yellow: { on: { next: 'red' } },
    red: { type: 'parallel', states: { stop: {}, wait: {} } },
  },
});

test('an app that uses the WebSocket inspector of Stately shows up: its chart, its states, its events', async () => {
  const app = statelyApp('app');
  const door = await statelyDoor({ port: 0, take: (message) => app.take(message) });
  onTestFinished(() => door.close());
  const inspector = createWebSocketInspector({ url: door.url });
  onTestFinished(() => inspector.stop());
  const actor = createActor(light, { inspect: inspector.inspect });
  actor.start();
  actor.send({ type: 'next' });
  actor.send({ type: 'next' });
  const activeNow = () => Object.values(app.recording.last().groups)[0]?.actors['']?.active;
  await expect.poll(activeNow, patience).toEqual(['light', 'light.red', 'light.red.stop', 'light.red.wait']);
  const { charts } = app.recording.overview();
  const [chart] = Object.values(charts);
  // Its client sorts what it sends.
  expect(chart?.nodes.map(({ id }) => id).sort()).toEqual(
    chartOf(light)
      .nodes.map(({ id }) => id)
      .sort(),
  );
  const { frames } = await app.recording.window(1, 100);
  expect(
    frames.filter(({ type }) => type === 'event').flatMap(({ deliveries }) => deliveries.map(({ type }) => type)),
  ).toEqual(expect.arrayContaining(['next']));
  const actorAt = Object.values(app.recording.last().groups)[0]?.actors[''];
  expect(actorAt?.lastTransitions).toEqual(['light.yellow/next/0']);
});

test('what is no message of the protocol changes nothing and breaks nothing', async () => {
  const app = statelyApp('app');
  const door = await statelyDoor({ port: 0, take: (message) => app.take(message) });
  onTestFinished(() => door.close());
  const socket = new WebSocket(door.url);
  await new Promise((resolve) => socket.once('open', resolve));
  const hostile = [
    '',
    'null',
    '[]',
    '{"type":"@xstate.actor"}',
    '{"type":"@xstate.snapshot","sessionId":7}',
    '{"type":"@xstate.actor","sessionId":"__proto__","definition":"{"}',
    ...['constructor', 'toString', '__proto__'].flatMap((sessionId) => [
      `{"type":"@xstate.actor","sessionId":"${sessionId}","event":{"type":"x"},"snapshot":{"status":"active","value":"a"}}`,
      `{"type":"@xstate.snapshot","sessionId":"${sessionId}","event":{"type":"x"},"snapshot":{"status":"active","value":"b"}}`,
    ]),
    'not json',
    `{"type":"@xstate.actor","sessionId":"a","definition":"{\\"initial\\":\\"nowhere\\"}"}`,
  ];
  for (const text of hostile) socket.send(text);
  socket.send(Buffer.from([0, 255, 1]));
  socket.send(
    '{"type":"@xstate.snapshot","sessionId":"last","createdAt":"5","snapshot":{"status":"active","value":{"a":3}},"event":{"type":"x"}}',
  );
  await expect.poll(() => app.recording.last().groups['last']?.actors['']?.status, patience).toBe('active');
  expect(app.take(undefined)).toBe(false);
  socket.terminate();
});

test('pages of other origins are not let in', async () => {
  const door = await statelyDoor({ port: 0 });
  onTestFinished(() => door.close());
  const knock = (origin: string) =>
    new Promise<boolean>((resolve) => {
      const socket = new WebSocket(door.url, { origin });
      socket.once('open', () => {
        socket.terminate();
        resolve(true);
      });
      socket.once('error', () => resolve(false));
    });
  expect(await knock('https://example.com')).toBe(false);
  expect(await knock('http://localhost.example.com')).toBe(false);
  expect(await knock('http://localhost:5173')).toBe(true);
  expect([undefined, 'http://127.0.0.1:1', 'null', 'file://'].map(isOwn)).toEqual([true, true, false, false]);
});

test('a run is told as the protocol has it, and read back it is the same machine in the same states', async () => {
  const process = defineProcess('told', async (ctx) => {
    await ctx.group('work', fanOut, { members: [{ id: 'a' }, { id: 'b' }] }).output;
    return 1;
  });
  const played = stage(process as Process<never, unknown>, { '*': { status: 'ok', output: 1 } });
  await finished(played);
  const opened = openRecording({ journal: await played.store.open('run'), process: played.process });
  await opened.refresh();
  const { length } = opened.recording;
  const { charts } = opened.recording.overview();
  const events = [...statelyEvents('run', await opened.recording.window(1, length), charts)];
  expect(new Set(events.map(({ type }) => type))).toEqual(
    new Set(['@xstate.actor', '@xstate.event', '@xstate.snapshot']),
  );
  for (const event of events) {
    expect(event).toMatchObject({
      sessionId: expect.any(String),
      createdAt: expect.stringMatching(/^\d+$/),
      _version: expect.any(String),
    });
  }
  const app = statelyApp('again');
  for (const event of JSON.parse(JSON.stringify(events)) as unknown[]) expect(app.take(event)).toBe(true);
  const [group] = Object.values(app.recording.last().groups);
  expect(group).toMatchObject({ status: 'completed' });
  const whole = opened.recording.last().groups['work']?.actors[''];
  expect(group?.actors['']?.active).toEqual(whole?.active);
  expect(group?.actors['']?.context).toEqual(whole?.context);
});

test('what the mask takes out is not told to whoever connects', async () => {
  const process = defineProcess('masked', async (ctx) => {
    await ctx.group('work', fanOut, { members: [{ id: 'a' }] }).output;
    return 1;
  });
  const played = stage(process as Process<never, unknown>, { '*': { status: 'ok', output: 'key sk-1234' } });
  await finished(played);
  const opened = openRecording({ journal: await played.store.open('run'), process: played.process });
  await opened.refresh();
  const heard = async (pattern: string | undefined) => {
    const door = await tellStately('0', opened, maskOf(pattern));
    onTestFinished(() => door.close());
    const socket = new WebSocket(door.url);
    const lines: string[] = [];
    socket.on('message', (data: Buffer) => lines.push(data.toString()));
    await expect.poll(() => lines.some((line) => line.includes('"status":"done"')), patience).toBe(true);
    socket.terminate();
    return lines.join('\n');
  };
  expect(await heard(undefined)).toContain('sk-1234');
  const masked = await heard(String.raw`sk-\d+`);
  expect(masked).toContain('key █');
  expect(masked).not.toContain('sk-1234');
});

test('an event may be called what every object has', () => {
  const machine = createMachine({
    id: 'odd',
    initial: 'a',
    states: { a: { on: { constructor: 'b', toString: 'b' } }, b: {} },
  });
  const config = JSON.parse(definitionOf(chartOf(machine))) as Parameters<typeof createMachine>[0];
  expect(chartOf(createMachine(config)).transitions.map(({ event, targets }) => [event, targets])).toEqual(
    chartOf(machine).transitions.map(({ event, targets }) => [event, targets]),
  );
});

test('a definition is a configuration that XState takes, and state values are XState’s', () => {
  const chart = chartOf(light);
  const config = JSON.parse(definitionOf(chart)) as Parameters<typeof createMachine>[0];
  const again = createMachine(config);
  expect(chartOf(again).transitions.map(({ source, event, targets }) => [source, event, targets])).toEqual(
    chart.transitions.map(({ source, event, targets }) => [source, event, targets]),
  );
  expect(valueOf(['light', 'light.green'], chart)).toBe('green');
  expect(valueOf(['light', 'light.red', 'light.red.stop', 'light.red.wait'], chart)).toEqual({
    red: { stop: {}, wait: {} },
  });
});

/** What a client hears, in order. */
function hearing(url: string): { readonly heard: { readonly n?: number }[]; readonly opened: Promise<unknown> } {
  const socket = new WebSocket(url);
  onTestFinished(() => socket.terminate());
  const heard: { readonly n?: number }[] = [];
  socket.on('message', (data) => heard.push(JSON.parse((data as Buffer).toString('utf8')) as object));
  socket.on('error', () => {});
  return { heard, opened: once(socket, 'open') };
}

test('what comes while somebody is still told what was, is told after it', async () => {
  let goOn = () => {};
  const asked = new Promise<void>((resolve) => (goOn = resolve));
  async function* greeting() {
    yield { n: 1 };
    await asked;
    yield { n: 2 };
  }
  const door = await statelyDoor({ port: 0, greeting });
  onTestFinished(() => door.close());
  const { heard } = hearing(door.url);
  await expect.poll(() => heard.length, patience).toBe(1);
  door.tell({ n: 3 });
  goOn();
  await expect.poll(() => heard.length, patience).toBe(3);
  door.tell({ n: 4 });
  await expect.poll(() => heard.map(({ n }) => n), patience).toEqual([1, 2, 3, 4]);
});

test('what was may be more than may wait for one that does not read', async () => {
  const text = 'x'.repeat(1_000_000);
  async function* greeting() {
    for (let n = 1; n <= 40; n += 1) yield { n, text };
  }
  const door = await statelyDoor({ port: 0, greeting });
  onTestFinished(() => door.close());
  const { heard } = hearing(door.url);
  await expect.poll(() => heard.at(-1)?.n, patience).toBe(40);
  expect(heard).toHaveLength(40);
});

test('an actor is told of once, however many stretches a run is told in, and none of them is lost', async () => {
  const process = defineProcess('told', (ctx) => ctx.group('work', fanOut, { members: [{ id: 'a' }] }).output);
  const played = stage(process as Process<never, unknown>, { '*': { status: 'ok', output: 1 } });
  await finished(played);
  const opened = openRecording({ journal: await played.store.open('run'), process: played.process });
  await opened.refresh();
  const { length } = opened.recording;
  let shown = 0;
  let isBroken = false;
  const recording = {
    ...opened.recording,
    get length() {
      return shown;
    },
    window: (from: number, to: number) =>
      isBroken ? Promise.reject(new Error('cannot be read')) : opened.recording.window(from, to),
  };
  const door = await tellStately('0', { ...opened, recording }, maskOf(undefined));
  onTestFinished(() => door.close());
  const client = hearing(door.url);
  await client.opened;
  for (shown = 1; shown <= length; shown += 1) {
    isBroken = true;
    await door.tellMore();
    isBroken = false;
    await Promise.all([door.tellMore(), door.tellMore()]);
  }
  const { charts } = opened.recording.overview();
  const all = [...statelyEvents('run', await opened.recording.window(1, length), charts)];
  expect(all.filter(({ type }) => type === '@xstate.actor')).toHaveLength(1);
  await expect.poll(() => client.heard.length, patience).toBe(all.length);
  expect(client.heard).toEqual(JSON.parse(JSON.stringify(all)));
});
