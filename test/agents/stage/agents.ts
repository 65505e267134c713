/** Which agents a test is run with. */
import { describe, onTestFinished } from 'vitest';
import { isInstalled } from '../install/folders.ts';
import { pins, pinsOf, type AgentName, type Speech } from '../install/pins.ts';
import { openStage, type Stage } from './stage.ts';

const wanted = process.env['TROUPE_AGENTS'];

/** Programs that are to be used: those that `npm run test:agents` names; none in `npm test`. */
const enabled = wanted === undefined || wanted === '' ? [] : pinsOf(wanted).filter(isInstalled);

/** Agents that can be spoken to so, of the programs that are to be used. */
export function enabledAgents(speech: Speech): readonly AgentName[] {
  return enabled.flatMap(({ agent, speaks }) => (speaks.includes(speech) ? [agent] : []));
}

/** A suite for each agent that can be spoken to so, `%s` in its title being the name; left out where none is to be used. */
export function describeEachAgent(speech: Speech, title: string, tests: (name: AgentName) => void): void {
  const agents = enabledAgents(speech);
  const main = pins.flatMap(({ agent, speaks, isMain }) => (isMain && speaks.includes(speech) ? [agent] : []));
  describe.skipIf(agents.length === 0).each(agents.length > 0 ? agents : main)(title, (name) => {
    tests(name);
  });
}

/** A suite that needs the command lines of all of these; left out where one of them is not to be used. */
export function describeWith(agents: readonly AgentName[], title: string, tests: () => void): void {
  describe.skipIf(!agents.every((name) => enabledAgents('cli').includes(name)))(title, () => {
    tests();
  });
}

/** A stage that is gone after the test. */
export async function newStage(): Promise<Stage> {
  const stage = await openStage();
  onTestFinished(() => stage.close());
  return stage;
}
