/** A group's handle: what the process sees of a group, and does to it, in every iteration. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test, vi } from 'vitest';
import { defineProcess, type Context, type GroupHandle } from 'troupe';
import { hold } from 'troupe/harness';
import { fileStore } from 'troupe/journal';
import { fanOut } from 'troupe/machines';
import { entriesOf } from '../support/dying-store.ts';
import { gate } from '../support/gate.ts';
import { driven, finished, killed, stage } from '../support/running.ts';

const completed = (output: unknown) => ({ status: 'completed', output });
const value = (one: number | string) => ({ type: 'value', value: one });
const codeOf = (error: unknown) => (error as { readonly code?: string }).code ?? String(error);

/** The run's end, undisturbed, and then killed at every append with the end of the next host. */
async function alwaysEnds(
  body: (ctx: Context) => Promise<unknown>,
  script: Parameters<typeof stage>[1],
  end: unknown,
): Promise<void> {
  const process = defineProcess('always', body);
  expect(await finished(stage(process, script))).toEqual(end);
  for (let atAppend = 1; ; atAppend += 1) {
    const still = stage(process, script);
    if ((await killed(still, { atAppend, isWritten: true })) !== undefined) return;
    expect(await finished(still)).toEqual(end);
  }
}

describe('a group’s handle', () => {
  test.each<[string, (group: GroupHandle<unknown>) => Promise<void>]>([
    ['its own checkpoint', (group) => group.checkpoint({ name: 'begun', settled: 0, total: 1 })],
    ['a message to all', (group) => group.send({ type: 'hello' }, { to: '*' })],
  ])('lets the process go on after %s at the same time in each iteration', async (_what, tell) => {
    const times: number[] = [];
    const play = stage(
      defineProcess('times', async (ctx) => {
        const group = ctx.group('group', fanOut, { members: [{ id: 'a' }] });
        await tell(group);
        times.push(ctx.now());
        return group.output;
      }),
      { a: hold },
    );
    let ticks = 1_000_000;
    const clock = { ...play.clock, now: () => (ticks += 1) };
    // A group is opened by reading its file, while the run's own entries are at hand already.
    const dir = await mkdtemp(join(tmpdir(), 'troupe-times-'));
    const store = fileStore({ dir });
    for (let host = 1; host <= 2; host += 1) {
      const { run } = await driven(play, { clock, store });
      await vi.waitFor(() => expect(times).toHaveLength(host));
      await run.close();
    }
    await rm(dir, { recursive: true });
    expect(times).toEqual([times[0], times[0]]);
  });

  test('sends each signal once, under its own id or its type', async () => {
    await alwaysEnds(
      async (ctx) => {
        const group = ctx.group('group', gate, { count: 3 });
        await group.send(value('by type'));
        await group.send(value('by id'), { id: 'second' });
        await group.send(value('third'), { id: 'third' });
        return group.output;
      },
      {},
      completed(['by type', 'by id', 'third']),
    );
  });

  test('refuses a second signal of one id in one iteration: the author’s mistake, which cannot be caught away', async () => {
    const still = stage(
      defineProcess('twice', async (ctx) => {
        const group = ctx.group('group', gate, { count: 2 });
        await group.send(value(1));
        await group.send(value(2)).catch(() => {});
        return 'caught';
      }),
    );
    await expect(finished(still)).rejects.toMatchObject({
      code: 'DUPLICATE_NAME',
      message: expect.stringContaining('was sent a signal `value` before') as string,
    });
    const types = (await entriesOf(still.store)).map(({ type }) => type);
    expect(types).not.toContain('run.ended');
    expect(types).not.toContain('group.cancelled');
  });

  test.each([
    ['a type of the engine', { type: 'xstate.done.actor.a' }, 'RESERVED_EVENT'],
    ['a type of troupe', { type: 'troupe.settled' }, 'RESERVED_EVENT'],
    ['the type that stands for all', { type: '*' }, 'RESERVED_EVENT'],
    ['what is not JSON', { type: 'value', value: new Map() }, 'NOT_JSON'],
    ['what has no type', {} as { type: string }, 'BAD_INPUT'],
  ])('refuses %s, and the process may go on', async (_what, event, code) => {
    await alwaysEnds(
      async (ctx) => {
        const group = ctx.group('group', gate, { count: 1 });
        const refused = await group.send(event).catch(codeOf);
        await group.send(value(1));
        return [refused, await group.output];
      },
      {},
      completed([code, [1]]),
    );
  });

  test('refuses to send to a group that has ended, once the process has seen that end', async () => {
    await alwaysEnds(
      async (ctx) => {
        const group = ctx.group('group', gate, { count: 0 });
        const statuses: string[] = [group.status()];
        const refused = await group.send(value(1)).catch(codeOf);
        statuses.push(group.status());
        return [refused, statuses, await group.output];
      },
      {},
      completed(['GROUP_ENDED', ['active', 'completed'], []]),
    );
  });

  test('tells the status as the process has seen it', async () => {
    await alwaysEnds(
      async (ctx) => {
        const good = ctx.group('good', gate, { count: 1 });
        const bad = ctx.group('bad', gate, { count: 1 });
        const before = [good.status(), bad.status()];
        await good.send(value(1));
        await good.output;
        const between = good.status();
        await bad.send({ type: 'break' });
        await bad.output.catch(() => {});
        return [...before, between, bad.status()];
      },
      {},
      completed(['active', 'active', 'completed', 'failed']),
    );
  });

  test('cancels its group: members are stopped, output rejects, and cancelling an ended one changes nothing', async () => {
    await alwaysEnds(
      async (ctx) => {
        const group = ctx.group('group', gate, { count: 1 });
        await group.cancel('not needed');
        const status = group.status();
        const error = await group.output.catch((thrown: unknown) => thrown as Error);
        await group.cancel('again');
        return [status, codeOf(error), (error as Error).message];
      },
      {},
      completed(['cancelled', 'CANCELLED', 'CANCELLED: group `group` was cancelled: not needed.']),
    );
  });

  test('gives checkpoints in order, to a late subscriber too, to each of several, and ends with the group', async () => {
    const take = async (group: GroupHandle<unknown>) => {
      const names: string[] = [];
      for await (const { name, settled, total } of group.checkpoints) names.push(`${name}: ${settled} of ${total}`);
      return names;
    };
    const all = ['value 1: 1 of 3', 'value 2: 2 of 3', 'value 3: 3 of 3'];
    await alwaysEnds(
      async (ctx) => {
        const group = ctx.group('group', gate, { count: 3 });
        const early = take(group);
        for (const id of ['1', '2', '3']) await group.send(value(id), { id });
        await group.output;
        const late = await take(group);
        return [await early, late];
      },
      {},
      completed([all, all]),
    );
  });

  test('ends its checkpoints when the group fails', async () => {
    const process = defineProcess('failing', async (ctx) => {
      const group = ctx.group('group', gate, { count: 3 });
      await group.send(value(1));
      await group.send({ type: 'break' });
      const seen: number[] = [];
      for await (const { seq } of group.checkpoints) seen.push(seq);
      return [seen.length, await group.output.catch(codeOf)];
    });
    expect(await finished(stage(process))).toEqual(completed([1, 'GROUP_FAILED']));
  });
});
