/** What can happen in a group's world, by number. */
import { PairMap } from '../engine/pair-map.ts';
import { actionKind } from '../engine/space.ts';

/** Names of what can happen. */
export const deeds = [
  'begin',
  'ended',
  'crashed',
  'settled',
  'settled again',
  'retried',
  'dropped',
  'told late',
  'read',
  'moved',
  'member timer',
  'sent',
  'timer',
  'message',
  'gate',
  'cancelled',
  'host crashed',
] as const;

/** A kind of deed. */
export type Deed = (typeof deeds)[number];

const deedBits = 5;
const deedMask = (1 << deedBits) - 1;

/** One action, taken apart. */
export interface TakenApart {
  readonly deed: Deed;
  /** Slot, for what a member does; else 0. */
  readonly slot: number;
  /** What it is about: an outcome, a result, a message, a timer's event … by number. */
  readonly detail: number;
}

/** Actions by number. */
export interface Actions {
  of(deed: Deed, slot: number, detail: number): number;
  takeApart(action: number): TakenApart;
  kindOf(action: number): number;
  /**
   * Fairness: a member ends, its results arrive, it reads and sends, a timer fires: each at some time, where it stays possible.
   * Faults and outsiders need not act.
   */
  classOf(action: number): number;
}

/** An empty table of actions. `timerOf`: the number of the timer that an entry is of, whenever it is due. */
export function actionsOf(timerOf: (entry: number) => number): Actions {
  const ids = new PairMap();
  const all: { readonly slot: number; readonly detail: number }[] = [];
  const takeApart = (action: number): TakenApart => {
    const { slot, detail } = all[action >>> deedBits] as { readonly slot: number; readonly detail: number };
    return { deed: deeds[action & deedMask] as Deed, slot, detail };
  };
  return {
    of(deed, slot, detail) {
      const kind = deeds.indexOf(deed);
      const known = ids.get((slot << deedBits) | kind, detail);
      if (known >= 0) return known;
      const action = (all.length << deedBits) | kind;
      all.push({ slot, detail });
      ids.set((slot << deedBits) | kind, detail, action);
      return action;
    },
    takeApart,
    kindOf: (action) => kinds[action & deedMask] as number,
    classOf(action) {
      const { deed, slot, detail } = takeApart(action);
      switch (deed) {
        case 'ended':
        case 'settled':
        case 'retried':
        case 'read':
        case 'sent':
        case 'member timer':
          return 1 + ((slot << deedBits) | deeds.indexOf(deed === 'retried' ? 'settled' : deed)) * 2;
        case 'timer':
          return 2 + timerOf(detail) * 2;
        default:
          return 0;
      }
    },
  };
}

const kinds: readonly number[] = deeds.map((deed) => {
  switch (deed) {
    case 'crashed':
    case 'settled again':
    case 'dropped':
    case 'told late':
    case 'host crashed':
      return actionKind.fault;
    case 'timer':
    case 'member timer':
      return actionKind.timer;
    case 'message':
    case 'gate':
      return actionKind.outside;
    case 'cancelled':
      return actionKind.cancel;
    default:
      return 0;
  }
});
