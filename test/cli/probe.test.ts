/** Asking a program for its version. */
import { pbkdf2 } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { versionOf } from '../../src/cli/probe.ts';
import { bareProject } from './support.ts';

test('why a program did not start is found even where looking takes longer than the end of its output', async () => {
  const program = bareProject().path('program');
  writeFileSync(program, '#!/no/such/interpreter\n', { mode: 0o755 });
  // Node asks the file system on four threads: for this while they are all taken.
  const busy = Array.from({ length: 4 }, () => promisify(pbkdf2)('a', 'b', 200_000, 64, 'sha512'));
  const probe = await versionOf(program);
  await Promise.all(busy);
  expect(probe).toEqual({
    usable: false,
    problem: expect.stringMatching(
      /^cannot be started: the interpreter that the first line of `.*` names was not found/,
    ),
  });
});
