/** Routing: who performs the next attempt, and why. */
import { describe, expect, test } from 'vitest';
import type { Invocation } from 'troupe';
import { route, type HarnessFacts, type RouteQuestion } from 'troupe/harness';

const facts = (name: string, more: Partial<HarnessFacts> = {}): HarnessFacts => ({
  name,
  capabilities: [],
  running: 0,
  concurrency: 4,
  openUntil: undefined,
  ...more,
});

const claude = facts('claude', { capabilities: ['code', 'code-review'] });
const gemini = facts('gemini', { capabilities: ['code-review', 'web'] });
const command = facts('command', { concurrency: Number.POSITIVE_INFINITY });

const asked = (invocation: Invocation, more: Partial<RouteQuestion> = {}) =>
  route({
    member: 'src/a.ts',
    invocation,
    harnesses: [claude, gemini, command],
    defaultHarness: undefined,
    fallback: undefined,
    order: 0,
    failures: [],
    ...more,
  });

describe('of all that match', () => {
  test('the needs decide first', () => {
    expect(asked({ needs: ['code'] })).toEqual({
      harness: 'claude',
      why: 'is the only one that matches',
      rejected: [
        { harness: 'gemini', reason: 'lacks [code]' },
        { harness: 'command', reason: 'lacks [code]' },
      ],
    });
  });

  test('the preferred is taken, the best first, if it matches', () => {
    expect(asked({ needs: ['code-review'], prefer: ['nobody', 'gemini', 'claude'] })).toMatchObject({
      harness: 'gemini',
      why: 'matches, and is preferred',
    });
    expect(asked({ needs: ['code'], prefer: ['gemini'] })).toMatchObject({ harness: 'claude' });
    expect(asked({ prefer: ['gemini'] })).toMatchObject({ harness: 'gemini' });
  });

  test('one to be avoided is not taken', () => {
    expect(asked({ needs: ['code-review'], avoid: ['claude'] })).toMatchObject({
      harness: 'gemini',
      rejected: [{ harness: 'claude', reason: 'is to be avoided' }, { harness: 'command' }],
    });
  });

  test('one whose circuit is open is not taken', () => {
    const harnesses = [
      facts('claude', { capabilities: ['x'], openUntil: 43_450_000 }),
      facts('gemini', { capabilities: ['x'] }),
    ];
    expect(asked({ needs: ['x'] }, { harnesses })).toMatchObject({
      harness: 'gemini',
      rejected: [{ harness: 'claude', reason: 'is open-circuited until 12:04:10 UTC' }],
    });
  });

  test('the least loaded is taken, by the share of its places', () => {
    const harnesses = [
      facts('big', { capabilities: ['x'], running: 3, concurrency: 10 }),
      facts('small', { capabilities: ['x'], running: 1, concurrency: 2 }),
    ];
    expect(asked({ needs: ['x'] }, { harnesses })).toMatchObject({
      harness: 'big',
      why: 'matches, and is least loaded',
    });
  });

  test('equals take turns by the place of the member, whatever is pending (G8)', () => {
    expect(
      [0, 1, 2, 3].map((order) => asked({ needs: ['code-review'] }, { order, harnesses: [claude, gemini] }).harness),
    ).toEqual(['claude', 'gemini', 'claude', 'gemini']);
  });
});

describe('a pinned harness', () => {
  test('is taken', () => expect(asked({ harness: 'gemini' })).toMatchObject({ harness: 'gemini', why: 'is pinned' }));

  test.each<[string, Invocation, string]>([
    [
      'that is not declared',
      { harness: 'codex' },
      'member src/a.ts asks for harness `codex`; codex is not declared (declared: claude, gemini, command).',
    ],
    [
      'that lacks what is needed',
      { harness: 'gemini', needs: ['code', 'web'] },
      'member src/a.ts asks for harness `gemini` and needs [code, web]; gemini lacks [code].',
    ],
  ])('%s is refused', (_what, invocation, message) => {
    expect(() => asked(invocation)).toThrow(`NO_HARNESS: ${message}`);
  });
});

describe('without needs', () => {
  test('a command is performed by `command`', () =>
    expect(asked({ command: ['ls'] }, { defaultHarness: 'claude' })).toMatchObject({
      harness: 'command',
      why: 'performs commands',
    }));

  test('the default performs the rest', () =>
    expect(asked({ prompt: 'hello' }, { defaultHarness: 'claude' })).toMatchObject({
      harness: 'claude',
      why: 'is the default',
    }));

  test('but not what is to avoid it, nor what needs more than it has', () => {
    expect(() => asked({ avoid: ['claude'] }, { defaultHarness: 'claude' })).toThrow(
      'NO_HARNESS: member src/a.ts names no harness, needs nothing, and there is no default; claude is to be avoided.',
    );
    expect(() => asked({ needs: ['juggling'] }, { defaultHarness: 'claude' })).toThrow(
      'NO_HARNESS: member src/a.ts needs [juggling];',
    );
  });

  test('and without a default nobody does', () => {
    expect(() => asked({ prompt: 'hello' })).toThrow(
      'NO_HARNESS: member src/a.ts names no harness, needs nothing, and there is no default; declared: claude, gemini, command.',
    );
  });
});

test('a refusal says of each harness what is missing, and when it may be asked again', () => {
  const harnesses = [
    facts('claude', { capabilities: ['code-review'] }),
    facts('gemini', { capabilities: ['code-review', 'web'], openUntil: 43_450_000 }),
  ];
  const refused = () => asked({ needs: ['code-review', 'web'] }, { harnesses });
  expect(refused).toThrow(
    'NO_HARNESS: member src/a.ts needs [code-review, web]; claude lacks [web], gemini is open-circuited until 12:04:10 UTC.',
  );
  expect(refused).toThrow(
    expect.objectContaining({
      details: expect.objectContaining({ openUntil: 43_450_000, harnesses: ['claude', 'gemini'] }),
    }),
  );
});

describe('after a failure', () => {
  const fallback = { 'rate-limited': ['gemini', 'command'] } as const;
  const failed = (...harnesses: readonly string[]) =>
    harnesses.map((harness) => ({ harness, class: 'rate-limited' as const }));

  test('the chain of its class is gone through, each harness once', () => {
    expect(asked({ harness: 'claude', fallback }, { failures: failed('claude') })).toMatchObject({
      harness: 'gemini',
      why: 'falls back from claude (rate-limited)',
    });
    expect(asked({ harness: 'claude', fallback }, { failures: failed('claude', 'gemini') })).toMatchObject({
      harness: 'command',
    });
    expect(asked({ harness: 'claude', fallback }, { failures: failed('claude', 'gemini', 'command') })).toMatchObject({
      harness: 'claude',
      why: 'is pinned',
    });
  });

  test('of another class it is not', () => {
    expect(
      asked({ harness: 'claude', fallback }, { failures: [{ harness: 'claude', class: 'crashed' }] }),
    ).toMatchObject({ harness: 'claude' });
  });

  test("the run's chain is for those that have none of their own", () => {
    expect(asked({ harness: 'claude' }, { fallback, failures: failed('claude') })).toMatchObject({ harness: 'gemini' });
    expect(
      asked({ harness: 'claude', fallback: { 'rate-limited': [] } }, { fallback, failures: failed('claude') }),
    ).toMatchObject({ harness: 'claude' });
  });

  test('who lacks what is needed is passed over', () => {
    expect(
      asked(
        { harness: 'claude', needs: ['code'], fallback: { 'rate-limited': ['gemini'] } },
        { failures: failed('claude') },
      ),
    ).toMatchObject({
      harness: 'claude',
      rejected: [{ harness: 'gemini', reason: 'lacks [code]' }],
    });
  });
});
