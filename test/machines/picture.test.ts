import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { AnyStateMachine } from 'xstate';
import { setup } from 'xstate';
import { describe, expect, test } from 'vitest';
import * as library from '../../machines/index.ts';
import { machineToMermaid, mermaidOf } from './mermaid.ts';

const folder = fileURLToPath(new URL('../../machines/', import.meta.url));
const machines = Object.values(library).filter(
  (one): one is AnyStateMachine => typeof one === 'object' && 'transition' in one,
);

/** Lines in any order; labels of an arrow in any order. */
function sorted(picture: string | undefined): readonly string[] {
  return (picture ?? '')
    .split('\n')
    .map((line) => {
      const [arrow = '', labels = ''] = line.split(': ');
      return `${arrow}: ${labels.split(' / ').toSorted().join(' / ')}`;
    })
    .toSorted();
}

describe('the picture at the head of each machine’s file is the machine', () => {
  test('the rule sees a state, an arrow and a label that are not drawn', () => {
    const machine = setup({ guards: { isDone: () => true } }).createMachine({
      id: 'small',
      initial: 'on',
      states: {
        on: { on: { tick: {}, stop: { guard: 'isDone', target: 'off' } }, after: { 5: 'off' } },
        off: { type: 'final' },
      },
    });
    const picture = machineToMermaid(machine);
    expect(picture.split('\n')).toEqual([
      'stateDiagram-v2',
      '  [*] --> on',
      '  on --> on: tick',
      '  on --> off: stop [is done] / after 5',
      '  off --> [*]',
    ]);
    for (const line of picture.split('\n')) expect(sorted(picture.replace(line, ''))).not.toEqual(sorted(picture));
    expect(sorted(picture.replace('after 5', 'after 6'))).not.toEqual(sorted(picture));
  });

  test.each(machines.map((machine) => [machine.id, machine] as const))('%s', (id, machine) => {
    const drawn = mermaidOf(readFileSync(`${folder}${id}.ts`, 'utf8'));
    if (JSON.stringify(sorted(drawn)) !== JSON.stringify(sorted(machineToMermaid(machine)))) {
      expect(drawn).toBe(machineToMermaid(machine));
    }
  });

  test('every file with a picture is exported from the library', () => {
    const pictured = readdirSync(folder).filter(
      (name) => name.endsWith('.ts') && mermaidOf(readFileSync(folder + name, 'utf8')) !== undefined,
    );
    expect(pictured.toSorted()).toEqual(machines.map(({ id }) => `${id}.ts`).toSorted());
  });
});
