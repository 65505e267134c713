/** A user's process file, TypeScript or JavaScript, as a process and harnesses. */
import { TroupeError } from '../error.ts';
import type { HostRules } from '../group/host-options.ts';
import type { Harness, Harnesses } from '../harness/port.ts';
import { checkRules, refuseWith } from '../process/check-config.ts';
import { isProcess, type Process } from '../process/define-process.ts';
import { loadModule, type Module } from './load-module.ts';

/** What a process file gives. */
export interface LoadedProcess {
  /** Absolute path. */
  readonly file: string;
  readonly process: Process<never, unknown>;
  /** Its export `harnesses`; empty when there is none. */
  readonly harnesses: Harnesses;
  /** Its export `rules`; empty when there is none. */
  readonly rules: ProcessRules;
}

/** What a process file may say of its runs besides. */
export interface ProcessRules extends HostRules {
  readonly defaultHarness?: string;
}

/** Loads a process file. Codes: PROCESS_INVALID, with file and line where they are known. */
export async function loadProcess(given: string): Promise<LoadedProcess> {
  const { file, module } = await loadModule(given, 'a process file, such as review.process.ts');
  return {
    file,
    process: processOf(module, given),
    harnesses: harnessesOf(module, given),
    rules: rulesOf(module, given),
  };
}

function processOf(module: Module, given: string): Process<never, unknown> {
  const value = module['default'];
  if (isProcess(value)) return value;
  const names = Object.keys(module).filter((name) => isProcess(module[name]));
  const example = 'export default defineProcess("review", async (ctx, input) => { … })';
  const got =
    names.length > 0
      ? `has no default export; \`${names[0]}\` is a process, but a named export`
      : 'default' in module
        ? `exports ${kindOf(value)} by default, which is not a process`
        : 'has no default export';
  throw new TroupeError('PROCESS_INVALID', `${given} ${got}. Expected: ${example}`);
}

/** The export `harnesses` of a file; empty when there is none. Codes: PROCESS_INVALID. */
export function harnessesOf(module: Module, given: string): Harnesses {
  const value = module['harnesses'];
  if (value === undefined) return {};
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new TroupeError(
      'PROCESS_INVALID',
      `${given}: expected the export \`harnesses\` to be an object of harnesses by name, got ${kindOf(value)}.`,
    );
  }
  for (const [name, harness] of Object.entries(value as Record<string, Partial<Harness> | null | undefined>)) {
    if (typeof harness?.perform !== 'function') {
      throw new TroupeError(
        'PROCESS_INVALID',
        `${given}: expected \`harnesses.${name}\` to be a harness (command(), fn() …), got ${kindOf(harness)}.`,
      );
    }
  }
  return value as Harnesses;
}

const ruleNames: readonly (keyof ProcessRules)[] = ['breaker', 'budget', 'defaultHarness', 'fallback', 'schemas'];

/** The export `rules` of a file; empty when there is none. Codes: PROCESS_INVALID. */
export function rulesOf(module: Module, given: string): ProcessRules {
  const value = module['rules'];
  if (value === undefined) return {};
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new TroupeError(
      'PROCESS_INVALID',
      `${given}: expected the export \`rules\` to be an object of ${ruleNames.join(', ')}, got ${kindOf(value)}.`,
    );
  }
  for (const [name, rule] of Object.entries(value)) {
    if (!ruleNames.some((known) => known === name)) {
      throw new TroupeError(
        'PROCESS_INVALID',
        `${given}: the export \`rules\` has an unknown field \`${name}\`; known: ${ruleNames.join(', ')}.`,
      );
    }
    if (rule === undefined || typeof rule === (name === 'defaultHarness' ? 'string' : 'object')) continue;
    throw new TroupeError(
      'PROCESS_INVALID',
      `${given}: expected \`rules.${name}\` to be ${name === 'defaultHarness' ? 'the name of a harness' : 'an object'}, got ${kindOf(rule)}.`,
    );
  }
  checkRules(value, 'rules.', refuseWith('PROCESS_INVALID', given));
  // Each has just been checked.
  return value as ProcessRules;
}

function kindOf(value: unknown): string {
  if (value === null || value === undefined) return String(value);
  if (Array.isArray(value)) return 'an array';
  return typeof value === 'object' ? 'an object' : `a ${typeof value}`;
}
