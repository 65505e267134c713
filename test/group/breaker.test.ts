/** Circuit breakers, as a fold over outcomes. */
import { describe, expect, test } from 'vitest';
import { breakers, learning } from '../../src/group/breaker.ts';
import type { Entry, FailureClass, JsonValue } from 'troupe';

const policy = { trips: 3, openMs: 100, openMsMax: 350 };
const fails = (
  circuits: ReturnType<typeof breakers>,
  count: number,
  at: number,
  failure: FailureClass = 'overloaded',
) => {
  for (let index = 0; index < count; index += 1) circuits.note('h', failure, at);
};

describe('a circuit', () => {
  test('opens after so many failures in a row, for a while', () => {
    const circuits = breakers(policy);
    fails(circuits, 2, 1_000);
    expect(circuits.openUntil('h', 1_000)).toBeUndefined();
    fails(circuits, 1, 1_000);
    expect(circuits.openUntil('h', 1_099)).toBe(1_100);
    expect(circuits.openUntil('h', 1_100)).toBeUndefined();
    expect(circuits.openUntil('other', 1_000)).toBeUndefined();
  });

  test('is closed by a success', () => {
    const circuits = breakers(policy);
    fails(circuits, 2, 1_000);
    circuits.note('h', undefined, 1_000);
    fails(circuits, 2, 1_000);
    expect(circuits.openUntil('h', 1_000)).toBeUndefined();
  });

  test('opens for twice as long when the trial fails, up to a bound, and as at first after a success', () => {
    const circuits = breakers(policy);
    fails(circuits, 3, 0);
    fails(circuits, 1, 100);
    expect(circuits.openUntil('h', 100)).toBe(300);
    fails(circuits, 1, 300);
    expect(circuits.openUntil('h', 300)).toBe(650);
    circuits.note('h', undefined, 700);
    fails(circuits, 3, 700);
    expect(circuits.openUntil('h', 700)).toBe(800);
  });

  test('is not kept open by what was under way when it opened', () => {
    const circuits = breakers(policy);
    fails(circuits, 10, 50);
    expect(circuits.openUntil('h', 50)).toBe(150);
  });

  test.each<FailureClass>(['failed', 'invalid-output', 'refused', 'timeout'])(
    'is not opened by %s: that is the work',
    (failure) => {
      const circuits = breakers(policy);
      fails(circuits, 10, 0, failure);
      expect(circuits.openUntil('h', 0)).toBeUndefined();
    },
  );

  test.each<FailureClass>(['auth', 'crashed', 'overloaded', 'rate-limited'])('is opened by %s', (failure) => {
    const circuits = breakers(policy);
    fails(circuits, 3, 0, failure);
    expect(circuits.openUntil('h', 0)).toBe(100);
  });
});

describe('learning from entries', () => {
  let seq = 0;
  const entry = (type: string, at: number, data: JsonValue): Entry => ({
    v: 1,
    stream: 'group:g',
    seq: (seq += 1),
    at,
    epoch: 1,
    type,
    data,
  });
  const started = (member: string) => entry('attempt.started', 0, { member, incarnation: 1, attempt: 1, harness: 'h' });
  const failed = (member: string, at: number, code = 'X') =>
    entry('attempt.failed', at, {
      member,
      incarnation: 1,
      attempt: 1,
      class: 'crashed',
      error: { name: 'E', message: '', code },
      retryAt: at,
    });
  const settled = (member: string, at: number, status: 'error' | 'ok') =>
    entry('member.settled', at, {
      member,
      incarnation: 1,
      attempt: 1,
      outcome:
        status === 'ok' ? { status, output: null } : { status, class: 'crashed', error: { name: 'E', message: '' } },
    });

  test('the same entries give the same circuits, whoever folds them', () => {
    const entries = [
      started('a'),
      failed('a', 1),
      started('b'),
      settled('b', 2, 'error'),
      started('a'),
      settled('a', 3, 'error'),
      started('c'),
    ];
    const [one, other] = [breakers(policy), breakers(policy)];
    const learn = learning(one, () => true);
    const again = learning(other, () => true);
    for (const take of entries) {
      learn.take(take);
      again.take(take);
    }
    expect(one.openUntil('h', 3)).toBe(103);
    expect(other.openUntil('h', 3)).toBe(103);
  });

  test('an attempt that its host took down says nothing about its harness', () => {
    const circuits = breakers(policy);
    const learn = learning(circuits, () => true);
    for (const member of ['a', 'b', 'c', 'd'])
      for (const take of [started(member), failed(member, 1, 'INTERRUPTED')]) learn.take(take);
    expect(circuits.openUntil('h', 1)).toBeUndefined();
  });

  test('a harness without a circuit has none', () => {
    const circuits = breakers(policy);
    const learn = learning(circuits, (name) => name !== 'h');
    for (const member of ['a', 'b', 'c', 'd'])
      for (const take of [started(member), settled(member, 1, 'error')]) learn.take(take);
    expect(circuits.openUntil('h', 1)).toBeUndefined();
  });
});
