import { expect, test } from 'vitest';
import { defineProcess, openRun } from 'troupe';
import { memoryStore } from 'troupe/journal';
import { breakpointQuestions } from '../../src/cli/breakpoint-questions.ts';
import type { DataFolder } from '../../src/cli/data-folder.ts';
import { styleFor } from '../../src/cli/terminal.ts';
import { settle } from '../support/hand-clock.ts';

test('breakpoints are asked in the order of their process, whichever gate is found first', async () => {
  const store = memoryStore();
  const both = defineProcess('both', (ctx) =>
    ctx.parallel.map(['first', 'second'], (name) => ctx.breakpoint(name, { question: `${name}?` })),
  );
  const run = await openRun({ store, process: both as never, run: 'effects', harnesses: {} });
  run.drive().catch(() => {});
  await settle();

  // The first look takes longer than the second.
  let looks = 0;
  let goOn = () => {};
  const slow = new Promise<void>((resolve) => (goOn = resolve));
  const open: typeof store.open = async (...args) => {
    looks += 1;
    if (looks === 1) await slow;
    return await store.open(...args);
  };
  const asked: string[] = [];
  const ask = breakpointQuestions({
    data: { store: { ...store, open } } as unknown as DataFolder,
    questions: {
      ask: ({ lines }) => {
        asked.push(lines[0] ?? '');
        return () => true;
      },
      print: () => {},
      isForeground: () => true,
      close: async () => {},
    },
    style: styleFor({}),
    signal: new AbortController().signal,
    say: (line) => asked.push(line),
  });
  for (const gate of ['first', 'second'])
    ask({ gate, title: undefined, question: `${gate}?`, payload: null, command: '' });
  await settle();
  expect(asked).toEqual([]);
  goOn();
  await expect.poll(() => asked).toEqual(['? first?  first', '? second?  second']);
  await run.close();
});
