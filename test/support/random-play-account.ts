/** The account of a random play: what the runtime promises, checked against the journal it left. */
import assert from 'node:assert/strict';
import type { ActorKey, Entry, GroupEvents, GroupEventType, JsonValue, RunView } from 'troupe';
import type { ParleyOutput } from './parley.ts';

/** What living hosts and attempts were told. */
export interface Witnessed {
  readonly run: string;
  /** Entries that a living host was told are durable: JSON of the data, by `stream:seq`. */
  readonly acknowledged: ReadonlyMap<string, string>;
  /** Letters whose sender was told so: JSON of [group, to, id]. */
  readonly posted: ReadonlySet<string>;
  /** What attempts read: ids in order, by `<host> <key of the attempt>`. */
  readonly reads: ReadonlyMap<string, readonly string[]>;
}

type Data = Readonly<Record<string, JsonValue>>;

/** What the journal says happened. */
export interface Happened {
  readonly messages: number;
  readonly deadLetters: number;
  readonly settled: number;
  readonly gates: number;
  /** Background members that settled after the end of their group. */
  readonly after: number;
}

/** Every promise, checked against the journal. */
export function account(
  entries: readonly Entry[],
  view: RunView,
  { run, acknowledged, posted, reads }: Witnessed,
): Happened {
  const found = new Map(entries.map(({ stream, seq, data }) => [`${stream}:${seq}`, JSON.stringify(data)]));
  for (const [place, data] of acknowledged)
    assert.equal(found.get(place), data, `${place} was acknowledged, and is lost or changed`);

  let messages = 0;
  let settled = 0;
  let dead = 0;
  let gates = 0;
  let after = 0;
  for (const { name, members } of view.groups.values()) {
    const own = entries.filter(({ stream }) => stream === `group:${name}`);
    const of = <Type extends GroupEventType>(type: Type) =>
      own.filter((entry) => entry.type === type).map(({ data }) => data as unknown as GroupEvents[Type]);

    // Settlements: each invocation at most once; none after the end; nothing left under way.
    const settlements = of('member.settled').map(({ member, incarnation }) => `${member}#${incarnation}`);
    assert.equal(
      new Set(settlements).size,
      settlements.length,
      `${name}: an invocation has settled twice: ${settlements.join(', ')}`,
    );
    const ended = own.findIndex(({ type }) => type === 'group.ended');
    assert.ok(ended >= 0, `${name} has not ended`);
    // But background members, which its end did not stop.
    const goingOn = (own[ended]?.data as { readonly goingOn?: readonly ActorKey[] } | undefined)?.goingOn ?? [];
    const isGoingOn = (data: JsonValue) => {
      const { member, incarnation } = data as unknown as GroupEvents['attempt.started'];
      return goingOn.some((one) => one.address === member && one.incarnation === incarnation);
    };
    assert.ok(
      own
        .slice(ended)
        .every(({ type, data }) => (type !== 'member.settled' && type !== 'attempt.started') || isGoingOn(data)),
      `${name}: something began or settled after the end`,
    );
    for (const { id, status } of members.values())
      assert.ok(['cancelled', 'completed', 'failed'].includes(status), `${name}/${id} is ${status} at the end`);
    const end = own[ended]?.data as unknown as { readonly status: string; readonly output?: ParleyOutput };
    if (end.output !== undefined) {
      const heardOf = end.output.settled.filter(([, how]) => how !== 'stopped').map(([id]) => id);
      // A result that was on its way when its member was stopped is recorded, and is a dead letter.
      const late = of('letter.dead').flatMap(({ to, letter }) =>
        (letter as Data | null)?.['type'] === 'troupe.settled' ? [to] : [],
      );
      const recorded = own
        .filter(({ type, data }) => type === 'member.settled' && !isGoingOn(data))
        .map(({ data }) => (data as { readonly member: string }).member)
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
      const { id, to, event } = data as Data;
      if (type === 'message' && to === '') return [id as string];
      return type === 'signal' && (event as Data)['type'] === 'told' ? [id as string] : [];
    });
    const letters = of('letter.dead').map(({ to, letter }) =>
      JSON.stringify([to, (letter as Data | null)?.['body'] ?? null]),
    );
    if (end.output !== undefined) {
      const heard = end.output.heard as readonly string[];
      assert.deepEqual(heard, toCoordinator.slice(0, heard.length), `${name}: the coordinator heard in another order`);
      for (const late of toCoordinator.slice(heard.length))
        assert.ok(letters.includes(JSON.stringify(['', late])), `${name}: ${late} to the coordinator is lost`);
    }

    // Members: each message was read by the last attempt, or is a dead letter, never both, never neither.
    const toMembers = of('message').filter(({ to }) => to !== '');
    const lastAttempt = new Map<string, GroupEvents['attempt.started']>();
    for (const started of of('attempt.started')) lastAttempt.set(started.member, started);
    for (const { to, id } of toMembers) {
      const last = lastAttempt.get(to);
      const readers = of('message.read').filter(({ member, ids }) => member === to && ids.includes(id));
      const byLast = readers.filter(
        ({ attempt, incarnation }) => attempt === last?.attempt && incarnation === last?.incarnation,
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
      const member = new RegExp(`^\\d+ ${run}/${name}/(\\w+)#`).exec(key)?.[1];
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
    after += own.slice(ended).filter(({ type }) => type === 'member.settled').length;
  }
  return { messages, settled, deadLetters: dead, gates, after };
}
