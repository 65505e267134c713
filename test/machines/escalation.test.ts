import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { escalation, type EscalationInput } from '../../machines/index.ts';
import { fail, hold, ok } from '../../src/harness/index.ts';
import { runGroup } from './run-group.ts';
import { asked, checkpoints, drive, emitted, mostAtOnce, simulate, who } from './simulate.ts';

const gate = { id: 'human', gate: { question: 'Ship?' } };

describe('escalation', () => {
  test('the first level that succeeds is accepted, and the dear ones are not asked for', () => {
    const group = simulate(escalation, { levels: [{ id: 'cheap' }, { id: 'dear' }] });
    group.settle('cheap', 'fix');
    expect(group.output()).toEqual({ accepted: true, level: 'cheap', output: 'fix', note: null, tried: [] });
    expect(who(group, 'asked')).toEqual(['cheap']);
  });

  test('a level that fails, is late or is not accepted makes way for the next, which is told', () => {
    const group = simulate(escalation, {
      levels: [{ id: 'a' }, { id: 'b', withinMs: 50 }, { id: 'c' }, { id: 'd' }],
      judge: { id: 'judge' },
    });
    group.break('a', 'boom');
    group.restart();
    group.fire();
    expect(who(group, 'cancelled')).toEqual(['b']);
    group.settle('c', 'half');
    expect(asked(group, 'judge').input).toMatchObject({
      level: 'c',
      output: 'half',
      earlier: [{ id: 'a' }, { id: 'b' }],
    });
    group.settle('judge', { accept: false, why: 'half' });
    expect(asked(group, 'd').input).toMatchObject({
      earlier: [
        { id: 'a', why: 'failed', error: { message: 'boom' } },
        { id: 'b', why: 'late' },
        { id: 'c', why: 'not accepted', output: 'half', verdict: { accept: false, why: 'half' } },
      ],
    });
    group.settle('d', 'whole');
    group.settle('judge', { accept: true });
    expect(group.output()).toMatchObject({ accepted: true, level: 'd', output: 'whole', note: { accept: true } });
    expect(checkpoints(group)).toEqual(['a: failed', 'b: late', 'c: not accepted']);
  });

  test('a level that came in time is judged without its clock running on', () => {
    const group = simulate(escalation, { levels: [{ id: 'a', withinMs: 50 }], judge: { id: 'j' } });
    group.settle('a', 1);
    expect(group.timers()).toEqual([]);
  });

  test('a judge can accept by succeeding, and accepts nothing by failing', () => {
    const levels = [{ id: 'a' }, { id: 'b' }];
    const group = simulate(escalation, { levels, judge: { id: 'tests', accepts: 'success' } });
    group.settle('a', 1);
    group.break('tests', 'red');
    group.settle('b', 2);
    group.settle('tests', { exitCode: 0 });
    expect(group.output()).toMatchObject({
      level: 'b',
      output: 2,
      tried: [{ id: 'a', why: 'not accepted', error: { message: 'red' } }],
    });
  });

  test('when no level is left it fails, with what each came to', () => {
    const group = simulate(escalation, { levels: [{ id: 'a' }, { id: 'b' }], judge: { id: 'j' } });
    group.break('a', 'boom');
    group.settle('b', 1);
    group.settle('j', { accept: false });
    expect(group.failure()).toBe('none of 2 levels was accepted: a: failed: boom; b: not accepted: {"accept":false}');
  });

  test('the last level may ask a human, who approves or rejects', () => {
    for (const [type, accepted] of [
      ['approved', true],
      ['rejected', false],
    ] as const) {
      const group = simulate(escalation, { levels: [{ id: 'a' }, gate], judge: { id: 'j' } });
      group.settle('a', 'draft');
      group.settle('j', false);
      expect(emitted(group, 'troupe.gate')).toMatchObject([
        { name: 'human', question: 'Ship?', data: { tried: [{ id: 'a', output: 'draft' }] } },
      ]);
      group.restart();
      group.send({ type, gate: 'another', note: 'no' });
      group.send({ type, from: 'a', body: { gate: 'human' } });
      expect(group.end).toBeUndefined();
      group.send({ type, gate: 'human', note: 'fine' });
      expect(group.output()).toMatchObject({ accepted, level: 'human', output: 'draft', note: 'fine' });
    }
  });

  test('a gate that nobody answers in time counts as rejected', () => {
    const group = simulate(escalation, { levels: [{ ...gate, withinMs: 1_000 }] });
    group.fire();
    expect(group.output()).toEqual({
      accepted: false,
      level: 'human',
      output: null,
      note: 'nobody answered in 1000 ms',
      tried: [],
    });
  });

  test.each([
    [{ levels: [gate, { id: 'a' }] }, 'only the last level to be a gate, got gate `human` at place 1 of 2'],
    [{ levels: [{ id: 'a' }], judge: { id: 'a' } }, 'two of `levels and judge` are called `a`'],
    [{ levels: [{ id: 'a', withinMs: -1 }] }, '`levels.a.withinMs` to be a number of milliseconds >= 1, got `-1`'],
    [{ levels: [{ id: 'g', gate: {} }] } as unknown as EscalationInput, 'expected gate `g` to have a question'],
    [{ levels: [] }, '`levels` to hold at least 1'],
  ])('bad input is one clear sentence: %#', (input, sentence) => {
    expect(simulate(escalation, input).failure()).toContain(sentence);
  });

  test('whatever happens: levels are tried in order, one at a time, each at most once, and the first accepted one ends it', () => {
    const options = fc.record({
      count: fc.integer({ min: 1, max: 5 }),
      hasJudge: fc.boolean(),
      hasGate: fc.boolean(),
      restartAfter: fc.nat(10),
    });
    fc.assert(
      fc.property(
        options,
        fc.array(fc.nat(), { minLength: 1, maxLength: 9 }),
        fc.func(fc.nat(2)),
        ({ count, hasJudge, hasGate, restartAfter }, choices, luck) => {
          const levels = Array.from({ length: count }, (_, index) => ({ id: `l${index}`, withinMs: 100 }));
          const judge = hasJudge ? { judge: { id: 'j' } } : {};
          const group = simulate(escalation, {
            levels: hasGate ? [...levels, { ...gate, withinMs: 100 }] : levels,
            ...judge,
          });
          drive(group, {
            choices,
            restartAfter,
            stepsMax: count * 3 + 2,
            outcome: ({ address, incarnation }) => {
              const number = luck(address, incarnation);
              if (address === 'j') return number === 0 ? fail() : ok(number === 1);
              return number === 0 ? fail() : ok(address);
            },
            letters: ({ wants }) =>
              wants().length > 0
                ? []
                : [
                    { type: 'approved', gate: 'human' },
                    { type: 'rejected', gate: 'human' },
                  ],
          });
          expect(mostAtOnce(group)).toBe(1);
          const tried = who(group, 'asked').filter((id) => id !== 'j');
          expect(tried).toEqual(levels.slice(0, tried.length).map(({ id }) => id));
          if (group.end?.status === 'failed') {
            expect(hasGate).toBe(false);
            return;
          }
          const output = group.output();
          if (output.level !== 'human')
            expect(output).toMatchObject({ accepted: true, level: tried.at(-1), output: tried.at(-1) });
          else expect(emitted(group, 'troupe.gate')).toHaveLength(1);
        },
      ),
    );
  });

  test('in a run: a gate waits for its event', async () => {
    const run = await runGroup(
      escalation,
      { levels: [{ id: 'a' }, gate] },
      {
        script: { a: fail() },
        signals: [{ when: { entry: 'gate.opened' }, event: { type: 'approved', gate: 'human', note: 'go' } }],
      },
    );
    expect(run.output()).toMatchObject({
      accepted: true,
      level: 'human',
      note: 'go',
      tried: [{ id: 'a', why: 'failed' }],
    });
  });

  test('in a run: a late level is ended', async () => {
    const late = await runGroup(
      escalation,
      { levels: [{ id: 'a', withinMs: 60_000 }, { id: 'b' }] },
      { script: { a: hold, b: ok(2) }, isHurried: true },
    );
    expect(late.output()).toMatchObject({ level: 'b', tried: [{ id: 'a', why: 'late' }] });
    expect(late.cancelled).toEqual(['a']);
  });

  test('in a run whose host dies while a level is judged: the level is not tried again', async () => {
    const run = await runGroup(
      escalation,
      { levels: [{ id: 'a' }, { id: 'b' }], judge: { id: 'j' } },
      { script: { a: ok(1), j: ok(true) }, heldAtFirst: ['j'] },
    );
    expect(run.output()).toMatchObject({ level: 'a' });
    expect(run.performed).toEqual(['a', 'j', 'j']);
  });
});
