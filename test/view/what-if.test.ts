/** Stepping a machine by hand: the real host, nothing of the world. */
import { applyPatches, enablePatches, type Patch } from 'immer';
import { expect, onTestFinished, test } from 'vitest';
import { setup } from 'xstate';
import { coordinator } from 'troupe';
import { escalation, fanOut, pipeline, supervisor, withMachines } from 'troupe/machines';
import { openRecording } from '../../src/view/open-recording.ts';
import { whatIf, type WhatIf } from '../../src/view/what-if.ts';

enablePatches();

async function shown(one: WhatIf) {
  const opened = openRecording(one);
  await opened.refresh();
  const state = opened.recording.last();
  const choices = one.choices(state, opened.recording.overview().charts);
  return { state, choices: choices.map(({ id }) => id), group: state.groups['group'] };
}

const input = { members: [{ id: 'a' }, { id: 'b' }, { id: 'c' }], concurrency: 2 };

test('members wait to be told how they end, and the machine goes on by that', async () => {
  const one = await whatIf(fanOut, input);
  expect((await shown(one)).choices).toEqual(['ok a', 'error a', 'ok b', 'error b', 'cancel']);
  await one.take('ok a', { found: 2 });
  expect((await shown(one)).choices).toEqual(['ok b', 'error b', 'ok c', 'error c', 'cancel']);
  await one.take('error b', 'no');
  await one.take('ok c', null);
  const { state, choices } = await shown(one);
  expect(choices).toEqual([]);
  expect(state.groups['group']).toMatchObject({
    status: 'completed',
    members: { b: { status: 'failed', error: 'no' } },
  });
  await one.close();
});

test('going back is playing the choices again up to there, and another choice then leads elsewhere', async () => {
  const first = await whatIf(fanOut, input);
  await first.take('ok a', 1);
  await first.take('ok b', 1);
  const second = await whatIf(fanOut, input, first.taken.slice(0, 1));
  expect((await shown(second)).group?.members['a']?.status).toBe('completed');
  await second.take('error b', 'no');
  expect((await shown(second)).group?.members['b']?.status).toBe('failed');
  expect((await shown(first)).group?.members['b']?.status).toBe('completed');
  await first.close();
  await second.close();
});

test('the gates of nested machines are seen, answered each for its own machine, and gone with it', async () => {
  const ask = (id: string, withinMs?: number) => {
    const levels = [{ id: 'ship', gate: { question: 'Ship it?' }, ...(withinMs === undefined ? {} : { withinMs }) }];
    return { id, machine: 'escalation', input: { levels } };
  };
  const steps = [{ id: 'all', members: [ask('a'), ask('b', 1_000)] }];
  const one = await whatIf(withMachines(pipeline, { escalation }), { steps });
  const before = await shown(one);
  const gates = ['all%2Fa/ship', 'all%2Fb/ship'];
  expect(before.choices).toEqual([...gates.flatMap((name) => [`approve ${name}`, `reject ${name}`]), 'time', 'cancel']);
  expect(before.group?.gates).toMatchObject({
    'all%2Fa/ship': { by: 'all/a#1', answer: null },
    'all%2Fb/ship': { by: 'all/b#1', answer: null },
  });
  await one.take('time', undefined);
  const after = await shown(one);
  expect(after.choices).toEqual(['approve all%2Fa/ship', 'reject all%2Fa/ship', 'cancel']);
  await one.take('reject all%2Fa/ship', undefined);
  const { group } = await shown(one);
  expect(group).toMatchObject({ status: 'completed', gates: { 'all%2Fa/ship': { answer: { approved: false } } } });
  expect(Object.keys(group?.gates ?? {})).toEqual(['all%2Fa/ship']);

  const opened = openRecording(one);
  await opened.refresh();
  const { frames } = await opened.recording.window(1, opened.recording.length);
  const told = frames.find(({ type }) => type === 'signal');
  expect(told).toMatchObject({ summary: 'rejected from outside to all/a' });
  expect(told?.deliveries[0]).toMatchObject({ to: 'all/a', type: 'rejected' });
  const left = frames.find(({ type }) => type === 'gate.withdrawn');
  expect(left).toMatchObject({ summary: 'all%2Fb/ship: who asked there, all/b, is gone', who: 'all/b' });
  await one.close();
});

test('time stands still until it is let pass', async () => {
  const one = await whatIf(supervisor, { children: [{ id: 'w' }], intensity: { restarts: 3, withinMs: 60_000 } });
  await one.take('error w', 'broke');
  const before = await shown(one);
  expect(before.choices).toContain('ok w');
  expect(before.choices).toContain('time');
  expect(before.group?.members['w']?.incarnation).toBe(2);
  await one.take('time', undefined);
  expect((await shown(one)).state.atMs).toBeGreaterThan(0);
  await one.close();
});

test('what is no choice is refused with what would be one', async () => {
  const other = await whatIf(fanOut, input);
  await expect(other.take('jump', undefined)).rejects.toThrow(
    /expected a choice such as `ok worker` or `event go`, got `jump`/,
  );
  await other.close();
});

test('a machine and its states are called as their author likes', async () => {
  const flip = coordinator(
    setup({ types: {} as { events: { type: 'go' } } }).createMachine({
      id: 'constructor',
      initial: 'a',
      states: { a: { id: '__proto__', on: { go: 'b' } }, b: { id: 'toString', on: { go: 'a' } } },
    }),
  );
  const one = await whatIf(flip, null);
  onTestFinished(() => one.close());
  for (let turn = 0; turn < 4; turn += 1) await one.take('event go', undefined);
  const opened = openRecording(one);
  await opened.refresh();
  const { base, frames } = await opened.recording.window(1, opened.recording.length);
  // As the page moves its cursor.
  const state = frames.reduce((now, { patches }) => applyPatches(now, patches as unknown as Patch[]), base);
  expect(state).toEqual(opened.recording.last());
  expect(state.groups['group']?.actors['']?.visits).toEqual({ '~constructor': 1, '~__proto__': 3, '~toString': 2 });
});
