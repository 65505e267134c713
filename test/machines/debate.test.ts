import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { debate } from '../../machines/index.ts';
import { fail, hold, ok } from '../../src/harness/index.ts';
import { runGroup } from './run-group.ts';
import { asked, checkpoints, drive, simulate } from './simulate.ts';

const input = {
  question: 'How?',
  proposers: [{ id: 'p' }, { id: 'q' }],
  critics: [{ id: 'c' }],
  judge: { id: 'j' },
  rounds: 2,
};

describe('debate', () => {
  test('proposals are criticised, then judged; the next round is told all of it', () => {
    const group = simulate(debate, input);
    expect(asked(group, 'p').input).toEqual({ question: 'How?', round: 1, rounds: 2 });
    group.settle('q', 'Q1');
    group.settle('p', 'P1');
    const proposals = [
      { id: 'p', output: 'P1' },
      { id: 'q', output: 'Q1' },
    ];
    expect(asked(group, 'c').input).toEqual({ question: 'How?', round: 1, rounds: 2, proposals });
    group.settle('c', 'weak');
    const critiques = [{ id: 'c', output: 'weak' }];
    expect(asked(group, 'j').input).toEqual({ question: 'How?', round: 1, rounds: 2, proposals, critiques });
    group.settle('j', { accept: false, why: 'both weak' });
    expect(asked(group, 'p').input).toMatchObject({ round: 2, proposals, critiques, verdict: { why: 'both weak' } });
    group.settle('p', 'P2');
    group.break('q');
    group.settle('c', 'good');
    group.settle('j', { accept: true, choice: 'p' });
    expect(group.output()).toMatchObject({
      accepted: true,
      rounds: 2,
      verdict: { accept: true, choice: 'p' },
      proposals: [{ id: 'p', output: 'P2' }],
      critiques: [{ id: 'c', output: 'good' }],
      failed: [{ id: 'q', round: 2 }],
    });
    expect(checkpoints(group)).toEqual(['round 1: not accepted', 'round 2: accepted']);
  });

  test('it ends after the last round though nothing was accepted', () => {
    const group = simulate(debate, { ...input, critics: [], rounds: 1 });
    group.settle('p', 'P');
    group.settle('q', 'Q');
    expect(group.open()).toEqual(['j']);
    group.settle('j', false);
    expect(group.output()).toMatchObject({ accepted: false, rounds: 1, critiques: [] });
  });

  test.each([
    [true, true],
    [{ accept: true }, true],
    [{ exitCode: 0, stdout: '{"accept": true}\n' }, true],
    [{ exitCode: 0, stdout: 'true' }, true],
    [{ exitCode: 0, stdout: 'yes' }, false],
    [{ accept: 'true' }, false],
    ['true', false],
    [null, false],
    [[true], false],
  ])('a judge’s output %j means %s', (output, accepted) => {
    const group = simulate(debate, { proposers: [{ id: 'p' }], judge: { id: 'j' }, rounds: 1 });
    group.settle('p', 1);
    group.settle('j', output);
    expect(group.output().accepted).toBe(accepted);
  });

  test('a round without a proposal, and a judge that fails, fail the group', () => {
    const silent = simulate(debate, input);
    silent.break('p');
    silent.break('q');
    expect(silent.failure()).toBe('nobody proposed anything in round 1: p: p broke; q: q broke');

    const unjudged = simulate(debate, { ...input, critics: [] });
    unjudged.settle('p', 1);
    unjudged.settle('q', 1);
    unjudged.break('j', 'away');
    expect(unjudged.failure()).toBe('member `j` failed: away');
  });

  test.each([
    [{ ...input, judge: { id: 'p' } }, 'two of `proposers, critics and judge` are called `p`'],
    [{ ...input, rounds: 0 }, '`rounds` to be a whole number from 1 to 100, got `0`'],
    [{ ...input, proposers: [] }, '`proposers` to hold at least 1'],
  ])('bad input is one clear sentence: %#', (wrong, sentence) => {
    expect(simulate(debate, wrong).failure()).toContain(sentence);
  });

  test('in any order it ends within its rounds, and nobody speaks before their turn', () => {
    fc.assert(
      fc.property(
        fc.array(fc.nat(), { minLength: 1, maxLength: 9 }),
        fc.integer({ min: 1, max: 4 }),
        fc.func(fc.nat(3)),
        fc.nat(20),
        (choices, rounds, luck, restartAfter) => {
          const group = simulate(debate, { ...input, rounds });
          drive(group, {
            choices,
            restartAfter,
            stepsMax: rounds * 4,
            outcome: ({ address, incarnation }) => {
              const number = luck(address, incarnation);
              if (address === 'j') return ok(number === 0);
              return number === 0 ? fail() : ok(number);
            },
          });
          // Within a round proposers come first, then critics, then the judge.
          const order = { p: 0, q: 0, c: 1, j: 2 } as Readonly<Record<string, number>>;
          const turns = group.happenings.flatMap((one) =>
            one.what === 'asked' ? [one.incarnation * 3 + (order[one.member] as number)] : [],
          );
          expect(turns).toEqual(turns.toSorted((a, b) => a - b));
          if (group.end?.status !== 'completed') {
            expect(group.failure()).toContain('nobody proposed');
            return;
          }
          const output = group.output();
          expect(output.accepted || output.rounds === rounds).toBe(true);
          expect(output.rounds).toBe(
            1 +
              Array.from({ length: rounds }, (_, index) => luck('j', index + 1) === 0).findIndex(
                (accepted, index) => accepted || index === rounds - 1,
              ),
          );
        },
      ),
    );
  });

  test('in a run whose host dies in the second round: the first is kept', async () => {
    const run = await runGroup(
      debate,
      { ...input, critics: [] },
      {
        script: {
          p: ({ key }) => ok(key.includes('#2/') ? 'P2' : 'P1'),
          q: ok('Q'),
          j: ({ invocation }) => ok((invocation.input as { readonly round: number }).round === 2),
        },
        dies: { script: { q: ({ key }) => (key.includes('#2/') ? hold : ok('Q')) }, when: [{ member: 'q', count: 2 }] },
      },
    );
    expect(run.output()).toMatchObject({ accepted: true, rounds: 2, proposals: [{ output: 'P2' }, { output: 'Q' }] });
    expect(run.checkpoints).toEqual(['round 1', 'round 2']);
    expect(run.performed.filter((id) => id === 'j')).toHaveLength(2);
  });
});
