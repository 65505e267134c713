/** Says at the end of a run of tests which ones were left out because no agent CLI is to be used, and how to run them. */
import { relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { TestProject } from 'vitest/node';

const folder = fileURLToPath(new URL('.', import.meta.url));

export default function leftOut(project: TestProject): () => void {
  return () => {
    if ((process.env['TROUPE_AGENTS'] ?? '') !== '') return;
    const files: string[] = [];
    let tests = 0;
    for (const { moduleId, children } of project.vitest.state.getTestModules()) {
      const skipped = moduleId.startsWith(folder) ? [...children.allTests('skipped')].length : 0;
      if (skipped > 0) files.push(relative(folder, moduleId).replace(/\.test\.ts$/, ''));
      tests += skipped;
    }
    if (tests > 0) process.stderr.write(`\n${leftOutText(tests, files)}\n`);
  };
}

/** What is said. */
export function leftOutText(tests: number, files: readonly string[]): string {
  return (
    `Left out: ${tests} tests with real agent CLIs (${files.toSorted().join(', ')}). ` +
    '`npm run test:agents` installs Claude Code, Codex and Gemini CLI (0.9 GB, half a minute) and runs them; ' +
    'with TROUPE_AGENTS=all OpenCode, Qwen Code and Copilot too.'
  );
}
