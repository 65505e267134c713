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

test('times are told as people tell them', () => {
  expect([0, 400, 9_949, 41_000, 125_000, 3_720_000].map(duration)).toEqual([
    '0.0s',
    '0.4s',
    '9.9s',
    '41s',
    '2m 05s',
    '1h 02m',
  ]);
  expect([count(1, 'member'), count(1_200, 'member')]).toEqual(['1 member', '1,200 members']);
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
