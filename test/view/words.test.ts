/** What the page says of a member in a few words. */
import { expect, test } from 'vitest';
import { saidBy } from '../../src/view/page/words.ts';

const said = { error: '', line: 'reads', output: '' };

test.each([
  ['a second attempt runs', { ...said, status: 'running', error: 'the first broke' }, 'reads'],
  ['it has said nothing yet', { ...said, status: 'running', line: '', error: 'the first broke' }, 'the first broke'],
  ['it waits to be tried again', { ...said, status: 'waiting', error: 'the first broke' }, 'the first broke'],
  ['it has failed', { ...said, status: 'failed', error: 'broke' }, 'broke'],
  ['it has succeeded', { ...said, status: 'completed', output: 'done' }, 'done'],
  ['it was cancelled', { ...said, status: 'cancelled' }, 'reads'],
])('%s: what is said is %j', (_, member, expected) => {
  expect(saidBy(member)).toBe(expected);
});
