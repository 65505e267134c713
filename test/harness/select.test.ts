import { expect, test } from 'vitest';
import { chooseHarness, fn, type Harnesses, type Invocation } from '../../src/harness/index.ts';

const able = (...capabilities: string[]) => fn(() => null, { capabilities });
const harnesses: Harnesses = {
  claude: able('code', 'code-review'),
  gemini: able('code-review', 'web'),
  command: able('shell'),
};
const chosen = (invocation: Invocation, defaultName?: string) => chooseHarness(invocation, harnesses, defaultName).name;

test('the harness that the invocation names performs it, even one that is not the first', () => {
  expect(chosen({ harness: 'gemini', needs: ['code-review'], command: ['x'] }, 'claude')).toBe('gemini');
});

test('else the first declared that has all it needs', () => {
  expect(chosen({ needs: ['code-review'] }, 'gemini')).toBe('claude');
  expect(chosen({ needs: ['web', 'code-review'] })).toBe('gemini');
  expect(chosen({ needs: ['shell'], command: ['x'] })).toBe('command');
});

test('else `command` performs a command, and the default the rest', () => {
  expect(chosen({ command: ['x'] }, 'claude')).toBe('command');
  expect(chosen({ prompt: 'hello' }, 'claude')).toBe('claude');
  expect(chosen({ needs: [], prompt: 'hello' }, 'claude')).toBe('claude');
});

test('when nobody can, the error says what is missing where', () => {
  const refused = (invocation: Invocation, from: Harnesses = harnesses, defaultName?: string) => {
    try {
      return chooseHarness(invocation, from, defaultName).name;
    } catch (error) {
      return String(error).replace('TroupeError: ', '');
    }
  };
  expect(refused({ needs: ['code', 'web'] })).toBe(
    'NO_HARNESS: the invocation needs [code, web]; claude lacks [web], gemini lacks [code], command lacks [code, web].',
  );
  expect(refused({ harness: 'claude', needs: ['web'] })).toBe(
    'NO_HARNESS: the invocation needs [web] of harness `claude`; claude lacks [web].',
  );
  expect(refused({ harness: 'constructor' })).toBe(
    'NO_HARNESS: the invocation asks for harness `constructor`; declared: claude, gemini, command.',
  );
  expect(refused({ command: ['x'] }, {})).toBe(
    'NO_HARNESS: the invocation has a command, which harness `command` performs; none is declared.',
  );
  expect(refused({ prompt: 'hello' })).toBe(
    'NO_HARNESS: the invocation names no harness, needs nothing, and there is no default; declared: claude, gemini, command.',
  );
  expect(refused({ prompt: 'hello' }, harnesses, 'codex')).toBe(
    'NO_HARNESS: the invocation is left to the default harness `codex`; declared: claude, gemini, command.',
  );
});
