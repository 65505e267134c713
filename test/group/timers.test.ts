/** The alarm clock: in due order, those of one moment in the order they were set, and none that was called off. */
import fc from 'fast-check';
import { expect, test, vi } from 'vitest';
import { systemClock } from 'troupe';
import { dueHeap, type Due } from '../../src/group/due-heap.ts';
import { timersOn } from '../../src/group/timers.ts';
import { handClock, settle } from '../support/hand-clock.ts';

test('timers fire in due order, and those of one moment in the order they were set', () => {
  fc.assert(
    fc.property(
      fc.array(fc.record({ inMs: fc.integer({ min: 1, max: 20 }), isCancelled: fc.boolean() }), { maxLength: 300 }),
      (wanted) => {
        const clock = handClock(0);
        const timers = timersOn(clock);
        const fired: number[] = [];
        const calledOff = wanted.map(({ inMs }, index) => timers.set(inMs, () => fired.push(index)));
        for (const [index, callOff] of calledOff.entries()) if (wanted[index]?.isCancelled === true) callOff();
        clock.advance(20);
        const expected = wanted
          .map(({ inMs, isCancelled }, index) => ({ inMs, isCancelled, index }))
          .filter(({ isCancelled }) => !isCancelled)
          .toSorted((one, other) => one.inMs - other.inMs || one.index - other.index)
          .map(({ index }) => index);
        expect(fired).toEqual(expected);
        expect(timers.nextDueAt()).toBeUndefined();
      },
    ),
  );
});

test('overdue timers fire at once, in due order', async () => {
  const clock = handClock(1_000);
  const timers = timersOn(clock);
  const fired: string[] = [];
  timers.set(500, () => fired.push('500'));
  timers.set(100, () => fired.push('100'));
  timers.set(1_001, () => fired.push('1001'));
  await settle(3);
  expect(fired).toEqual(['100', '500']);
  expect(timers.nextDueAt()).toBe(1_001);
});

test('a timer that is set while others fire has its turn too', () => {
  const clock = handClock(0);
  const timers = timersOn(clock);
  const fired: string[] = [];
  timers.set(10, () => {
    fired.push('first');
    timers.set(5, () => fired.push('overdue'));
    timers.set(15, () => fired.push('next'));
  });
  clock.advance(10);
  clock.advance(5);
  expect(fired).toEqual(['first', 'overdue', 'next']);
});

test('a closed alarm clock stays silent', () => {
  const clock = handClock(0);
  const timers = timersOn(clock);
  const fired: string[] = [];
  timers.set(10, () => {
    timers.close();
    fired.push('first');
  });
  timers.set(10, () => fired.push('second'));
  clock.advance(100);
  expect(fired).toEqual(['first']);
});

test('timers that are called off again and again take no lasting place', () => {
  const heap = dueHeap();
  for (let order = 0; order < 10_000; order += 1) {
    const due: Due = { dueAt: 1_000_000 + order, order, isCancelled: false, fire: () => {} };
    heap.push(due);
    if (order % 100 !== 0) heap.cancel(due);
  }
  expect(heap.size).toBeLessThan(1_000);
  const left: number[] = [];
  for (let due = heap.pop(); due !== undefined; due = heap.pop()) left.push(due.order);
  expect(left).toEqual(Array.from({ length: 100 }, (_, index) => index * 100));
});

test('the machine’s own clock calls back, at once for what is past, and not when called off', async () => {
  let called = 0;
  const callOff = systemClock.wakeAt(0, () => {
    called += 100;
  });
  callOff();
  await new Promise<void>((resolve) => void systemClock.wakeAt(0, resolve));
  expect(called).toBe(0);
  systemClock.wakeAt(Date.now() + 10 ** 12, () => {})();
});

test('who waits for a moment is woken when the time of day is past it, though the machine slept; who waits for some time is not', () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'Date'], now: 0 });
  try {
    const hour = 3_600_000;
    const woken: string[] = [];
    const timers = timersOn(systemClock);
    timers.set(8 * hour, () => woken.push('at eight'));
    timers.set(8 * hour + 1, () => woken.push('after it'));
    systemClock.wakeAt(8 * hour, () => woken.push('eight hours passed'));
    vi.advanceTimersByTime(hour);
    expect(woken).toEqual([]);
    // Asleep: the time of day goes on, what setTimeout counts does not.
    vi.setSystemTime(10 * hour);
    vi.advanceTimersByTime(30_001);
    expect(woken).toEqual(['at eight', 'after it']);
    vi.advanceTimersByTime(7 * hour - 30_001);
    expect(woken).toEqual(['at eight', 'after it', 'eight hours passed']);
    timers.close();
    expect(vi.getTimerCount()).toBe(0);
  } finally {
    vi.useRealTimers();
  }
});
