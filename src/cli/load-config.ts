/** The configuration of a project: found, loaded, checked, and put under what a process file says itself. */
import { existsSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { isTroupeError, TroupeError } from '../error.ts';
import type { HostSettings } from '../group/host-options.ts';
import type { Harness, Harnesses } from '../harness/port.ts';
import { nearest } from '../nearest.ts';
import { checkConfig } from '../process/check-config.ts';
import type { Config } from '../process/config.ts';
import { installedNames } from './installed-agents.ts';
import { loadModule } from './load-module.ts';
import type { LoadedProcess } from './load-process.ts';

const names = ['troupe.config.ts', 'troupe.config.mts', 'troupe.config.js', 'troupe.config.mjs'];

/** A configuration that was found. */
export interface LoadedConfig {
  /** Absolute path. */
  readonly file: string;
  readonly config: Config;
}

/** A process with its project's configuration. */
export interface ConfiguredProcess extends LoadedProcess {
  readonly settings: Omit<HostSettings, 'worktrees'>;
  /** Agent CLIs that are installed are harnesses too: nobody has declared any. */
  readonly takesInstalled: boolean;
  readonly capabilities: NonNullable<Config['capabilities']>;
}

/** The nearest configuration above `folder`, up to the top of its repository; undefined when there is none. */
export function findConfig(folder: string): string | undefined {
  for (let at = folder; ;) {
    for (const name of names) if (existsSync(join(at, name))) return join(at, name);
    const above = dirname(at);
    if (above === at || existsSync(join(at, '.git'))) return undefined;
    at = above;
  }
}

/** Loads the configuration for a process file, or for the folder one is in. Codes: CONFIG_INVALID. */
export async function loadConfig(processFile?: string): Promise<LoadedConfig | undefined> {
  const file = (processFile === undefined ? undefined : findConfig(dirname(processFile))) ?? findConfig(process.cwd());
  if (file === undefined) return undefined;
  const shown = relative(process.cwd(), file) || file;
  const { module } = await loadModule(shown, 'a configuration').catch((error: unknown) => {
    if (!isTroupeError(error, 'PROCESS_INVALID')) throw error;
    // A call of defineConfig in it says by itself what is wrong.
    const own = error.cause;
    if (isTroupeError(own, 'CONFIG_INVALID')) throw own;
    throw new TroupeError('CONFIG_INVALID', error.message.replace(/^PROCESS_INVALID: /, ''), error.details, error);
  });
  if (!('default' in module)) {
    throw new TroupeError(
      'CONFIG_INVALID',
      `${shown} has no default export. Expected: export default defineConfig({ … }).`,
    );
  }
  return { file, config: checkConfig(module['default'], shown) };
}

/** The process under its project's configuration. Codes: CONFIG_INVALID. */
export async function configured(loaded: LoadedProcess): Promise<ConfiguredProcess> {
  const found = await loadConfig(loaded.file);
  const { harnesses, route = {}, budget, breaker, schemas, limits = {}, capabilities = {} } = found?.config ?? {};
  const merged: Harnesses = { ...harnesses, ...loaded.harnesses };
  const takesInstalled = harnesses === undefined;
  const chains = { ...route.fallback, ...loaded.rules.fallback };
  const rules = {
    ...(budget === undefined ? {} : { budget }),
    ...(breaker === undefined ? {} : { breaker }),
    ...(route.default === undefined ? {} : { defaultHarness: route.default }),
    ...loaded.rules,
    ...(Object.keys(chains).length === 0 ? {} : { fallback: chains }),
    ...(schemas === undefined && loaded.rules.schemas === undefined
      ? {}
      : { schemas: { ...schemas, ...loaded.rules.schemas } }),
  };
  if (found !== undefined)
    refuseUnknownNames(found, [...Object.keys(merged), 'command', ...(takesInstalled ? installedNames() : [])]);
  return { ...loaded, harnesses: merged, rules, settings: limits, takesInstalled, capabilities };
}

/** Names of harnesses that nobody is called by are mistakes, told before anything is done. */
function refuseUnknownNames({ file, config }: LoadedConfig, known: readonly string[]): void {
  const { route = {}, capabilities = {} } = config;
  const used: (readonly [string, string])[] = [
    ...(route.default === undefined ? [] : [['route.default', route.default] as const]),
    ...Object.entries(route.fallback ?? {}).flatMap(([failure, chain]) =>
      (chain ?? []).map((name) => [`route.fallback.${failure}`, name] as const),
    ),
    ...Object.keys(capabilities).map((name) => ['capabilities', name] as const),
  ];
  for (const [field, name] of used) {
    if (known.includes(name)) continue;
    const near = nearest(name, known)[0];
    const hint = near === undefined ? `harnesses: ${known.join(', ')}.` : `did you mean \`${near}\`?`;
    throw new TroupeError(
      'CONFIG_INVALID',
      `${relative(process.cwd(), file) || file}: \`${field}\` names the harness \`${name}\`, which there is not; ${hint}`,
    );
  }
}

/** The same harnesses, with these capabilities beside their own. */
export function withCapabilities(harnesses: Harnesses, more: NonNullable<Config['capabilities']>): Harnesses {
  return Object.fromEntries(
    Object.entries(harnesses).map(([name, harness]): readonly [string, Harness] => {
      const added = Object.hasOwn(more, name) ? more[name] : undefined;
      if (added === undefined) return [name, harness];
      const capabilities = [...new Set([...(harness.capabilities ?? []), ...added])];
      // Not a copy: what is a class of the author's keeps its methods.
      return [name, Object.assign(Object.create(harness) as Harness, { capabilities })];
    }),
  );
}
