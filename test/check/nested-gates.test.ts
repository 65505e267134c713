/** Gates of machines below the coordinator: the model answers whoever asked, as the host does, and what it finds is a run like any other. */
import { expect, test } from 'vitest';
import { setup } from 'xstate';
import { coordinator, defineProcess, gate, member, readRun, verifyRun, type Coordinator, type JsonValue } from 'troupe';
import { check, fail, ok, outcomes, protocol, simulate, writeCounterexample, type ProtocolOptions } from 'troupe/check';
import { memoryStore, type Entry } from 'troupe/journal';
import { escalation, pipeline, withMachines, type PipelineInput, type PipelineOutput } from 'troupe/machines';

const composed = withMachines(pipeline, { escalation });
const fix = (id: string, withinMs: number | null = 1_000) => ({
  id,
  machine: 'escalation',
  input: {
    levels: [
      { id: 'small' },
      { id: 'ship', gate: { question: 'Ship it?' }, ...(withinMs === null ? {} : { withinMs }) },
    ],
  },
});
type Options = Partial<ProtocolOptions<PipelineInput, PipelineOutput, { readonly [name: string]: JsonValue }>>;
const piped = (steps: PipelineInput['steps'], more: Options = {}) =>
  protocol({ coordinator: composed, input: { steps }, members: { '*': outcomes(ok('done'), fail()) }, ...more });
const noteOf = (output: PipelineOutput | undefined) =>
  (output?.output as { readonly accepted?: boolean; readonly level?: string } | undefined) ?? {};

test('a nested escalation with a gate is verified: approved, rejected, and not answered in time', async () => {
  const result = await check(
    piped([fix('fix')], {
      faults: { hostCrash: 1 },
      cancel: true,
      properties: {
        always: { ownGate: (s) => s.gates.every((name) => name === 'fix/ship' && s.nested('fix')?.matches('asking')) },
        sometimes: {
          asked: (s) => s.gates.length === 1,
          approved: (s) => noteOf(s.output).level === 'ship' && noteOf(s.output).accepted === true,
          rejected: (s) => noteOf(s.output).level === 'ship' && noteOf(s.output).accepted === false,
          cancelledWhileAsking: (s) => s.status === 'cancelled',
        },
      },
    }),
  );
  expect(result).toMatchObject({ verdict: 'verified', violations: [] });
});

test('two that call their gates alike are answered each for itself', async () => {
  const result = await check(
    piped([{ id: 'all', members: [fix('a'), fix('b')] }], {
      timers: 'none',
      checks: { canAlwaysEndWithoutTimers: false },
      properties: { sometimes: { both: (s) => s.gates.join() === 'all%2Fa/ship,all%2Fb/ship' } },
    }),
  );
  expect(result).toMatchObject({ verdict: 'verified', violations: [] });
});

/** Asks, and hears only one of the two answers. */
const deaf = setup({ types: {} as { emitted: { readonly type: string } } }).createMachine({
  id: 'deaf',
  initial: 'asking',
  states: {
    asking: { entry: gate({ name: 'ship', question: 'Ship it?' }), on: { approved: 'over' } },
    over: { type: 'final' },
  },
});

test('a machine that does not hear a rejection is found, and what was found is a run that verifies', async () => {
  const model = protocol({
    coordinator: withMachines(pipeline, { deaf }),
    input: { steps: [{ id: 'ask', machine: 'deaf' }] },
  });
  const { violations } = await check(model);
  const found = violations.find(({ property }) => property === 'noDeadlock' || property === 'canAlwaysEnd');
  if (found === undefined) throw new Error(`found: ${JSON.stringify(violations)}`);
  expect(found.trace?.steps.at(-1)).toMatchObject({ type: 'gate', at: 'ask', text: 'gate ask/ship rejected' });
  const store = memoryStore();
  await writeCounterexample(model, found, { store, run: 'found' });
  await verifyRun({ store, run: 'found', process: model });
  const journal = await store.open('found');
  const view = await readRun(journal);
  await journal.close();
  expect(view.groups.get(model.name)?.gates.get('ask/ship')).toMatchObject({
    by: 'ask',
    answer: { approved: false },
  });
});

/** Asks again and again, each time by another child, until one of them is answered. */
const replacing = coordinator(
  setup({ types: {} as { events: { readonly type: string } }, actors: { deaf, member } }).createMachine({
    id: 'replacing',
    initial: 'asking',
    states: {
      asking: {
        invoke: { src: 'deaf', id: 'asker', onDone: 'over' },
        on: { again: { target: 'asking', reenter: true }, stop: 'stopped' },
      },
      stopped: { on: { go: 'asking' } },
      over: { type: 'final' },
    },
  }),
) as Coordinator<null, unknown>;

test('the gate of an asker that was stopped is open no longer, and its next life opens its own', async () => {
  const messages = ['again', 'stop', 'go'].map((type) => ({ type, times: 1 }));
  const model = protocol({
    coordinator: replacing,
    input: null,
    messages,
    checks: { canAlwaysEnd: false, noDeadlock: false },
    properties: {
      always: {
        closed: (s) => !s.matches('stopped') || s.gates.length === 0,
        one: (s) => s.gates.length <= 1,
        never: (s) => !(s.matches('asking') && s.gates.length === 0),
      },
    },
  });
  const { violations } = await check(model);
  // Rejected, it waits for ever: found once the gate is answered.
  expect(violations.map(({ property }) => property)).toEqual(['never']);
  const [found] = violations;
  if (found === undefined) return;
  const store = memoryStore();
  const signal = (type: string) => ({
    type: 'message',
    at: 'coordinator',
    from: 'outside',
    text: type,
    data: { type },
  });
  const steps = [{ type: 'begin', at: 'coordinator', text: 'begins' }, signal('stop'), signal('go'), signal('again')];
  await writeCounterexample(model, { ...found, trace: { steps } }, { store, run: 'replaced' });
  await verifyRun({ store, run: 'replaced', process: model });
  const journal = await store.open('replaced');
  const entries: Entry[] = [];
  for await (const batch of journal.read()) entries.push(...batch);
  await journal.close();
  const gates = entries.filter(({ type }) => type.startsWith('gate.'));
  expect(gates.map(({ type, data }) => [type, (data as { readonly incarnation: number }).incarnation])).toEqual([
    ['gate.opened', 1],
    ['gate.withdrawn', 1],
    ['gate.opened', 2],
    ['gate.opened', 3],
  ]);
});

test('members that change places take the gates of their machines with them', async () => {
  const machine = coordinator(
    setup({ actors: { deaf, member } }).createMachine({
      id: 'alike',
      context: ({ spawn }) => {
        for (const id of ['a', 'b']) spawn('deaf', { id });
        return {};
      },
      on: { 'xstate.done.actor.*': {} },
    }),
  ) as Coordinator<null, unknown>;
  const ask = (symmetry: readonly (readonly string[])[]) =>
    check(
      protocol({
        coordinator: machine,
        input: null,
        symmetry,
        checks: { canAlwaysEnd: false, canAlwaysEndWithoutTimers: false, noDeadlock: false },
      }),
    );
  // Asked, approved, rejected: of two, in any order or in this one.
  expect((await ask([])).distinct).toBe(9);
  expect(await ask([['a', 'b']])).toMatchObject({ distinct: 6, violations: [] });
});

test('simulated runs with nested gates end, whoever answers', async () => {
  const process = defineProcess('nested', async (ctx) => {
    const steps = [{ id: 'all', members: [fix('a', null), fix('b', null)] }];
    return await ctx.group('group', composed, { steps }).output;
  });
  for (let seed = 1; seed <= 12; seed += 1) {
    const simulated = await simulate({ seed: String(seed), process, outcome: () => fail('refused', 'no') });
    expect(simulated.status, `seed ${seed}`).toBe('completed');
  }
});
