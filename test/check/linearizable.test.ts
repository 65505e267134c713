/** Linearizability: histories of a register that are, and that only seem to be. */
import { describe, expect, test } from 'vitest';
import { linearizable, register, type Envelope, type Operations } from 'troupe/check';

const history = linearizable({
  object: register(0),
  invoked: ({ from, event }) =>
    event.type === 'do' ? { client: from, operation: event['operation'] ?? null } : undefined,
  returned: ({ to, event }) => (event.type === 'done' ? { client: to, result: event['result'] ?? null } : undefined),
});

type Word = readonly [client: string, what: 'ok' | 'read' | 'write', value?: number];

/** What a few words come to: `['a', 'write', 1]` begins, `['a', 'ok']` ends, with a result for a read. */
function after(...words: readonly Word[]): Operations {
  let record = history.initial;
  for (const [client, what, value] of words) {
    const envelope = (from: string, to: string, event: Envelope['event']): Envelope => ({ from, to, event });
    if (what === 'ok')
      record =
        history.delivered?.(record, envelope('server', client, { type: 'done', result: value ?? null })) ?? record;
    else {
      const operation = what === 'read' ? { read: true } : { write: value ?? 0 };
      record = history.sent?.(record, envelope(client, 'server', { type: 'do', operation })) ?? record;
    }
  }
  return record;
}

const holds = (...words: readonly Word[]) => history.always?.['linearizable']?.(after(...words));

test('clients are called as they like', () => {
  for (const client of ['constructor', '__proto__', 'toString']) {
    expect(holds([client, 'write', 1], [client, 'ok'], ['b', 'read'], ['b', 'ok', 1])).toBe(true);
    expect(holds([client, 'write', 1], [client, 'ok'], ['b', 'read'], ['b', 'ok', 0])).toBe(false);
    expect(holds(['b', 'write', 1], ['b', 'ok'], [client, 'read'], [client, 'ok', 0])).toBe(false);
  }
});

describe('a register is linearizable', () => {
  test.each<readonly [string, readonly Word[]]>([
    ['when nothing was done', []],
    [
      'when a read sees the write before it',
      [
        ['a', 'write', 1],
        ['a', 'ok'],
        ['b', 'read'],
        ['b', 'ok', 1],
      ],
    ],
    [
      'when a read beside a write sees it already',
      [
        ['a', 'write', 1],
        ['b', 'read'],
        ['b', 'ok', 1],
        ['a', 'ok'],
      ],
    ],
    [
      'when a read beside a write does not see it yet',
      [
        ['a', 'write', 1],
        ['b', 'read'],
        ['b', 'ok', 0],
        ['a', 'ok'],
      ],
    ],
    [
      'when a write that never ended is seen',
      [
        ['a', 'write', 1],
        ['b', 'read'],
        ['b', 'ok', 1],
      ],
    ],
    [
      'when a write that never ended is not seen',
      [
        ['a', 'write', 1],
        ['b', 'read'],
        ['b', 'ok', 0],
      ],
    ],
    [
      'when two writes at once are seen in either order',
      [
        ['a', 'write', 1],
        ['b', 'write', 2],
        ['a', 'ok'],
        ['b', 'ok'],
        ['c', 'read'],
        ['c', 'ok', 1],
        ['c', 'read'],
        ['c', 'ok', 1],
      ],
    ],
  ])('%s', (_name, words) => {
    expect(holds(...words)).toBe(true);
  });
});

describe('it is not', () => {
  test.each<readonly [string, readonly Word[]]>([
    [
      'when a read misses its own client’s write',
      [
        ['a', 'write', 1],
        ['a', 'ok'],
        ['a', 'read'],
        ['a', 'ok', 0],
      ],
    ],
    [
      'when a read misses another client’s write that had ended',
      [
        ['a', 'write', 1],
        ['a', 'ok'],
        ['b', 'read'],
        ['b', 'ok', 0],
      ],
    ],
    [
      'when a read sees what nobody wrote',
      [
        ['a', 'read'],
        ['a', 'ok', 7],
      ],
    ],
    [
      'when a value comes back',
      [
        ['a', 'write', 1],
        ['a', 'ok'],
        ['a', 'write', 2],
        ['a', 'ok'],
        ['b', 'read'],
        ['b', 'ok', 1],
      ],
    ],
    [
      'when two readers see two writes in two orders',
      [
        ['a', 'write', 1],
        ['b', 'write', 2],
        ['a', 'ok'],
        ['b', 'ok'],
        ['c', 'read'],
        ['c', 'ok', 1],
        ['d', 'read'],
        ['d', 'ok', 2],
        ['c', 'read'],
        ['c', 'ok', 1],
      ],
    ],
    [
      'when a write that never ended is seen, and then not',
      [
        ['a', 'write', 1],
        ['b', 'read'],
        ['b', 'ok', 1],
        ['b', 'read'],
        ['b', 'ok', 0],
      ],
    ],
    [
      'for ever, when a client begins twice at once',
      [
        ['a', 'write', 1],
        ['a', 'read'],
        ['a', 'ok', 1],
      ],
    ],
    [
      'for ever, when a client ends what it had not begun',
      [
        ['a', 'ok', 0],
        ['a', 'read'],
        ['a', 'ok', 0],
      ],
    ],
  ])('%s', (_name, words) => {
    expect(holds(...words)).toBe(false);
  });
});

test('what is remembered of others is the last that had ended when an operation began', () => {
  const { pending, completed } = after(['a', 'write', 1], ['a', 'ok'], ['b', 'read'], ['c', 'read']);
  expect(pending).toEqual({
    b: { before: { a: 0 }, operation: { read: true } },
    c: { before: { a: 0 }, operation: { read: true } },
  });
  expect(Object.keys(completed)).toEqual(['a', 'b', 'c']);
});
