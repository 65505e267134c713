/** Which CLIs are installed when which are asked for, and what is said of the tests that are left out. */
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { isInstalled } from './install/folders.ts';
import { install } from './install/install.ts';
import { pins, pinsOf, type Pin } from './install/pins.ts';
import { leftOutText } from './left-out.ts';

const namesOf = (wanted: string | undefined) => pinsOf(wanted).map(({ name }) => name);

test('three by default, all on demand, or those that are named', () => {
  expect(namesOf(undefined)).toEqual(['claude', 'codex', 'gemini']);
  expect(namesOf('')).toEqual(['claude', 'codex', 'gemini']);
  expect(namesOf('all')).toEqual(pins.map(({ name }) => name));
  expect(namesOf('qwen, claude')).toEqual(['qwen', 'claude']);
  expect(() => pinsOf('cluade')).toThrow('TROUPE_AGENTS: expected all, or of claude, codex,');
});

test('versions are exact', () => {
  for (const { version } of pins) expect(version).toMatch(/^\d+\.\d+\.\d+$/);
});

test('what cannot be installed is told with the reason, and is not there afterwards', async () => {
  const giant: Pin = { ...(pins[0] as Pin), version: '0.0.0-none', megabytes: 1e9 };
  const told: string[] = [];
  const failed = await install([giant], (line) => void told.push(line));
  expect(failed).toEqual([{ pin: giant, why: expect.stringMatching(/^expected 2000000000 MB free/) as string }]);
  expect(told[0]).toMatch(/^to install: 1, 1000000000 MB \(\d+ MB free\)/);
  expect(isInstalled(giant)).toBe(false);
});

test('what is left out is said with the command that runs it', () => {
  const text = leftOutText(12, ['turn', 'council']);
  expect(text).toMatch(/^Left out: 12 tests with real agent CLIs \(council, turn\)\. `npm run test:agents` /);
  const { scripts } = JSON.parse(readFileSync('package.json', 'utf8')) as { scripts: Record<string, string> };
  expect(scripts['test:agents']).toBe('tsx test/agents/start.ts');
});
