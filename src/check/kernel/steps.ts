/**
 * Steps of one definition's systems, through the kernel that ships (G5): each distinct one is taken twice, from the system itself with
 * frozen data, and from the system written and read back, in worlds that differ. A step that comes out otherwise is a Finding
 * (G6).
 */
import { canonical, toJson, type JsonValue } from '../../json.ts';
import type { Definition } from '../../group/definition.ts';
import type { Effect } from '../../group/effect.ts';
import { defaultBounds } from '../../group/bounds.ts';
import { start, step, type FoldedEntry, type Step, type System } from '../../group/step.ts';
import { Finding } from '../engine/space.ts';
import { inWorld } from './double-run.ts';
import { deepFreeze } from './freeze.ts';
import type { Locals } from './locals.ts';

/** What a step came to. */
export interface Stepped {
  readonly local: number;
  readonly effects: readonly Effect[];
}

/** Takes steps of one definition. */
export interface Steps {
  readonly definition: Definition;
  readonly locals: Locals;
  /** The first turn. Throws a Finding. */
  begin(input: JsonValue): Stepped;
  /** Folds one entry at a time `at` (ms). Throws a Finding. */
  step(local: number, type: string, data: JsonValue, at: number): Stepped;
  /** Kernel steps taken so far, each counted once. */
  readonly taken: number;
}

/** A step that was taken, to be taken again from each variant of where it started. */
interface Taken {
  readonly what: string;
  readonly at: number;
  readonly entry: FoldedEntry;
  readonly local: number;
  readonly effects: readonly Effect[];
}

/** Steps of `definition` over `locals`; `isChecked` false takes each step once. */
export function stepsOf(definition: Definition, locals: Locals, isChecked: boolean): Steps {
  let taken = 0;
  const before = new Map<number, Taken[]>();
  const variants = new Map<number, System[]>();

  /** The order of keys, and of entering regions, must make no difference. */
  const verify = (system: System, { what, at, entry, local, effects }: Taken): void => {
    const other = inWorld(0, () => step(system, entry));
    const again = locals.idOf(other.system, at);
    if (again === local && textOf(other.effects) === textOf(effects)) return;
    throw new Finding(
      'replayDeterminism',
      `machine \`${definition.id}\`: ${what} comes out differently where the keys of an object, or parallel states, came in another order: ${difference(locals, local, again, [], [])}. Sort what is looked through, or keep a list.`,
    );
  };
  locals.onVariant((local, system) => {
    if (!isChecked) return;
    const known = variants.get(local);
    if (known === undefined) variants.set(local, [system]);
    else known.push(system);
    for (const one of before.get(local) ?? []) verify(system, one);
  });

  const both = (what: string, at: number, first: () => Step, second: () => Step): Stepped => {
    taken += 1;
    if (!isChecked) {
      const { system, effects } = first();
      return { local: locals.idOf(system, at), effects };
    }
    const one = inWorld(0, first);
    const local = locals.idOf(one.system, at);
    const other = inWorld(1, second);
    const again = locals.idOf(other.system, at, true);
    const isSame =
      local === again &&
      one.system.lanes.a === other.system.lanes.a &&
      one.system.lanes.b === other.system.lanes.b &&
      JSON.stringify(one.effects) === JSON.stringify(other.effects);
    if (!isSame) {
      throw new Finding(
        'replayDeterminism',
        `machine \`${definition.id}\`: ${what} comes out differently when it is folded again: ${difference(locals, local, again, one.effects, other.effects)}. A guard, assign, input or delay reads a clock, chance, a variable outside the machine or the order of keys, or changes its context or event in place; take what it needs from the event, and return new data.`,
      );
    }
    return { local, effects: one.effects };
  };

  return {
    definition,
    locals,
    get taken() {
      return taken;
    },
    begin(input) {
      const beginning = { seq: 1, at: 0, bounds: defaultBounds };
      const frozen = deepFreeze(toJson(input, 'input'));
      return both(
        'its beginning',
        0,
        () => start(definition, { ...beginning, input: frozen }),
        () => start(definition, { ...beginning, input: toJson(input, 'input') }),
      );
    },
    step(local, type, data, at) {
      const entry = { seq: 2, at, type };
      const frozen = deepFreeze(data);
      const what = `\`${type}\``;
      const stepped = both(
        what,
        at,
        () => step(locals.systemOf(local), { ...entry, data: frozen }),
        () => step(locals.restoredOf(local), { ...entry, data: toJson(data, 'data') }),
      );
      if (!isChecked) return stepped;
      const one: Taken = {
        what,
        at,
        entry: { ...entry, data: frozen },
        local: stepped.local,
        effects: stepped.effects,
      };
      const known = before.get(local);
      if (known === undefined) before.set(local, [one]);
      else known.push(one);
      for (const variant of variants.get(local) ?? []) verify(variant, one);
      return stepped;
    },
  };
}

function textOf(effects: readonly Effect[]): string {
  return effects.length === 0 ? '' : canonical(effects as unknown as JsonValue);
}

const shownMax = 300;

function difference(
  locals: Locals,
  one: number,
  other: number,
  effects: readonly Effect[],
  otherEffects: readonly Effect[],
): string {
  const mine = locals.partsOf(one);
  const theirs = locals.partsOf(other);
  const at = mine.findIndex((part, index) => part !== theirs[index]);
  const [a, b] =
    at >= 0 || mine.length !== theirs.length
      ? [mine[Math.max(at, 0)] ?? 'nothing', theirs[Math.max(at, 0)] ?? 'nothing']
      : [textOf(effects), textOf(otherEffects)];
  const start = Math.max(0, firstDifference(a, b) - 60);
  return `\`${a.slice(start, start + shownMax)}\` and \`${b.slice(start, start + shownMax)}\``;
}

function firstDifference(a: string, b: string): number {
  let index = 0;
  while (index < a.length && a[index] === b[index]) index += 1;
  return index;
}
