/** A message to all, where nobody else is. */
import { expect, test } from 'vitest';
import { connect, groupOf } from './group-of.ts';

test('to all of a group in which nobody else is at work nothing is sent, and that is said', async () => {
  const group = await groupOf(['a']);
  const from = await connect((await group.member('a')).mailbox);
  expect(await from.call('group_send', { to: '*', body: 'hello?', key: 'hello' })).toMatchObject({
    ok: true,
    sent: false,
    note: expect.stringContaining('No other member is at work'),
  });
  expect(await group.entries('message')).toEqual([]);
});
