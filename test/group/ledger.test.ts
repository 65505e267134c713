/** The ledger: what a stream says without its machine. */
import { expect, test } from 'vitest';
import type { Entry, JsonValue } from 'troupe';
import { ledgerFromJson, ledgerToJson } from '../../src/group/ledger-json.ts';
import { emptyLedger, foldLedger, type Ledger } from '../../src/group/ledger.ts';

const attempt = (member: string, incarnation = 1, number = 1) => ({ member, incarnation, attempt: number });
const error = { name: 'Error', message: 'no' };

function folded(...events: readonly (readonly [string, JsonValue])[]): Ledger {
  const ledger = emptyLedger('group');
  const all: readonly (readonly [string, JsonValue])[] = [
    ['group.created', { name: 'group', machine: { id: 'm', version: 'v' }, input: null, concurrency: 3, bounds: {} }],
    ...events,
  ];
  for (const [index, [type, data]] of all.entries()) {
    const entry: Entry = { v: 1, stream: 'group:group', seq: index + 1, epoch: 1, at: 1_000 + index, type, data };
    foldLedger(ledger, entry);
  }
  return ledger;
}

test('a member goes from queued to running to waiting to its end', () => {
  const steps = [
    ['attempt.queued', { ...attempt('a'), harness: 'h' }],
    ['attempt.started', { ...attempt('a'), harness: 'h', outputFile: 'a.log' }],
    ['attempt.failed', { ...attempt('a'), class: 'failed', error, retryAt: 9_000 }],
    ['attempt.started', { ...attempt('a', 1, 2), harness: 'h' }],
    ['member.progress', { ...attempt('a', 1, 2), progress: { line: 'half way' } }],
    ['member.settled', { ...attempt('a', 1, 2), outcome: { status: 'ok', output: 1 } }],
  ] as const;
  const statuses = steps.map((_, index) => folded(...steps.slice(0, index + 1)).members.get('a')?.status);
  expect(statuses).toEqual(['queued', 'running', 'waiting', 'running', 'running', 'completed']);
  expect(folded(...steps).members.get('a')).toMatchObject({
    attempt: 2,
    failures: 1,
    interruptions: 0,
    line: 'half way',
    retryAt: undefined,
    error: undefined,
  });
});

test('what an earlier incarnation does late leaves the present one alone', () => {
  const ledger = folded(
    ['attempt.started', { ...attempt('a', 1), harness: 'h' }],
    ['attempt.started', { ...attempt('a', 2), harness: 'h' }],
  );
  expect(ledger.strays).toEqual([{ ...attempt('a', 1), harness: 'h' }]);
  foldLedger(ledger, {
    v: 1,
    stream: 'group:group',
    seq: 4,
    epoch: 1,
    at: 2_000,
    type: 'attempt.cancelled',
    data: { ...attempt('a', 1), reason: 'stopped' },
  });
  expect(ledger.strays).toEqual([]);
  expect(ledger.members.get('a')).toMatchObject({ incarnation: 2, status: 'running' });
});

test('a lost attempt counts as an interruption, one that a host ended in order does not', () => {
  const interrupted = { ...error, code: 'INTERRUPTED' };
  const ledger = folded(
    ['attempt.started', { ...attempt('a'), harness: 'h' }],
    ['attempt.failed', { ...attempt('a'), class: 'crashed', error: interrupted, retryAt: 0 }],
    ['attempt.started', { ...attempt('a', 1, 2), harness: 'h' }],
    ['attempt.cancelled', { ...attempt('a', 1, 2), reason: 'maintenance', again: true }],
  );
  expect(ledger.members.get('a')).toMatchObject({ status: 'interrupted', interruptions: 1, failures: 0 });
});

test('when the group ends, what never started is cancelled, and the first reason to cancel stays', () => {
  const ledger = folded(
    ['attempt.queued', { ...attempt('a'), harness: 'h' }],
    ['group.cancelled', { reason: 'first' }],
    ['group.cancelled', { reason: 'second' }],
    ['group.ended', { status: 'cancelled', reason: 'first' }],
  );
  expect(ledger).toMatchObject({ status: 'cancelled', cancelReason: 'first', endedAt: 1_004 });
  expect(ledger.members.get('a')?.status).toBe('cancelled');
});

test('goes through JSON unchanged, and unknown entries change nothing but the seq', () => {
  const ledger = folded(
    ['signal', { id: 's', from: 'outside', event: { type: 'go' } }],
    ['attempt.started', { ...attempt('a'), harness: 'h' }],
    ['checkpoint', { name: 'c', settled: 1, total: 2, effect: '3:0' }],
    ['something.new', { x: 1 }],
  );
  expect(ledgerFromJson(ledgerToJson(ledger))).toEqual(ledger);
  expect(ledger).toMatchObject({ seq: 5, checkpoints: [{ name: 'c', seq: 4, settled: 1, total: 2 }] });
});
