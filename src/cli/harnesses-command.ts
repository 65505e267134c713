/** `troupe harnesses`. */
import { relative } from 'node:path';
import type { AgentCapabilities } from '../harness/agent/port.ts';
import type { Config } from '../process/config.ts';
import { exitCodes } from './exit-codes.ts';
import { installedAgents } from './installed-agents.ts';
import { knownAgents } from './known-agents.ts';
import { loadConfig, withCapabilities } from './load-config.ts';
import { versionOf } from './probe.ts';
import { print, styleFor } from './terminal.ts';
import { column, widthOf } from './text.ts';

/** Options of `troupe harnesses`. */
export interface HarnessesCommandOptions {
  readonly json?: boolean;
}

/** A harness, as far as can be known without using it: whether it is logged in, it alone can say. */
export interface HarnessRow {
  readonly name: string;
  /** `built-in`: always there; `config`: declared; `installed`: an agent CLI that was found. */
  readonly source: 'built-in' | 'config' | 'installed';
  /** What members may need. */
  readonly capabilities: readonly string[];
  /** True when members can have it: declared, or installed and nothing is declared. */
  readonly offered: boolean;
  readonly usable: boolean;
  readonly problem?: string;
  readonly version?: string;
  readonly path?: string;
  /** What the agent can do by itself: steer, resume … */
  readonly abilities?: readonly string[];
  readonly concurrency?: number;
  readonly ratePerMinute?: number;
}

/** Says who can perform invocations here. Returns the exit code. Codes: CONFIG_INVALID. */
export async function harnessesCommand({ json = false }: HarnessesCommandOptions): Promise<number> {
  const found = await loadConfig();
  const rows = await harnessRows(found?.config);
  const missing = knownAgents.filter(
    ({ name }) => !rows.some((row) => row.source === 'installed' && row.name === name),
  );
  if (json) {
    print(
      JSON.stringify({ config: found?.file ?? null, harnesses: rows, notInstalled: missing.map(({ name }) => name) }),
    );
    return exitCodes.ok;
  }
  const style = styleFor(process.stdout);
  const wide = (texts: readonly string[]) => Math.min(40, Math.max(...texts.map(widthOf)));
  const nameWidth = wide(rows.map(({ name }) => name));
  const sourceWidth = wide(rows.map(({ source }) => source));
  for (const row of rows) {
    const standing = row.usable ? style.green('✓') : style.red('✗');
    print(`${standing} ${column(row.name, nameWidth)}  ${style.dim(column(row.source, sourceWidth))}  ${about(row)}`);
  }
  if (found !== undefined) print(style.dim(`configuration: ${relative(process.cwd(), found.file)}`));
  if (missing.length > 0)
    print(style.dim(`not installed: ${missing.map(({ name }) => name).join(', ')}; how to: npx troupe doctor`));
  return exitCodes.ok;
}

/** All of them: the built-in one, those of the configuration, the installed agents. */
export async function harnessRows(config: Config | undefined): Promise<readonly HarnessRow[]> {
  const { programs } = await import('../harness/agent/cli/programs.ts');
  const declared = Object.entries(withCapabilities(config?.harnesses ?? {}, config?.capabilities ?? {}));
  const isDeclared = config?.harnesses !== undefined;
  const builtIn: HarnessRow = {
    name: 'command',
    source: 'built-in',
    capabilities: config?.capabilities?.['command'] ?? [],
    offered: !declared.some(([name]) => name === 'command'),
    usable: true,
  };
  const agents = installedAgents().map(async ({ name, path }): Promise<HarnessRow> => {
    const probe = await versionOf(path);
    return {
      name,
      source: 'installed',
      capabilities: ['agent', name, ...(isDeclared ? [] : (config?.capabilities?.[name] ?? []))],
      offered: !isDeclared,
      path,
      abilities: abilitiesOf(programs[name].capabilities),
      ...probe,
    };
  });
  const own = declared.map(([name, { capabilities = [], concurrency, ratePerMinute }]): HarnessRow => ({
    name,
    source: 'config',
    capabilities,
    offered: true,
    usable: true,
    ...(concurrency === undefined ? {} : { concurrency }),
    ...(ratePerMinute === undefined ? {} : { ratePerMinute }),
  }));
  return [builtIn, ...own, ...(await Promise.all(agents))];
}

function abilitiesOf({ steer, resume, presetSession, permissions, mcp, warm }: AgentCapabilities): readonly string[] {
  return [
    ...(steer === 'none' ? [] : ['steer']),
    ...(resume ? ['resume'] : []),
    ...(presetSession ? ['preset-session'] : []),
    ...(permissions === 'asks' ? ['asks'] : []),
    ...(mcp ? ['mcp'] : []),
    ...(warm ? ['warm'] : []),
  ];
}

function about({
  problem,
  version,
  path,
  abilities,
  capabilities,
  concurrency,
  ratePerMinute,
  offered,
}: HarnessRow): string {
  if (problem !== undefined) return `${path ?? ''}  ${problem}`;
  const words = [
    version,
    capabilities.length > 0 ? `can ${capabilities.join(', ')}` : undefined,
    abilities === undefined || abilities.length === 0 ? undefined : `(${abilities.join(', ')})`,
    concurrency === undefined ? undefined : `at most ${concurrency} at once`,
    ratePerMinute === undefined ? undefined : `at most ${ratePerMinute} a minute`,
    offered ? undefined : 'not declared, so not offered',
    path,
  ];
  return words.filter((word) => word !== undefined).join('  ');
}
