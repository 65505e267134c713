/** A package that a file needs which the process file imports, and nobody has installed. */
import { expect, test } from 'vitest';
import { project } from './support.ts';

test.each([
  ['a folder without a package.json', {}],
  ['a folder of modules', { 'package.json': '{"type":"module"}' }],
])('in %s it is named in one line', async (_, files) => {
  const it = project({
    'a.process.ts':
      "import { defineProcess } from 'troupe';\nimport { one } from './b.ts';\nexport default defineProcess('a', () => one);\n",
    'b.ts': "import { one as other } from 'no-such-package';\nexport const one: number = other;\n",
    ...files,
  });
  expect(await it.troupe('run', 'a.process.ts')).toMatchObject({
    code: 2,
    stderr: expect.stringMatching(
      /^PROCESS_INVALID: a\.process\.ts cannot be loaded: Cannot find (module|package) 'no-such-package' imported from \S*b\.ts\n$/,
    ) as string,
  });
});
