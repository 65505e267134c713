/** The example at the head of each machine's file, as its reader would paste it into a process, has sound types. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import * as library from '../../machines/index.ts';
import { mermaidOf } from './mermaid.ts';

const root = fileURLToPath(new URL('../../', import.meta.url));

/** The TypeScript block of a file's head. */
function exampleOf(text: string): string | undefined {
  const head = text.slice(0, text.indexOf('*/'));
  return /```ts\n([^]*?)```/.exec(head)?.[1]?.replaceAll(/^ \* ?/gm, '');
}

/** What tsc says of these examples, each a process of its own. */
function typeErrors(examples: Readonly<Record<string, string>>): string {
  const place = mkdtempSync(join(tmpdir(), 'troupe-examples-'));
  try {
    const paths = {
      'troupe': [join(root, 'src/index.ts')],
      'troupe/machines': [join(root, 'machines/index.ts')],
    };
    const compilerOptions = {
      target: 'es2023',
      module: 'nodenext',
      strict: true,
      noEmit: true,
      skipLibCheck: true,
      exactOptionalPropertyTypes: true,
      noUncheckedIndexedAccess: true,
      allowImportingTsExtensions: true,
      typeRoots: [join(root, 'node_modules/@types')],
      types: ['node'],
      paths,
    };
    writeFileSync(join(place, 'package.json'), '{ "type": "module" }');
    writeFileSync(join(place, 'tsconfig.json'), JSON.stringify({ compilerOptions, include: ['*.ts'] }));
    for (const [name, example] of Object.entries(examples)) {
      const lines = [
        `import { defineProcess } from 'troupe';`,
        `import { ${Object.keys(library).join(', ')} } from 'troupe/machines';`,
        `declare const files: readonly string[];`,
        `export default defineProcess('${name}', async (ctx) => {`,
        example,
        `});`,
      ];
      writeFileSync(join(place, `${name}.ts`), lines.join('\n'));
    }
    return spawnSync(join(root, 'node_modules/.bin/tsc'), ['-p', place], { cwd: place, encoding: 'utf8' }).stdout;
  } finally {
    rmSync(place, { recursive: true, force: true });
  }
}

test('an example with a wrong type is found', () => {
  expect(
    typeErrors({ wrong: `const { winner } = await ctx.group('a', race, { members: [] }).output; winner.toFixed();` }),
  ).toContain('toFixed');
});

test('the examples of the library', () => {
  const folder = join(root, 'machines');
  const examples: Record<string, string> = {};
  for (const file of readdirSync(folder).filter((name) => name.endsWith('.ts'))) {
    const text = readFileSync(join(folder, file), 'utf8');
    if (mermaidOf(text) === undefined) continue;
    const example = exampleOf(text);
    expect(example, `${file} has an example`).toBeDefined();
    examples[file.slice(0, -3)] = example ?? '';
  }
  expect(typeErrors(examples)).toBe('');
});
