import { expect, test } from 'vitest';
import type { Entry } from 'troupe/journal';
import { openGates } from '../../src/babysitter/open-gates.ts';

test('gates that are open when a group is gone on with are told of once, further ones as they open, answered ones never', () => {
  const told: string[] = [];
  const gates = openGates({ group: 'g', groupId: 'grp_1', runDir: "/it's", tell: (line) => told.push(line) });
  const entry = (seq: number, type: string, data: object): Entry =>
    ({ v: 1, stream: 'group:g', seq, at: 0, epoch: 1, type, data }) as unknown as Entry;
  const opened = (seq: number, name: string) => entry(seq, 'gate.opened', { name, question: `${name}?` });
  const answered = (seq: number, name: string) => entry(seq, 'gate.answered', { name, approved: true });
  for (const one of [opened(1, 'a'), opened(2, 'b'), answered(3, 'a')]) gates.take(one);
  expect(told).toEqual([]);
  gates.begin();
  const line = (name: string) =>
    `group g  waits for an answer: ${name}?  troupe approve grp_1 '${name}' --data '/it'\\''s/troupe'`;
  expect(told).toEqual([line('b')]);
  // The host tells of the whole stream once more.
  for (const one of [opened(1, 'a'), opened(2, 'b'), answered(3, 'a'), opened(4, 'a')]) gates.take(one);
  expect(told).toEqual([line('b'), line('a')]);
});
