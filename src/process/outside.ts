/** What people and other processes may do to a living run: send messages, and answer gates. */
import { TroupeError } from '../error.ts';
import { coordinatorName } from '../group/address.ts';
import { gatesThatWait } from '../group/askers.ts';
import type { Group } from '../group/group.ts';
import { runStream, type Host } from '../group/host.ts';
import { nobodyThere, refuseNoLetter } from '../group/post.ts';
import type { EventObject } from '../group/effect.ts';
import { refuseNoFields, refuseNoText, refuseNoYesOrNo } from '../group/legible.ts';
import type { Letter } from '../harness/port.ts';
import { toJson } from '../json.ts';
import type { Entry } from '../journal/port.ts';
import { nearest } from '../nearest.ts';

/** An answer at a gate of the run, or of one of its groups. */
export interface Answer {
  /** Default: wherever a gate of this name is open; needed where it is in several groups. */
  readonly group?: string;
  readonly gate: string;
  readonly approved: boolean;
  /** What whoever asked hears besides. Default: ''. */
  readonly note?: string;
  /** Which opening of the gate is meant, as `openGatesOf` tells it: once that has its answer, no later one is given this. Default: the open one. */
  readonly opening?: string;
}

/** Refuses an answer that could not be given: a text as `approved` would count as a yes. Codes: BAD_INPUT. */
export function refuseNoAnswer(given: unknown): void {
  refuseNoFields(given, 'answer at a gate', '{ gate, approved, note }');
  const { group, gate, approved, note, opening } = given as Readonly<Record<string, unknown>>;
  refuseNoText(gate, 'answer at a gate: `gate`');
  if (group !== undefined) refuseNoText(group, `answer at gate \`${String(gate)}\`: \`group\``);
  refuseNoYesOrNo(approved, `answer at gate \`${String(gate)}\`: \`approved\``);
  if (note !== undefined) refuseNoText(note, `answer at gate \`${String(gate)}\`: \`note\``);
  if (opening !== undefined) refuseNoText(opening, `answer at gate \`${String(gate)}\`: \`opening\``);
}

/** The doors of a run that this process drives. */
export interface Outside {
  send(group: string, letter: Letter & { readonly id: string }): Promise<{ readonly id: string }>;
  answer(answer: Answer): Promise<void>;
}

/** Gates of the run's own that are open, by what is recorded. */
export function openGates(entries: Iterable<Entry>): ReadonlySet<string> {
  const gates = new Set<string>();
  for (const { stream, type, data } of entries) {
    if (stream !== runStream) continue;
    if (type === 'gate.opened') gates.add((data as { readonly name: string }).name);
    if (type === 'gate.answered') gates.delete((data as { readonly name: string }).name);
  }
  return gates;
}

/** Opens the doors. Codes: UNKNOWN_GROUP, UNKNOWN_GATE, BAD_INPUT (also a gate of several groups), and those of a group's post. */
export function outsideOf(host: Host, run: string, entries: () => readonly Entry[]): Outside {
  const groupOf = (name: string): Group => {
    const group = host.group(name);
    if (group !== undefined) return group;
    const known = [...host.groups()].map((one) => one.name);
    const near = nearest(name, known).map((one) => `\`${one}\``);
    const hint = near.length > 0 ? ` Did you mean ${near.join(' or ')}?` : '';
    throw new TroupeError(
      'UNKNOWN_GROUP',
      `run ${run} has no open group \`${name}\`; open groups: ${known.join(', ') || 'none'}.${hint}`,
    );
  };
  /** Gates of the run's own whose answer is on its way, or recorded. */
  const answering = new Set<string>();
  const gatesOf = ({ ledger }: Group) => gatesThatWait(ledger).map(({ name }) => name);

  return {
    async send(name, letter) {
      refuseNoText(name, 'name of a group to send to');
      refuseNoLetter(letter);
      const group = groupOf(name);
      if (letter.to !== coordinatorName) {
        const { id, isUnheard } = await group.send('outside', letter);
        if (isUnheard === true) throw nobodyThere(name, letter.type);
        return { id };
      }
      const event = toJson(
        { body: letter.body ?? null, from: 'outside', type: letter.type },
        `message \`${letter.type}\``,
      ) as EventObject;
      await group.signal(event, { id: letter.id, from: 'outside' });
      return { id: letter.id };
    },
    async answer(answer) {
      refuseNoAnswer(answer);
      const { group, gate, approved, note = '', opening } = answer;
      const by = 'outside';
      if (group !== undefined) return await groupOf(group).answer(gate, { approved, note, by }, opening);
      const own = [...openGates(entries())].filter((name) => !answering.has(name));
      if (own.includes(gate)) {
        answering.add(gate);
        await host.record('gate.answered', { name: gate, approved, note, by });
        return;
      }
      const holders = [...host.groups()].filter((one) => gatesOf(one).includes(gate));
      if (holders.length > 1) {
        throw new TroupeError(
          'BAD_INPUT',
          `run ${run} has gate \`${gate}\` open in several places: ${holders.map(({ name }) => `group ${name}`).join(', ')}. Say which group.`,
        );
      }
      if (holders[0] !== undefined) return await holders[0].answer(gate, { approved, note, by }, opening);
      const names = [...own, ...[...host.groups()].flatMap(gatesOf)];
      throw new TroupeError(
        'UNKNOWN_GATE',
        `run ${run} has no open gate \`${gate}\`; open gates: ${names.join(', ') || 'none'}.`,
      );
    },
  };
}
