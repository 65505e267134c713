/** Which agents a test is run with. */
import { describe, onTestFinished } from 'vitest';
import { isInstalled } from '../install/folders.ts';
import { pins, pinsOf, type AgentName } from '../install/pins.ts';
import { openStage, type Stage } from './stage.ts';

const wanted = process.env['TROUPE_AGENTS'];

/** Agents that are to be used: those that `npm run test:agents` names; none in `npm test`. */
export const enabledAgents: readonly AgentName[] =
  wanted === undefined || wanted === '' ? [] : pinsOf(wanted).flatMap((pin) => (isInstalled(pin) ? [pin.name] : []));

const named = enabledAgents.length > 0 ? enabledAgents : pins.flatMap(({ name, isMain }) => (isMain ? [name] : []));

/** A suite for each agent, `%s` in its title being the name; left out where none is to be used. */
export function describeEachAgent(title: string, tests: (name: AgentName) => void): void {
  describe.skipIf(enabledAgents.length === 0).each(named)(title, (name) => {
    tests(name);
  });
}

/** A suite that needs all of these agents; left out where one of them is not to be used. */
export function describeWith(agents: readonly AgentName[], title: string, tests: () => void): void {
  describe.skipIf(!agents.every((name) => enabledAgents.includes(name)))(title, () => {
    tests();
  });
}

/** A stage that is gone after the test. */
export async function newStage(): Promise<Stage> {
  const stage = await openStage();
  onTestFinished(() => stage.close());
  return stage;
}
