/**
 * A project whose SDK is played by a package of a few lines: it tells which of a list of effects a run still waits for, and completes with
 * their results. For tests of what goes on at the terminal; the program, the journals and the letters are real.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { openRunFolder } from 'troupe/babysitter';
import type { JsonValue } from '../../src/json.ts';
import { project, type Project } from '../cli/support.ts';
import { newRunDir } from './place.ts';

const sdk = `
const { readFileSync, readdirSync } = require('node:fs');
const json = (...path) => JSON.parse(readFileSync(path.join('/'), 'utf8'));
exports.orchestrateIteration = async ({ runDir }) => {
  const effects = json(runDir, 'effects.json');
  const events = readdirSync(runDir + '/journal').filter((name) => name.endsWith('.json')).map((name) => json(runDir, 'journal', name));
  const resolved = new Set(events.filter(({ type }) => type === 'EFFECT_RESOLVED').map(({ data }) => data.effectId));
  const nextActions = effects.filter(({ effectId }) => !resolved.has(effectId));
  if (nextActions.length > 0) return { status: 'waiting', nextActions };
  return { status: 'completed', output: effects.map(({ effectId }) => json(runDir, 'tasks', effectId, 'result.json').value) };
};`;

const processFile = `
import { writeFileSync } from 'node:fs';
writeFileSync('pid', String(globalThis.process.pid));
export function process() {}
`;

/** An effect of the run: a question with what is passed along, or a command. */
export type PlayedEffect =
  | { readonly label: string; readonly asks: JsonValue }
  | { readonly label: string; readonly command: string };

/** A project with one run, `dir`, and the words that drive it. */
export interface PlayedProject extends Project {
  readonly dir: string;
  readonly babysit: readonly string[];
  /** Name of a breakpoint's gate. */
  gate(label: string): string;
}

/** A project whose run waits for these effects, all at once. The driver's pid is in its `pid`. */
export async function playedProject(effects: readonly PlayedEffect[]): Promise<PlayedProject> {
  const it = project({ 'process.mjs': processFile });
  mkdirSync(it.path('sdk'));
  it.write('sdk/package.json', JSON.stringify({ name: '@a5c-ai/babysitter-sdk', version: '6.0.0', main: 'index.js' }));
  it.write('sdk/index.js', sdk);
  const dir = await newRunDir(it.folder);
  const idOf = (index: number) => `01J9ZQEFFECT${String(index).padStart(6, '0')}`;
  const actions = effects.map((effect, index) => {
    const { label } = effect;
    const about = { effectId: idOf(index), invocationKey: `demo:S${index}:${index}`, label, taskId: `task-${index}` };
    if ('command' in effect) return { ...about, kind: 'shell', taskDef: { shell: { command: effect.command } } };
    return { ...about, kind: 'breakpoint', taskDef: { title: label, metadata: { payload: effect.asks, label } } };
  });
  writeFileSync(join(dir, 'effects.json'), JSON.stringify(actions));
  await openRunFolder(dir).append(
    actions.map(({ effectId, invocationKey, kind, taskId }) => ({
      type: 'EFFECT_REQUESTED',
      data: { effectId, invocationKey, kind, taskId, stepId: 'S1', taskDefRef: 'x' },
    })),
  );
  return {
    ...it,
    dir,
    babysit: ['babysit', dir, '--sdk', it.path('sdk')],
    gate: (label) => `${label} ${idOf(effects.findIndex((one) => one.label === label)).slice(-6)}`,
  };
}
