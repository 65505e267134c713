import { expect, test } from 'vitest';
import { createActor, createMachine } from 'xstate';

test('the suite runs on the XState build that its project names', () => {
  const actor = createActor(createMachine({}));
  actor.subscribe({ error: () => {} });
  actor.start();
  // Only the development build refuses a string as an event when it is sent.
  const sendString = () => actor.send('hello' as unknown as { type: 'hello' });
  if (process.env['TROUPE_XSTATE'] === 'production') expect(sendString).not.toThrow();
  else expect(sendString).toThrow('Only event objects may be sent to actors');
});

test('the build is chosen by a node condition, so that forked children of a test load the same one', () => {
  const isDevelopment = process.execArgv.join(' ').includes('--conditions development');
  expect(isDevelopment).toBe(process.env['TROUPE_XSTATE'] === 'development');
});
