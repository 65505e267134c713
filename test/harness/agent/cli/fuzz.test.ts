/** Whatever a CLI prints: nothing throws, nothing waits, nothing grows beyond its bound. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { lineDepthMax, lineObject } from '../../../../src/harness/agent/cli/line-object.ts';
import { linePipe } from '../../../../src/harness/agent/cli/line-pipe.ts';
import { ownProgram } from '../../../../src/harness/agent/cli/own-program.ts';
import { programs } from '../../../../src/harness/agent/cli/programs.ts';
import { lineSplitter } from '../../../../src/harness/agent/cli/split-lines.ts';
import { linesOf } from '../../../../src/harness/agent/lines.ts';
import { redactor } from '../../../../src/harness/agent/redact.ts';
import type { AgentEvent } from '../../../../src/harness/index.ts';

const own = ownProgram({ command: ['agent'] });
const all = [...Object.values(programs), own];
const lineBytesMax = 2_000;

/** Cuts bytes at these places. */
function cut(bytes: Uint8Array, places: readonly number[]): readonly Uint8Array[] {
  const at = [
    0,
    ...places.map((place) => place % (bytes.length + 1)).toSorted((one, other) => one - other),
    bytes.length,
  ];
  return at.slice(1).map((to, index) => bytes.subarray(at[index], to));
}

function readAll(chunks: readonly Uint8Array[], exit = { exitCode: 0, signal: null, stderr: '' }) {
  return all.map(({ name, dialect }) => {
    const events: AgentEvent[] = [];
    const lineOf = linesOf(redactor({ env: { A_KEY: 'planted-secret' } }));
    const lines: (string | undefined)[] = [];
    const pipe = linePipe(dialect, lineBytesMax, {
      emit(event) {
        events.push(event);
        lines.push(lineOf(event));
      },
      ask: () => {},
      onLine: () => {},
    });
    for (const chunk of chunks) pipe.push(chunk);
    pipe.isOver();
    return { name, events, lines, end: pipe.end(exit) };
  });
}

/** Words that some dialect looks for, so that random lines get further than its first look. */
const words = [
  'system',
  'init',
  'assistant',
  'user',
  'result',
  'success',
  'stream_event',
  'control_request',
  'can_use_tool',
  'thread.started',
  'item.started',
  'item.completed',
  'agent_message',
  'mcp_tool_call',
  'turn.completed',
  'turn.failed',
  'error',
  'message',
  'tool_use',
  'tool_result',
  'step_finish',
  'text',
  'stop',
  'tool-calls',
  'assistant.message',
  'session.error',
  'message_end',
  'agent_end',
  'auto_retry_start',
  'end',
  'ok',
  'usage',
];
const names = [
  'type',
  'subtype',
  'message',
  'content',
  'item',
  'part',
  'data',
  'error',
  'usage',
  'id',
  'session_id',
  'result',
  'is_error',
  'status',
  'tokens',
  'state',
  'request',
  'messages',
  'stats',
  'text',
  'role',
  '__proto__',
];
const value = fc.letrec((tie) => ({
  value: fc.oneof(
    { maxDepth: 4, withCrossShrink: true },
    fc.constantFrom(...words),
    fc.string(),
    fc.double(),
    fc.boolean(),
    fc.constant(null),
    tie('object'),
    fc.array(tie('value'), { maxLength: 3 }),
  ),
  object: fc.dictionary(fc.constantFrom(...names), tie('value'), { maxKeys: 6, noNullPrototype: true }),
}));
const line = fc
  .tuple(fc.constantFrom(...words), value.object)
  .map(([type, rest]) => JSON.stringify({ ...(rest as object), type }));
const bytes = fc.oneof(
  fc.uint8Array({ maxLength: 3_000 }),
  fc
    .array(fc.oneof(line, fc.string({ unit: 'binary' })), { maxLength: 12 })
    .map((lines) => new TextEncoder().encode(lines.join('\n'))),
);
const runs = Number(process.env['TROUPE_FUZZ_RUNS'] ?? 600);

describe('any bytes, cut anywhere', () => {
  test('become events of the port and one end, and the cuts change nothing', () => {
    fc.assert(
      fc.property(bytes, fc.array(fc.nat(5_000), { maxLength: 8 }), (input, places) => {
        const whole = readAll([input]);
        expect(readAll(cut(input, places))).toEqual(whole);
        for (const { end, lines } of whole) {
          expect(['ok', 'error', 'cancelled']).toContain(end.status);
          for (const one of lines) expect((one ?? '').length).toBeLessThanOrEqual(200);
          if (end.status === 'error') expect(end.error.message.length).toBeLessThanOrEqual(2_000);
        }
      }),
      { numRuns: runs },
    );
  });
});

describe('lines', () => {
  const split = (chunks: readonly Uint8Array[], max: number) => {
    const lines: string[] = [];
    const tooLong: number[] = [];
    const splitter = lineSplitter(max, { onLine: (one) => lines.push(one), onTooLong: (count) => tooLong.push(count) });
    for (const chunk of chunks) splitter.push(chunk);
    splitter.end();
    return { lines, tooLong };
  };

  test('are split at line feeds only, characters whole wherever they are cut', () => {
    const unit = fc.constantFrom('a', 'ü', '€', '👩‍🚀', '\u2028', '\u2029', '\u0085', '\ufeff', '{', ' ');
    fc.assert(
      fc.property(
        fc.array(fc.string({ unit, minLength: 1, maxLength: 20 }), { maxLength: 10 }),
        fc.array(fc.nat(500), { maxLength: 30 }),
        (texts, places) => {
          const wanted = texts.filter((one) => one.trim() !== '');
          expect(split(cut(new TextEncoder().encode(texts.join('\n')), places), 1_000)).toEqual({
            lines: wanted,
            tooLong: [],
          });
        },
      ),
      { numRuns: runs },
    );
  });

  test('longer than the bound are left out and counted; those around them are read', () => {
    const long = 'x'.repeat(50);
    const chunks = cut(new TextEncoder().encode(`before\n${long}\nafter\r\n${long}`), [3, 20, 30, 58]);
    expect(split(chunks, 49)).toEqual({ lines: ['before', 'after'], tooLong: [50, 50] });
    expect(split(chunks, 50)).toEqual({ lines: ['before', long, 'after', long], tooLong: [] });
  });

  test('of a gigabyte without an end take no memory', () => {
    const chunk = new Uint8Array(2 ** 20).fill(0x61);
    const lines = lineSplitter(8 * 2 ** 20, { onLine: () => {}, onTooLong: () => {} });
    const before = process.memoryUsage();
    for (let count = 0; count < 1_024; count += 1) lines.push(chunk);
    const after = process.memoryUsage();
    expect(after.arrayBuffers + after.heapUsed - before.arrayBuffers - before.heapUsed).toBeLessThan(64 * 2 ** 20);
    lines.end();
  });
});

describe('nested JSON', () => {
  const nested = (depth: number) => `{"type":"text","text":${'['.repeat(depth - 1)}${']'.repeat(depth - 1)}}`;

  test('is taken up to its bound, and refused beyond, however deep; brackets in texts do not count', () => {
    expect(lineObject(nested(lineDepthMax))).toBeDefined();
    expect(lineObject(nested(lineDepthMax + 1))).toBeUndefined();
    expect(lineObject(nested(2_000_000))).toBeUndefined();
    expect(lineObject('{"a":'.repeat(1_000_000))).toBeUndefined();
    expect(lineObject(JSON.stringify({ text: `${'['.repeat(10_000)}\\"{` }))).toBeDefined();
  });

  test('of eight megabytes is looked at in no time', () => {
    const began = performance.now();
    expect(lineObject(`{"a":"${'x'.repeat(8 * 2 ** 20)}"}`)).toBeDefined();
    expect(performance.now() - began).toBeLessThan(2_000);
  });
});
