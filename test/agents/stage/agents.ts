/** Which agents a test is run with, and in which ways. */
import { describe, onTestFinished } from 'vitest';
import { isInstalled } from '../install/folders.ts';
import { pins, pinsOf, type AgentName, type Pin, type Speech } from '../install/pins.ts';
import { openStage, type Stage } from './stage.ts';

/** An agent, and how it is spoken to. */
export interface Way {
  readonly agent: AgentName;
  readonly speech: Speech;
}

const wanted = process.env['TROUPE_AGENTS'];

/** Programs that are to be used: those that `npm run test:agents` names; none in `npm test`. */
const enabled = wanted === undefined || wanted === '' ? [] : pinsOf(wanted).filter(isInstalled);

const waysOf = (some: readonly Pin[], only: readonly Speech[]): readonly Way[] =>
  some.flatMap(({ agent, speaks }) => speaks.flatMap((speech) => (only.includes(speech) ? [{ agent, speech }] : [])));

/** Every way. */
export const everyWay: readonly Speech[] = ['cli', 'acp'];

/** A suite for each agent, in each of these ways in which it can be spoken to; left out where none is to be used. */
export function describeEachWay(only: readonly Speech[], title: string, tests: (way: Way) => void): void {
  const ways = waysOf(enabled, only);
  const all =
    ways.length > 0
      ? ways
      : waysOf(
          pins.filter(({ isMain }) => isMain),
          only,
        );
  const named = all.map((way) => [way.agent, way.speech, way] as const);
  describe.skipIf(ways.length === 0).each(named)(`%s by %s ${title}`, (_agent, _speech, way) => {
    tests(way);
  });
}

/** A suite that needs the command lines of all of these; left out where one of them is not to be used. */
export function describeWith(agents: readonly AgentName[], title: string, tests: () => void): void {
  const has = (name: AgentName) => enabled.some(({ agent, speaks }) => agent === name && speaks.includes('cli'));
  describe.skipIf(!agents.every(has))(title, () => {
    tests();
  });
}

/** A stage that is gone after the test. */
export async function newStage(): Promise<Stage> {
  const stage = await openStage();
  onTestFinished(() => stage.close());
  return stage;
}
