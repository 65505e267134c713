import { expect, test } from 'vitest';
import { remedies, TroupeError, type Code } from '../../src/error.ts';
import { exitCodeHelp, exitCodeOf } from '../../src/cli/exit-codes.ts';
import { outputLines } from '../../src/cli/output-lines.ts';
import { column, count, duration, fit, widthOf } from '../../src/cli/text.ts';

test('text is measured in columns: wide characters take two, marks and joined emoji count once', () => {
  expect(widthOf('abc')).toBe(3);
  expect(widthOf('日本')).toBe(4);
  expect(widthOf('e\u0301')).toBe(1);
  expect(widthOf('👨‍👩‍👧')).toBe(2);
  expect(widthOf('▶ ✓')).toBe(3);
  expect(fit('日本語', 5)).toBe('日本…');
  expect(fit('日本語', 6)).toBe('日本語');
  expect(fit('abc', 0)).toBe('');
  expect(column('日', 4)).toBe('日  ');
});

test('what is counted quickly takes as many columns as when it is looked at character by character', () => {
  for (let code = 0x20; code < 0x3000; code += 1) {
    const character = String.fromCharCode(code);
    const text = `e${character}${character}e`;
    // With a wide character in it, everything is looked at.
    expect([code.toString(16), widthOf(text)]).toEqual([code.toString(16), widthOf(`${text}日`) - 2]);
  }
  expect([fit('✓ · done', 5), fit('✓ · done', 8), fit('✓ · 日本', 6)]).toEqual(['✓ · …', '✓ · done', '✓ · …']);
});

test('times are told as people tell them', () => {
  expect([0, 400, 9_949, 41_000, 125_000, 3_720_000].map(duration)).toEqual([
    '0.0s',
    '0.4s',
    '9.9s',
    '41s',
    '2m 05s',
    '1h 02m',
  ]);
  expect([1, 0, 999, 1_200, 12_345_678].map((number) => count(number, 'member'))).toEqual([
    '1 member',
    '0 members',
    '999 members',
    '1,200 members',
    '12,345,678 members',
  ]);
});

test('an output is printed for people', () => {
  expect(
    outputLines({ verdict: 'fit', checks: { 'types': 'ok', 'unit tests': 12 }, list: [1, { a: 1, b: [] }], none: {} }),
  ).toEqual([
    'verdict: fit',
    'checks:',
    '  types:      ok',
    '  unit tests: 12',
    'list:',
    '  - 1',
    '  - a: 1',
    '    b: []',
    'none:    {}',
  ]);
  expect(outputLines('two\nlines\n')).toEqual(['two', 'lines']);
  expect(outputLines(null)).toEqual(['(no output)']);
  expect(outputLines(3)).toEqual(['3']);
});

test('every error code has an exit code, and each is explained', () => {
  for (const code of Object.keys(remedies) as Code[]) {
    const exitCode = exitCodeOf(new TroupeError(code, 'x'));
    expect(exitCodeHelp()).toMatch(new RegExp(`^ +${exitCode} {2}`, 'm'));
  }
  expect(exitCodeOf(new Error('x'))).toBe(70);
});
