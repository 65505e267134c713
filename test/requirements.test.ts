/** Every requirement is shown by a test that exists, or it is said what is not there yet, or why ours differs. */
import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import type { Requirement } from './requirements/requirement.ts';
import { upstream } from './requirements/upstream.ts';
import { users } from './requirements/users.ts';

const read = (path: string) => readFileSync(fileURLToPath(new URL(path, import.meta.url)), 'utf8');

/** Whether this file has a test of this name, as it is written. */
function hasTest(file: string, name: string): boolean {
  if (!existsSync(fileURLToPath(new URL(file, import.meta.url)))) return false;
  const quoted = name.replaceAll(/[$()*+.?[\\\]^{|}]/g, String.raw`\$&`);
  return new RegExp(`\\(\\s*['"\`]${quoted}`).test(read(file));
}

function unsaid(table: Readonly<Record<string, Requirement>>): readonly string[] {
  return Object.entries(table).flatMap(([id, { shown = [], notYet, differs }]) => {
    const missing = shown
      .filter(([file, name]) => !hasTest(file, name))
      .map(([file, name]) => `${id}: ${file} has no test \`${name}\``);
    return shown.length === 0 && notYet === undefined && differs === undefined
      ? [...missing, `${id}: nothing is said of it`]
      : missing;
  });
}

const series = (letter: string, count: number) => Array.from({ length: count }, (_, index) => `${letter}${index + 1}`);

describe('what users ask for', () => {
  test('nothing is passed over', () => {
    expect(Object.keys(users)).toEqual([
      ...series('M', 10),
      ...series('L', 14),
      ...series('C', 4),
      ...series('D', 7),
      ...series('J', 12),
      ...series('A', 3),
    ]);
  });

  test('each is shown by a test, or it is said what is not there yet', () => {
    expect(unsaid(users)).toEqual([]);
  });

  test('what is not there yet stands in the README, with its reason', () => {
    // Its tables may be padded.
    const readme = read('../README.md').replaceAll(/ +/g, ' ');
    const missing = Object.entries(users).filter(
      ([id, { notYet }]) => notYet !== undefined && !readme.includes(`| ${id} | ${notYet} |`),
    );
    expect(missing.map(([id, { notYet }]) => `| ${id} | ${notYet} |`)).toEqual([]);
  });
});

test('each behaviour that babysitter asserts is ours, or it is said why ours differs', () => {
  const rows = ['R', 'G', 'E', 'S', 'B', 'P', 'C', 'W', 'Q', 'A', 'T', 'L', 'X', 'F', 'K', 'D', 'M', 'N', 'Y'];
  for (const row of rows)
    expect(
      Object.keys(upstream).some((id) => new RegExp(`^${row}\\d`).test(id)),
      row,
    ).toBe(true);
  expect(Object.keys(upstream).filter((id) => id.startsWith('R'))).toEqual(series('R', 16));
  expect(Object.keys(upstream).filter((id) => id.startsWith('undefined case'))).toHaveLength(4);
  expect(unsaid(upstream)).toEqual([]);
});

test('the check fails on a test that is not there, and on a requirement of which nothing is said', () => {
  expect(unsaid({ X1: { says: 'x', shown: [['json.test.ts', 'no such test']] }, X2: { says: 'y' } })).toEqual([
    'X1: json.test.ts has no test `no such test`',
    'X2: nothing is said of it',
  ]);
});
