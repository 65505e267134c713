/** Programs that tests start as processes: bundled once, before the tests. Each start through tsx would cost 0.3 s more of a core. */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { buildSync } from 'esbuild';
import { bundled } from './bundle.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const variable = 'TROUPE_TEST_PROGRAMS';

const sources = {
  'acp-agent': 'test/harness/agent/acp/fake/main.ts',
  'appender': 'test/babysitter/run/appender.ts',
  'cli-host': 'test/harness/agent/cli/host.ts',
  'cli-play': 'test/harness/agent/cli/play.ts',
  'holder': 'test/journal/holder.ts',
};

/** Bundles them; returns what removes them again. */
export function buildPrograms(): () => void {
  // Inside the project, so that packages are found.
  mkdirSync(join(root, '.troupe'), { recursive: true });
  const folder = mkdtempSync(join(root, '.troupe/programs-'));
  const doors = ['', '/journal', '/harness', '/check', '/babysitter'].map((door) => [
    `troupe${door}`,
    join(root, `src${door}/index.ts`),
  ]);
  buildSync({
    ...bundled,
    absWorkingDir: root,
    entryPoints: sources,
    outdir: folder,
    outExtension: { '.js': '.mjs' },
    alias: { ...Object.fromEntries(doors), 'troupe/machines': join(root, 'machines/index.ts') },
    splitting: true,
  });
  process.env[variable] = folder;
  return () => rmSync(folder, { recursive: true, force: true });
}

/** The file of one of them. */
export function testProgram(name: keyof typeof sources): string {
  const folder = process.env[variable];
  if (folder === undefined) throw new Error('test/build.ts has not built the programs of the tests');
  return join(folder, `${name}.mjs`);
}
