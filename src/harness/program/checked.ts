/** The invocation of a command, checked: it comes from a machine's data, types promise nothing. */
import { resolve } from 'node:path';
import type { Invocation } from '../port.ts';
import { outputPattern } from './judge.ts';

/** What a command needs to run, sound in every field. */
export interface CheckedCommand {
  readonly argv: readonly string[];
  readonly stdin: string | undefined;
  readonly env: Readonly<Record<string, string>> | undefined;
  readonly cwd: string | undefined;
  readonly success: Invocation['success'];
}

/** The command of an invocation, or what is wrong with it: one sentence that names the field and shows the value. */
export function checkedCommand(invocation: Invocation, hostCwd: string | undefined): CheckedCommand | string {
  const { command: argv, stdin, env, cwd, success } = invocation;
  if (!Array.isArray(argv) || argv.length === 0)
    return `Expected \`command\` to be [program, ...arguments], got ${show(argv)}.`;
  const odd = argv.findIndex((word) => !isText(word));
  if (odd !== -1) return `Expected \`command[${odd}]\` to be a string without NUL, got ${show(argv[odd])}.`;
  if (argv[0] === '') return 'Expected `command[0]`, the program, not to be empty.';
  if (stdin !== undefined && typeof stdin !== 'string') return `Expected \`stdin\` to be a string, got ${show(stdin)}.`;
  if (cwd !== undefined && (!isText(cwd) || cwd === '')) return `Expected \`cwd\` to be a path, got ${show(cwd)}.`;
  for (const [name, value] of Object.entries(env ?? {})) {
    if (name === '' || name.includes('=') || !isText(name))
      return `Expected names in \`env\` without = and NUL, got ${show(name)}.`;
    if (!isText(value)) return `Expected \`env.${name}\` to be a string without NUL, got ${show(value)}.`;
  }
  const wrong = wrongSuccess(success);
  if (wrong !== undefined) return wrong;
  return {
    argv: argv as readonly string[],
    stdin,
    env,
    cwd: cwd === undefined ? hostCwd : resolve(hostCwd ?? '.', cwd),
    success,
  };
}

function wrongSuccess(success: Invocation['success']): string | undefined {
  const exitCodes: unknown = success?.exitCodes;
  const pattern: unknown = success?.stdoutMatches;
  if (exitCodes !== undefined && !(Array.isArray(exitCodes) && exitCodes.length > 0 && exitCodes.every(isExitCode))) {
    return `Expected \`success.exitCodes\` to be integers from 0 to 255, at least one, got ${show(exitCodes)}.`;
  }
  if (pattern === undefined) return undefined;
  if (typeof pattern !== 'string') return `Expected \`success.stdoutMatches\` to be a string, got ${show(pattern)}.`;
  try {
    outputPattern(pattern);
    return undefined;
  } catch (error) {
    return `Expected \`success.stdoutMatches\` to be a regular expression, got ${show(pattern)}: ${String(error)}.`;
  }
}

const isText = (value: unknown): value is string => typeof value === 'string' && !value.includes('\0');
const isExitCode = (value: unknown) => Number.isInteger(value) && Number(value) >= 0 && Number(value) <= 255;

function show(value: unknown): string {
  const json: unknown = JSON.stringify(value);
  const text = typeof json === 'string' ? json : String(value);
  return `${text.length > 100 ? `${text.slice(0, 99)}…` : text} (${value === null ? 'null' : Array.isArray(value) ? 'array' : typeof value})`;
}
