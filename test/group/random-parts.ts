/** What random machines share: named guards and delays, and how much each actor does in its life. */
import type { AnyActorRef } from 'xstate';

// oxlint-disable-next-line typescript/no-explicit-any
type Loose = any;

/** Each actor takes this many transitions in its life, so that no exchange of events is endless. */
export const fuel = 30;

/** Context of every random machine. */
export interface Context {
  readonly n: number;
  readonly seen: readonly string[];
  readonly refs: Readonly<Record<string, AnyActorRef>>;
  readonly maybe?: string | undefined;
  readonly items: readonly object[];
  /** One of the items, the very same. */
  readonly picked: object | undefined;
}

/** Guards and delays that random machines name. */
export function namedParts(id: string) {
  return {
    guards: {
      fueled: ({ context }: Loose) => context.n < fuel,
      even: ({ context }: Loose) => context.n % 2 === 0,
      third: ({ context }: Loose) => context.n % 3 === 0 && context.n < fuel,
      childDone: ({ context }: Loose) =>
        Object.values(context.refs as Context['refs']).some((ref) => ref.getSnapshot().status === 'done'),
      onC: ({ context, event }: Loose) => event.type === 'C' && context.n < fuel,
      throws: ({ context }: Loose) => {
        if (context.n === 4) throw new Error(`guard of ${id} at 4`);
        return context.n < fuel;
      },
    },
    delays: { patience: ({ context }: Loose) => 5 + context.n, nothing: 0 },
  };
}
