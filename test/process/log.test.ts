/** What the process notes with `ctx.log` stands in the journal as it was said. */
import { expect, test } from 'vitest';
import { defineProcess } from 'troupe';
import { entriesOf } from '../support/dying-store.ts';
import { finished, stage } from '../support/running.ts';

test('an error in the place of the message is refused: what it says would be lost', async () => {
  const process = defineProcess('logging', async (ctx) => ctx.log(new Error('what happened') as never));
  expect(await finished(stage(process))).toMatchObject({
    status: 'failed',
    error: { message: 'NOT_JSON: ctx.log message: expected JSON, got an Error' },
  });
});

test('its data is noted as it was, whatever becomes of it', async () => {
  const still = stage(
    defineProcess('logging', async (ctx) => {
      const counts = { done: 0 };
      for (; counts.done < 3; counts.done += 1) ctx.log('so far', counts);
    }),
  );
  await finished(still);
  const logged = (await entriesOf(still.store)).filter(({ type }) => type === 'log');
  expect(logged.map(({ data }) => (data as { readonly data: unknown }).data)).toEqual([
    { done: 0 },
    { done: 1 },
    { done: 2 },
  ]);
});
