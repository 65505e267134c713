/** Who asks at a machine's gate: what the gate is called then, who hears its answer, and which gates nobody waits at any more. */
import type { GateAnswer } from '../harness/port.ts';
import { pathPart, rootAddress } from './address.ts';
import type { Address, Effect, EventObject } from './effect.ts';
import type { GroupEvents } from './entries.ts';
import type { GateRecord, Ledger } from './ledger.ts';
import { isLiving, type System } from './system.ts';

/**
 * What a gate is called in its group: the coordinator's own as it calls it, that of anybody else with the asker in front. A slash of the
 * asker's own is written otherwise: `c` of `a/b` is not `b/c` of `a`.
 */
export function gateName(asker: Address, name: string): string {
  return asker === rootAddress ? name : `${pathPart(asker)}/${name}`;
}

/** What the asker calls the gate that its group calls `name`. */
export function ownGateName(asker: Address, name: string): string {
  return asker === rootAddress ? name : name.slice(gateName(asker, '').length);
}

/** What tells one opening of a gate from the next one of its name. That of a member is the same however often it asks. */
export function openingOf({ effect, name, by, incarnation }: Asked): string {
  return effect ?? (by === undefined ? name : `${name}#${incarnation}`);
}

/** What a machine emits. */
export type Emitted = Extract<Effect, { readonly type: 'emit' }>;

/** The entry of a gate that a machine opens by this event. */
export function openedBy({ id, address, incarnation, event }: Emitted): GroupEvents['gate.opened'] {
  const { type: _type, ...opened } = event;
  // Built by our own action creator `gate`.
  const asked = { ...(opened as unknown as { readonly name: string; readonly question: string }), effect: id };
  if (incarnation === undefined) return asked;
  const name = gateName(address, asked.name);
  return { ...asked, name, by: address, incarnation };
}

/** Who asked at a gate, as far as that is recorded. */
export type Asked = Pick<GateRecord, 'by' | 'effect' | 'incarnation' | 'name'>;

/** The signal by which the machine that opened a gate hears the answer; undefined for a gate that no machine opened. */
export function tellingOf(
  { name, effect, by, incarnation }: Asked,
  { approved, note, by: from }: GateAnswer,
): GroupEvents['signal'] | undefined {
  if (effect === undefined) return undefined;
  const hears = (gate: string): EventObject => ({ type: approved ? 'approved' : 'rejected', gate, note, by: from });
  const id = `gate ${effect}`;
  if (by === undefined || incarnation === undefined) return { id, from, event: hears(name) };
  return { id, from, event: hears(ownGateName(by, name)), to: { address: by, incarnation } };
}

/** True for a signal that {@link tellingOf} made: its id is that of the effect which opened the gate. */
export function isTelling({ id, event }: { readonly id: string; readonly event: EventObject }): boolean {
  return /^gate \d+:\d+$/.test(id) && (event.type === 'approved' || event.type === 'rejected');
}

/** True for an open gate of a machine below the coordinator. */
export function isAskedBelow({ effect, by, answer }: GateRecord): boolean {
  return effect !== undefined && by !== undefined && answer === undefined;
}

/**
 * Gates that wait for an answer. Of a group that has ended only those of its background members do, and the host's own, for their budget: its
 * machines hear nothing more.
 */
export function gatesThatWait({
  status,
  goingOn,
  gates,
}: Pick<Ledger, 'gates' | 'goingOn' | 'status'>): readonly GateRecord[] {
  const waits = ({ effect, by }: GateRecord) =>
    by === undefined ? effect === undefined && goingOn.size > 0 : goingOn.has(by);
  return [...gates.values()].filter((gate) => gate.answer === undefined && (status === 'active' || waits(gate)));
}

/** Of these gates, those of machines below the coordinator that are gone: nobody waits for their answers. */
export function leftGates(gates: Iterable<GateRecord>, system: System): readonly GroupEvents['gate.withdrawn'][] {
  const left: GroupEvents['gate.withdrawn'][] = [];
  for (const gate of gates) {
    const { name, by, incarnation } = gate;
    if (!isAskedBelow(gate) || by === undefined || incarnation === undefined) continue;
    if (!isLiving(system, { address: by, incarnation })) left.push({ name, by, incarnation });
  }
  return left;
}
