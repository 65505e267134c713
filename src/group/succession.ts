/**
 * Who comes after whom at an address: a new incarnation begins when every attempt of the ones before has ended, so that
 * two never work under one name.
 */
import type { Address } from './effect.ts';

/** Addresses at which something of a stopped member still runs, and who waits for them. */
export interface Succession<Next> {
  /** An attempt of a stopped member goes on for now. */
  leaving(address: Address): void;
  /** It has ended. Returns who waits for the address, when nothing more runs there. */
  left(address: Address): Next | undefined;
  /** Has `next` wait when it must; false when the address is free. */
  waits(address: Address, next: Next): boolean;
}

/** Of one group's members. */
export function succession<Next>(): Succession<Next> {
  const busy = new Map<Address, { count: number; next: Next | undefined }>();
  return {
    leaving(address) {
      const entry = busy.get(address);
      if (entry === undefined) busy.set(address, { count: 1, next: undefined });
      else entry.count += 1;
    },
    left(address) {
      const entry = busy.get(address);
      if (entry === undefined) return undefined;
      entry.count -= 1;
      if (entry.count > 0) return undefined;
      busy.delete(address);
      return entry.next;
    },
    waits(address, next) {
      const entry = busy.get(address);
      if (entry !== undefined) entry.next = next;
      return entry !== undefined;
    },
  };
}
