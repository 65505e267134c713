/** Agent CLIs that are on the PATH. */
import { accessSync, constants, statSync } from 'node:fs';
import { delimiter, join, resolve } from 'node:path';
import { cli } from '../harness/agent/cli/cli.ts';
import type { Harnesses } from '../harness/port.ts';
import { knownAgents, type KnownAgent } from './known-agents.ts';

/** Where a program is; undefined when it is not on the PATH. */
export function findProgram(program: string, path = process.env['PATH'] ?? ''): string | undefined {
  const suffixes = process.platform === 'win32' ? ['.cmd', '.exe', ''] : [''];
  for (const folder of path.split(delimiter)) {
    if (folder === '') continue;
    for (const suffix of suffixes) {
      const file = resolve(join(folder, program + suffix));
      try {
        if (!statSync(file).isFile()) continue;
        accessSync(file, constants.X_OK);
        return file;
      } catch {}
    }
  }
  return undefined;
}

/** The known agents that are installed; nothing is started to find out. */
export function installedAgents(): readonly (KnownAgent & { readonly path: string })[] {
  return knownAgents.flatMap((agent) => {
    const path = findProgram(agent.program);
    return path === undefined ? [] : [{ ...agent, path }];
  });
}

/** Their names. */
export function installedNames(): readonly string[] {
  return installedAgents().map(({ name }) => name);
}

/**
 * They as harnesses, by their names. Their capabilities are `agent` and their name: who needs more is asked to declare them. What runs one is
 * loaded with its first attempt.
 */
export function installedHarnesses(cwd: string): Harnesses {
  return Object.fromEntries(
    installedAgents().map(({ name }) => [name, cli(name, { capabilities: ['agent', name], cwd })]),
  );
}
