/** The live picture, looked at without a terminal. */
import { expect, test } from 'vitest';
import { frameOf } from '../../src/cli/frame.ts';
import { unknownRun } from '../../src/cli/known-run.ts';
import type { Style } from '../../src/cli/terminal.ts';
import type { JsonValue } from '../../src/json.ts';

const same = (text: string) => text;
const style: Style = { bold: same, dim: same, red: same, green: same, yellow: same, cyan: same };

/** A run at ten seconds, told by its entries: `[stream, type, data, seconds]`. */
function run(...entries: readonly (readonly [string, string, JsonValue, number?])[]) {
  const known = unknownRun('7k2fd');
  const seqs = new Map<string, number>();
  known.take({
    stream: 'run',
    seq: 1,
    type: 'run.created',
    at: 0,
    v: 1,
    epoch: 1,
    data: { process: 'review', input: null, engine: '0' },
  });
  for (const [stream, type, data, seconds = 0] of entries) {
    const seq = (seqs.get(stream) ?? 0) + 1;
    seqs.set(stream, seq);
    known.take({ stream, seq, type, at: seconds * 1_000, v: 1, epoch: 1, data });
  }
  return (rows: number, columns = 79) => frameOf({ known, now: 10_000, rows, columns, style, flag: ' --data x' });
}

const group = (name: string, members: number) =>
  [
    `group:${name}`,
    'group.created',
    {
      name,
      machine: { id: 'fan-out', version: '1' },
      input: { members: Array.from({ length: members }, (_, id) => ({ id })) },
      concurrency: 3,
      bounds: {},
    },
  ] as const;
const started = (name: string, member: string, seconds: number) =>
  [`group:${name}`, 'attempt.started', { member, incarnation: 1, attempt: 1, harness: 'command' }, seconds] as const;
const settled = (name: string, member: string, seconds: number) =>
  [
    `group:${name}`,
    'member.settled',
    { member, incarnation: 1, attempt: 1, outcome: { status: 'ok', output: `did ${member}` } },
    seconds,
  ] as const;

test('every state of a member has its sign', () => {
  const attempted = { member: 'e', incarnation: 1, attempt: 1 };
  const error = { name: 'Error', message: 'no network\nat all' };
  const frame = run(
    group('work', 8),
    settled('work', 'a', 1),
    started('work', 'b', 3),
    [
      'group:work',
      'member.progress',
      { member: 'b', incarnation: 1, attempt: 1, progress: { line: 'half \u001b[31mway\u001b[0m\tthere' } },
      4,
    ],
    started('work', 'c', 1),
    [
      'group:work',
      'member.settled',
      { member: 'c', incarnation: 1, attempt: 2, outcome: { status: 'error', class: 'failed', error } },
      2,
    ],
    ['group:work', 'attempt.queued', { member: 'd', incarnation: 1, attempt: 1, harness: 'claude' }],
    started('work', 'e', 1),
    ['group:work', 'attempt.failed', { ...attempted, class: 'crashed', error, retryAt: 15_000 }, 5],
    started('work', 'f', 1),
    ['group:work', 'attempt.cancelled', { ...attempted, member: 'f', reason: 'enough' }, 6],
    started('work', 'g', 1),
    ['group:work', 'attempt.cancelled', { ...attempted, member: 'g', reason: 'stopped', again: true }, 6],
    ['group:work', 'checkpoint', { name: 'checkpoint 1', settled: 2, total: 8, effect: 'x' }, 6],
  )(24);
  expect(frame).toEqual([
    'run 7k2fd · review · 10s',
    '  work  fan-out  3/8  ● checkpoint 1 (2 of 8)',
    '    a              ✓         did a',
    '    b     command  ▶ 7.0s    half way there',
    '    c     command  ✗ 1.0s    attempt 2: no network',
    '    d     claude   ·         waits for a free place',
    '    e     command  ↻ 4.0s    attempt 2 in 5.0s: no network',
    '    f     command  ■ 5.0s',
    '    g     command  ‖ 5.0s    its host stopped; it goes on after a resume',
    '    + 1 to come',
  ]);
});

test('on a low terminal: what runs, then what ended last; groups that have ended keep their line', () => {
  const frame = run(
    group('first', 2),
    settled('first', 'x', 1),
    settled('first', 'y', 1),
    ['group:first', 'group.ended', { status: 'completed', output: null }, 1],
    group('second', 30),
    ...Array.from({ length: 20 }, (_, index) => [
      started('second', `m${index}`, 1),
      settled('second', `m${index}`, 2 + index / 10),
    ]).flat(),
    started('second', 'n1', 5),
    started('second', 'n2', 5),
  )(8);
  expect(frame).toEqual([
    'run 7k2fd · review · 10s',
    '  first  fan-out  2/2  completed',
    '  second  fan-out  20/30',
    '    m18   command  ✓ 2.8s    did m18',
    '    m19   command  ✓ 2.9s    did m19',
    '    n1    command  ▶ 5.0s',
    '    n2    command  ▶ 5.0s',
    '    + 18 more (18 settled), 8 to come',
  ]);
});

test('whatever there is, a frame keeps to the rows and columns it is given', () => {
  const names = Array.from({ length: 15 }, (_, index) => `group-${index}-with-a-long-name`);
  const paint = run(
    ...names.flatMap((name) => [
      group(name, 5),
      started(name, '日本語のとても長い名前のメンバー'.repeat(4), 1),
      settled(name, 'b'.repeat(90), 2),
    ]),
  );
  for (const rows of [1, 2, 3, 5, 10, 24, 60]) expect(paint(rows).length).toBeLessThanOrEqual(rows);
  expect(paint(5).at(-1)).toMatch(/^ {2}\+ 1\d more groups$/);
  for (const columns of [5, 20, 40, 79]) {
    for (const line of paint(60, columns)) expect(widthIn(line)).toBeLessThanOrEqual(columns);
  }
});

const widthIn = (line: string) => line.length + (line.match(/[\u3040-\u9fff]/g)?.length ?? 0);

test('a later attempt is told with what it says, and by its number alone while it says nothing', () => {
  const again = (member: string) =>
    ['group:work', 'attempt.started', { member, incarnation: 1, attempt: 2, harness: 'command' }, 1] as const;
  const progress = { member: 'a', incarnation: 1, attempt: 2, progress: { line: 'reads' } };
  const lines = run(group('work', 2), again('a'), again('b'), ['group:work', 'member.progress', progress, 2])(24);
  const rows = lines.map((line) => line.trimEnd()).filter((line) => /^ {4}[ab] /.test(line));
  expect(rows.map((row) => row.replace(/^.*attempt/, 'attempt'))).toEqual(['attempt 2: reads', 'attempt 2']);
});

test('what answers a gate names the data folder, and the group where several have one of this name', () => {
  const opened = (name: string, gate: string) =>
    [`group:${name}`, 'gate.opened', { name: gate, question: 'Go on?' }] as const;
  const lines = run(
    group('a', 0),
    group('b', 0),
    opened('a', 'ship'),
    opened('b', 'ship'),
    opened('b', 'merge'),
  )(24, 120);
  expect(lines.filter((line) => line.includes('?')).toSorted()).toEqual([
    '  ? a: ship  Go on?  npx troupe approve 7k2fd ship --group a --data x',
    '  ? b: merge  Go on?  npx troupe approve 7k2fd merge --data x',
    '  ? b: ship  Go on?  npx troupe approve 7k2fd ship --group b --data x',
  ]);
});

test('names cannot write elsewhere on the terminal, nor on a second line', () => {
  const lines = run(group('g\u001b[2Jx', 1), started('g\u001b[2Jx', 'a\u001b[31m\nb', 1), [
    'group:g\u001b[2Jx',
    'gate.opened',
    { name: 'sh\r\u001b[2Kip', question: 'Go on?' },
  ])(24, 120);
  expect(lines.join('')).not.toMatch(/\p{Cc}/u);
  expect(lines.slice(1)).toEqual([
    expect.stringMatching(/^ {2}\? gx: sh ip {2}Go on\? {2}npx troupe approve/) as string,
    expect.stringMatching(/^ {2}gx {2}fan-out/) as string,
    expect.stringMatching(/^ {4}a b {3}command/) as string,
  ]);
});
