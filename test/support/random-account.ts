/** Every promise that a random play is about, checked against its journal. */
import assert from 'node:assert/strict';
import type { Entry, JsonValue, RunView } from 'troupe';
import type { ParleyOutput } from './parley.ts';

/** How much there was of each. */
export interface Counts {
  readonly messages: number;
  readonly deadLetters: number;
  readonly settled: number;
  readonly gates: number;
}

/** What the hosts of a play were told, beside its journal. */
export interface Account {
  readonly acknowledged: ReadonlyMap<string, string>;
  readonly posted: ReadonlySet<string>;
  readonly reads: ReadonlyMap<string, readonly string[]>;
}

/** Whatever an entry's data may have. */
interface Data {
  readonly member: string;
  readonly incarnation: number;
  readonly attempt: number;
  readonly to: string;
  readonly id: string;
  readonly ids: readonly string[];
  readonly event: { readonly type: string };
  readonly letter: { readonly type?: string; readonly body?: JsonValue } | null;
}

/** Every promise, checked against the journal. */
export function account(entries: readonly Entry[], view: RunView, { acknowledged, posted, reads }: Account): Counts {
  const found = new Map(entries.map(({ stream, seq, data }) => [`${stream}:${seq}`, JSON.stringify(data)]));
  for (const [place, data] of acknowledged)
    assert.equal(found.get(place), data, `${place} was acknowledged, and is lost or changed`);

  let messages = 0;
  let settled = 0;
  let dead = 0;
  let gates = 0;
  for (const { name, members } of view.groups.values()) {
    const own = entries.filter(({ stream }) => stream === `group:${name}`);
    const of = (type: string) => own.filter((entry) => entry.type === type).map(({ data }) => data as unknown as Data);

    // Settlements: each invocation at most once; none after the end; nothing left under way.
    const settlements = of('member.settled').map(({ member, incarnation }) => `${member}#${incarnation}`);
    assert.equal(
      new Set(settlements).size,
      settlements.length,
      `${name}: an invocation has settled twice: ${settlements.join(', ')}`,
    );
    const ended = own.findIndex(({ type }) => type === 'group.ended');
    assert.ok(ended >= 0, `${name} has not ended`);
    assert.ok(
      own.slice(ended).every(({ type }) => type !== 'member.settled' && type !== 'attempt.started'),
      `${name}: something began or settled after the end`,
    );
    for (const { id, status } of members.values())
      assert.ok(['cancelled', 'completed', 'failed'].includes(status), `${name}/${id} is ${status} at the end`);
    const end = own[ended]?.data as unknown as { readonly status: string; readonly output?: ParleyOutput };
    if (end.output !== undefined) {
      const heardOf = end.output.settled.filter(([, how]) => how !== 'stopped').map(([id]) => id);
      // A result that was on its way when its member was stopped is recorded, and is a dead letter.
      const late = of('letter.dead').flatMap(({ to, letter }) => (letter?.type === 'troupe.settled' ? [to] : []));
      const recorded = of('member.settled')
        .map(({ member }) => member)
        .filter((member) => !late.includes(member));
      assert.deepEqual(heardOf, recorded, `${name}: the coordinator heard other settlements than are recorded`);
    }

    // Messages: one entry for each recipient and id; what was acknowledged is there.
    const sent = of('message').map(({ to, id }) => JSON.stringify([name, to === '' ? 'coordinator' : to, id]));
    assert.equal(new Set(sent).size, sent.length, `${name}: a message is recorded twice`);
    const signalled = of('signal').flatMap(({ id, event }) =>
      event.type === 'told' ? [JSON.stringify([name, 'coordinator', id])] : [],
    );
    const all = new Set([...sent, ...signalled]);
    for (const key of posted)
      if ((JSON.parse(key) as readonly string[])[0] === name)
        assert.ok(all.has(key), `${key} was acknowledged, and is lost`);

    // The coordinator heard each once, in the order of the journal; what came too late for it is a dead letter.
    const toCoordinator = own.flatMap(({ type, data }) => {
      const { id, to, event } = data as unknown as Data;
      if (type === 'message' && to === '') return [id];
      return type === 'signal' && event.type === 'told' ? [id] : [];
    });
    const letters = of('letter.dead').map(({ to, letter }) => JSON.stringify([to, letter?.body ?? null]));
    if (end.output !== undefined) {
      const heard = end.output.heard as readonly string[];
      assert.deepEqual(heard, toCoordinator.slice(0, heard.length), `${name}: the coordinator heard in another order`);
      for (const late of toCoordinator.slice(heard.length))
        assert.ok(letters.includes(JSON.stringify(['', late])), `${name}: ${late} to the coordinator is lost`);
    }

    // Members: each message was read by the last attempt, or is a dead letter, never both, never neither.
    const toMembers = of('message').filter(({ to }) => to !== '');
    const lastAttempt = new Map<string, Data>();
    for (const { type, data } of own)
      if (type === 'attempt.started') lastAttempt.set((data as unknown as Data).member, data as unknown as Data);
    for (const { to, id } of toMembers) {
      const last = lastAttempt.get(to);
      const readers = of('message.read').filter(({ member, ids }) => member === to && ids.includes(id));
      const byLast = readers.filter(
        ({ attempt, incarnation }) => attempt === last?.attempt && incarnation === last.incarnation,
      );
      const buried = letters.filter((letter) => letter === JSON.stringify([to, id])).length;
      assert.ok(byLast.length <= 1, `${name}: ${id} was read twice by one attempt of ${to}`);
      // A group that was cancelled by a host that then died buries nothing more.
      assert.ok(
        byLast.length + buried <= 1,
        `${name}: ${id} to ${to} was read ${byLast.length} times and buried ${buried} times`,
      );
      if (end.status === 'cancelled') continue;
      assert.equal(
        byLast.length + buried,
        1,
        `${name}: ${id} to ${to} was read ${byLast.length} times and buried ${buried} times`,
      );
    }
    // What one attempt read came in the order of the journal, each once.
    for (const [key, read] of reads) {
      const member = new RegExp(`^\\d+ play/${name}/(\\w+)#`).exec(key)?.[1];
      if (member === undefined) continue;
      assert.equal(new Set(read).size, read.length, `${key} saw a message twice: ${read.join(', ')}`);
      const order = toMembers.filter(({ to }) => to === member).map(({ id }) => id);
      const places = read.map((id) => order.indexOf(id));
      assert.deepEqual(
        places,
        places.toSorted((one, other) => one - other),
        `${key} read in another order: ${read.join(', ')}`,
      );
    }

    // Gates: each answered at most once, and heard by the coordinator as often.
    const answers = of('gate.answered').length;
    assert.ok(answers <= of('gate.opened').length, `${name}: a gate was answered twice`);
    if (end.output !== undefined)
      assert.equal(end.output.answers.length, answers, `${name}: an answer was not heard once`);
    messages += toMembers.length + toCoordinator.length;
    settled += settlements.length;
    dead += letters.length;
    gates += answers;
  }
  return { messages, settled, deadLetters: dead, gates };
}
