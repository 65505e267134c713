/** What agents' own words mean, where a word stands in others. */
import { expect, test } from 'vitest';
import { codeOfFailure } from '../../../src/harness/agent/failure.ts';

test.each([
  'No conversation found with session ID: x',
  'cannot find session x',
  'invalid session id',
  'a nonexistent thread',
  'no rollout found for thread id x',
  'session not found: x',
])('a session that is not there: %s', (message) => {
  expect(codeOfFailure(message)).toBe('SESSION_UNKNOWN');
});

test.each([
  ['Too many requests: another session is running', 'RATE_LIMITED'],
  ['Not logged in: cannot restore your session', 'AUTH'],
  ['network down, cannot resume the conversation', 'MODEL_ERROR'],
])('a session that is: %s', (message, code) => {
  expect(codeOfFailure(message)).toBe(code);
});
