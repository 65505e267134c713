import { expect, test } from 'vitest';
import flaky from '../../machines/examples/flaky.process.ts';
import { command } from '../../src/harness/index.ts';
import { openRun, type Process } from '../../src/index.ts';
import { memoryStore } from '../../src/journal/index.ts';

test('the example tells steady commands from flaky ones, by running them', async () => {
  const run = await openRun({
    store: memoryStore(),
    process: flaky as Process,
    run: 'flaky',
    input: {
      commands: [
        ['node', '-e', 'process.exitCode = 3'],
        ['node', '-e', 'process.exitCode = process.pid % 5 + process.hrtime()[1] % 50'],
      ],
    },
    harnesses: { command: command() },
  });
  const result = await run.drive();
  await run.close();
  expect(result).toMatchObject({ status: 'completed', output: [{ steady: true, exitCode: 3 }, { steady: false }] });
  expect(result).toMatchObject({
    output: [
      {},
      { why: expect.stringContaining('no quorum is possible any more: a quorum of 5 of 5 was wanted') as string },
    ],
  });
});
