/** The SDK loads a process from a file: this one leads back to whoever drives the pass. */
import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { place, stage, troupeFolder } from './staging.ts';

const key = 'troupe.babysitter.pass';
const text = `// Written by troupe: the process of this run, as \`troupe babysit\` drives it.
export const process = (...given) => globalThis[Symbol.for('${key}')](...given);
`;

/** A process function. */
export type ProcessFunction = (inputs: unknown, ctx: never, extra?: unknown) => unknown;

/** The file whose export `process` calls what {@link setPass} was given last; made if need be. */
export function guardFile(runDir: string): string {
  const file = join(troupeFolder(runDir), 'pass.mjs');
  if (existsSync(file) && readFileSync(file, 'utf8') === text) return file;
  mkdirSync(troupeFolder(runDir), { recursive: true });
  place(stage(runDir, text), file);
  return file;
}

/** Says what the next pass calls. One pass at a time in an OS process. */
export function setPass(pass: ProcessFunction): void {
  (globalThis as Record<symbol, unknown>)[Symbol.for(key)] = pass;
}
