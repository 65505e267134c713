/** The space-time diagram: whoever occurs has a lane, whatever the cursor stood on and whatever names are like. */
import { expect, test } from 'vitest';
import { defineProcess, type Harnesses, type Process } from 'troupe';
import { fn } from 'troupe/harness';
import { fanOut, pipeline, quorum, withMachines } from 'troupe/machines';
import type { Frame } from '../../src/view/model.ts';
import { openRecording } from '../../src/view/open-recording.ts';
import { otlp } from '../../src/view/export/otlp.ts';
import { spaceTime } from '../../src/view/page/space-time-layout.ts';
import { emptyView } from '../../src/view/reduce.ts';
import { finished, stage } from '../support/running.ts';

const works = fn(({ prompt = '' }) => (prompt === 'fail' ? Promise.reject(new Error('broken')) : 1));
const everything = { lanesMax: 40, shows: () => true };

async function framesOf(process: Process<never, unknown>, harnesses: Harnesses = { works }): Promise<readonly Frame[]> {
  const played = stage(process, {}, { harnesses });
  await finished(played);
  const opened = openRecording({ journal: await played.store.open('run'), process: played.process });
  await opened.refresh();
  return (await opened.recording.window(1, opened.recording.length)).frames;
}

const work = (id: string, prompt = 'do') => ({ id, harness: 'works', prompt });

test('members that come after the cursor have a lane, and machines below the coordinator, which hear of their own', async () => {
  const nested = withMachines(pipeline, { quorum });
  const frames = await framesOf(
    defineProcess('nested', async (ctx) => {
      const vote = { id: 'vote', machine: 'quorum', input: { members: [work('a'), work('b')], atLeast: 2 } };
      await ctx.group('deep', nested, { steps: [work('first'), vote] }).output;
      return 1;
    }) as Process<never, unknown>,
  );
  // As when the page is opened at its beginning: no group is known there.
  const { lanes, arrows, bars } = spaceTime(frames, emptyView('run'), everything);
  expect(lanes.map(({ title, kind }) => [title, kind])).toEqual([
    ['host', 'host'],
    ['process', 'process'],
    ['deep', 'coordinator'],
    ['first', 'member'],
    ['vote', 'coordinator'],
    ['vote::a', 'member'],
    ['vote::b', 'member'],
  ]);
  const settled = arrows.filter(({ kind }) => kind === 'settle');
  expect(settled.map(({ from, to }) => [lanes[from.lane]?.title, lanes[to.lane]?.title])).toEqual([
    ['first', 'deep'],
    ['vote::a', 'vote'],
    ['vote::b', 'vote'],
    ['vote', 'deep'],
  ]);
  expect(bars.map(({ end }) => end)).toEqual(['ok', 'ok', 'ok']);
});

test('what failed is drawn so though its name says ok, what succeeded though its line is cut; groups that read alike are apart', async () => {
  const long = `\u001b[31m${'long '.repeat(60)}`;
  const frames = await framesOf(
    defineProcess('names', async (ctx) => {
      await ctx.group('a b', fanOut, { members: [work('c'), work('is ok now', 'fail'), work(long)] }).output;
      await ctx.group('a', fanOut, { members: [work('b c', 'fail')] }).output;
      return 1;
    }) as Process<never, unknown>,
  );
  const { lanes, bars } = spaceTime(frames, emptyView('run'), everything);
  const expected = { [long]: 'ok', 'b c': 'failed', 'c': 'ok', 'is ok now': 'failed' };
  expect(Object.fromEntries(bars.map(({ lane, end }) => [lanes[lane]?.title, end]))).toEqual(expected);
  const trace = otlp('run', frames) as unknown as {
    readonly resourceSpans: readonly [{ readonly scopeSpans: readonly [{ readonly spans: readonly Span[] }] }];
  };
  const spans = trace.resourceSpans[0].scopeSpans[0].spans.filter(({ name }) => !/^(run|group) /.test(name));
  expect(Object.fromEntries(spans.map(({ name, status }) => [name, status.code === 1 ? 'ok' : 'failed']))).toEqual(
    expected,
  );
});

interface Span {
  readonly name: string;
  readonly status: { readonly code: number };
}

test('a dead letter stands with who did not read it', async () => {
  let sent = () => {};
  const isSent = new Promise<void>((resolve) => {
    sent = resolve;
  });
  const one = fn(async (_task, { send }) => {
    await send({ to: 'two', type: 'hello', body: 1 });
    sent();
    return 1;
  });
  const two = fn(() => isSent.then(() => 1));
  const frames = await framesOf(
    defineProcess('dead', async (ctx) => {
      const members = ['one', 'two'].map((id) => ({ id, harness: id }));
      await ctx.group('g', fanOut, { members }).output;
      return 1;
    }) as Process<never, unknown>,
    { one, two },
  );
  const { lanes, arrows } = spaceTime(frames, emptyView('run'), everything);
  expect(arrows.filter(({ kind }) => kind === 'lost').map(({ to }) => lanes[to.lane]?.title)).toEqual(['two']);
});

test('where there are more than fit, those are drawn that occur at the cursor; a name with line ends is one all the same', async () => {
  const frames = await framesOf(
    defineProcess('many', async (ctx) => {
      const members = Array.from({ length: 60 }, (_, index) => work(`m${index}\n`));
      await ctx.group('g', fanOut, { members, concurrency: 1 }).output;
      return 1;
    }) as Process<never, unknown>,
  );
  for (const id of ['m3\n', 'm57\n']) {
    const at = frames.find(({ type, who }) => type === 'member.settled' && who === id) as Frame;
    const { lanes, lanesHidden, arrows } = spaceTime(
      frames,
      { ...emptyView('run'), position: at.position },
      { ...everything, lanesMax: 10 },
    );
    expect({ shown: lanes.length, lanesHidden }).toEqual({ shown: 10, lanesHidden: 53 });
    expect(lanes.map(({ title }) => title)).toContain(id);
    expect(arrows.find(({ position }) => position === at.position)).toMatchObject({
      kind: 'settle',
      label: `done: ${id}`,
    });
  }
});
