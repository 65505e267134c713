/** A run for other tools: every attempt, message and settlement is in each, and what each tool needs to read it. */
import { expect, test } from 'vitest';
import { setup } from 'xstate';
import { coordinator, defineProcess, member, type JsonValue, type Process } from 'troupe';
import { fn } from 'troupe/harness';
import { fanOut } from 'troupe/machines';
import { chromeTrace } from '../../src/view/export/chrome-trace.ts';
import { mermaidSequence } from '../../src/view/export/mermaid.ts';
import { otlp } from '../../src/view/export/otlp.ts';
import { shiviz, shivizParser } from '../../src/view/export/shiviz.ts';
import type { Frame } from '../../src/view/model.ts';
import { openRecording } from '../../src/view/open-recording.ts';
import { finished, stage } from '../support/running.ts';

const talkers = fn(async (_task, { send, inbox }) => {
  await send({ to: '*', type: 'hello; "there" #1', body: 1 });
  return (await inbox({ waitMs: 50 })).length;
});

async function frames(): Promise<readonly Frame[]> {
  const process = defineProcess('told', async (ctx) => {
    const members = ['a b', 'c'].map((id) => ({ id, harness: 'talkers' }));
    await ctx.group('work', fanOut, { members }).output;
    return 1;
  });
  const played = stage(process as Process<never, unknown>, {}, { harnesses: { talkers } });
  await finished(played);
  const opened = openRecording({ journal: await played.store.open('run'), process: played.process });
  await opened.refresh();
  return (await opened.recording.window(1, opened.recording.length)).frames;
}

/** Of two groups whose names and members' names have the same `blank` in them, each with a failure that says `ok`. */
async function alikes(blank: string): Promise<readonly Frame[]> {
  const process = defineProcess('alike', async (ctx) => {
    await ctx.group(`a${blank}b`, fanOut, { members: [{ id: 'c', harness: 'broken' }] }).output;
    await ctx.group('a', fanOut, { members: [{ id: `b${blank}c`, harness: 'broken' }] }).output;
    return 1;
  });
  const broken = fn(() => Promise.reject(new Error('it was ok then')));
  const played = stage(process as Process<never, unknown>, {}, { harnesses: { broken } });
  await finished(played);
  const opened = openRecording({ journal: await played.store.open('run'), process: played.process });
  await opened.refresh();
  return (await opened.recording.window(1, opened.recording.length)).frames;
}

const all = await frames();
const count = (type: string) => all.filter((frame) => frame.type === type).length;
type Data = Readonly<Record<string, JsonValue>>;

test('a sequence diagram has each start, message and settlement, and names that Mermaid takes', () => {
  const text = mermaidSequence(all);
  expect(text.match(/->>\+/g)).toHaveLength(count('attempt.started'));
  expect(text.match(/-->>-/g)).toHaveLength(count('member.settled'));
  expect(text.match(/hello/g)?.length).toBe(count('message'));
  for (const line of text.split('\n').slice(1, -1))
    expect(line).toMatch(
      /^ {2}(participant \w+ as [^;]+|\w+(->>\+?|-->>-?|--x-)\w+: [^;]+(#59;[^;]*)*|Note over \w+: .+)$/,
    );
  expect(mermaidSequence(all, 2)).toContain('%% ');
});

test('a trace has one slice for each attempt, and no two that overlap on one track', () => {
  const { traceEvents } = chromeTrace(all) as unknown as { readonly traceEvents: readonly Data[] };
  const slices = traceEvents.filter(({ ph }) => ph === 'X');
  expect(slices).toHaveLength(count('attempt.started'));
  expect(traceEvents.filter(({ ph }) => ph === 'i')).toHaveLength(all.length);
  const tracks = new Map<number, Data[]>();
  for (const slice of slices) tracks.set(Number(slice['tid']), [...(tracks.get(Number(slice['tid'])) ?? []), slice]);
  for (const track of tracks.values()) {
    track.sort((a, b) => Number(a['ts']) - Number(b['ts']));
    track.slice(1).forEach((slice, index) => {
      const before = track[index] as Data;
      expect(Number(slice['ts'])).toBeGreaterThanOrEqual(Number(before['ts']) + Number(before['dur']));
    });
  }
});

test('a log for ShiViz is read by its own expression, and its clocks say what follows from what', () => {
  const text = shiviz(all);
  const pattern = new RegExp(shivizParser.replaceAll('(?<', '(?<'), 'g');
  const events = [...text.matchAll(pattern)].map(({ groups }) => ({
    host: groups?.['host'] ?? '',
    clock: JSON.parse(groups?.['clock'] ?? '{}') as Record<string, number>,
    position: Number(groups?.['event']?.split(' ')[0]),
  }));
  expect(events).toHaveLength(all.length);
  const clockOf = new Map(events.map(({ position, clock }) => [position, clock]));
  for (const { position, clock, host } of events) {
    expect(clock[host]).toBeGreaterThan(0);
    for (const cause of all[position - 1]?.causes ?? []) {
      for (const [name, value] of Object.entries(clockOf.get(cause.position) ?? {}))
        expect(clock[name]).toBeGreaterThanOrEqual(value);
    }
  }
});

test('spans as OTLP JSON: a trace of the run, each attempt under its group, ids of the right length, times in order', () => {
  const data = otlp('run', all) as unknown as {
    readonly resourceSpans: readonly {
      readonly scopeSpans: readonly { readonly spans: readonly Record<string, unknown>[] }[];
    }[];
  };
  const spans = data.resourceSpans[0]?.scopeSpans[0]?.spans ?? [];
  expect(spans).toHaveLength(1 + 1 + count('attempt.started'));
  const ids = new Set(spans.map(({ spanId }) => spanId));
  expect(ids.size).toBe(spans.length);
  for (const { traceId, spanId, parentSpanId, name, startTimeUnixNano, endTimeUnixNano } of spans) {
    expect(traceId).toMatch(/^[0-9a-f]{32}$/);
    expect(spanId).toMatch(/^[0-9a-f]{16}$/);
    if (name === 'run run') expect(parentSpanId).toBeUndefined();
    else expect(ids).toContain(parentSpanId);
    expect(BigInt(endTimeUnixNano as string)).toBeGreaterThanOrEqual(BigInt(startTimeUnixNano as string));
  }
  expect(otlp('run', all)).toEqual(data);
});

test.each([' ', '\n', '\u001b'])(
  'names with %j in them are told apart, and a failure that says ok is one',
  async (blank) => {
    const alike = await alikes(blank);
    const diagram = mermaidSequence(alike);
    expect(diagram.match(/participant \w+/g)).toHaveLength(4);
    // It is printed at a terminal too.
    expect(diagram.replaceAll('\n', '')).not.toMatch(/\p{Cc}/u);
    const begun = alike.findIndex(({ type }) => type === 'attempt.started');
    type Trace = { readonly traceEvents: readonly (Data & { readonly args: Data })[] };
    const { traceEvents } = chromeTrace(alike) as unknown as Trace;
    expect(traceEvents.filter(({ name }) => name === 'thread_name').map(({ args }) => args['name'])).toEqual([
      'coordinator',
      'coordinator',
      'c',
      'coordinator',
      `b${blank}c`,
    ]);
    const cut = chromeTrace(alike.slice(0, begun + 1)) as unknown as Trace;
    expect(cut.traceEvents.filter(({ name }) => name === 'process_name')).toHaveLength(2);
    const { resourceSpans } = otlp('run', alike) as unknown as {
      readonly resourceSpans: readonly [{ readonly scopeSpans: readonly [{ readonly spans: readonly Data[] }] }];
    };
    const { spans } = resourceSpans[0].scopeSpans[0];
    expect(spans.map(({ name, status }) => [name, (status as Data)['code']])).toEqual([
      ['run run', 1],
      [`group a${blank}b`, 1],
      ['c', 2],
      ['group a', 1],
      [`b${blank}c`, 2],
    ]);
  },
);

test('only who was begun is ended: Mermaid refuses a diagram that ends another', async () => {
  const below = setup({ actors: { member } }).createMachine({
    id: 'below',
    initial: 'asking',
    states: { asking: { invoke: { src: 'member', id: 'w', input: {}, onDone: 'done' } }, done: { type: 'final' } },
  });
  const above = coordinator(
    setup({ actors: { below, member } }).createMachine({
      id: 'above',
      initial: 'refused',
      states: {
        refused: { invoke: { src: 'member', id: 'r', input: { harness: 'nobody' }, onError: 'asking' } },
        asking: { invoke: { src: 'below', id: 'b', onDone: 'done' } },
        done: { type: 'final' },
      },
    }),
  );
  const nested = defineProcess('nested', (ctx) => ctx.group('g', above, null as never).output);
  const played = stage(nested as Process<never, unknown>, { '*': { status: 'ok', output: 1 } });
  await finished(played);
  const opened = openRecording({ journal: await played.store.open('run'), process: played.process });
  await opened.refresh();
  const text = mermaidSequence((await opened.recording.window(1, opened.recording.length)).frames);
  expect(text).toContain('  g_r-->>g_: error');
  expect(text).toContain('  g_b_w-->>-g_b: done');
  expect(text).toContain('  g_b-->>g_: done');
});
