/**
 * The live side of the differential test: XState actors with a clock of ours, watched by XState's own inspection, with the one
 * amendment that `duel.ts` tells.
 */
import { Actor, createActor, type AnyActor, type AnyActorRef, type AnyStateMachine } from 'xstate';

// oxlint-disable-next-line typescript/no-explicit-any
type Loose = any;

/** Thrown where the engines differ. */
export class Difference extends Error {}

/** The live side: XState actors with a clock of ours, watched by XState's own inspection. */
export class Live {
  now = 0;
  root!: AnyActor;
  deliveries: string[] = [];
  emitted: { address: string; event: unknown }[] = [];
  private readonly machine: AnyStateMachine;
  private readonly addresses = new WeakMap<AnyActor, string>();
  private readonly counts = new Map<string, number>();
  private readonly incarnations = new WeakMap<object, number>();
  private all: AnyActor[] = [];
  private pending: { key: number; dueAt: number; source: AnyActor; fire: () => void }[] = [];
  private scheduling: AnyActor | undefined;
  private keys = 0;

  constructor(machine: AnyStateMachine) {
    this.machine = machine;
  }

  begin(input: unknown): void {
    this.root = createActor(this.machine, {
      id: this.machine.id,
      input,
      clock: {
        setTimeout: (fire: () => void, delay: number) => this.set(fire, delay),
        clearTimeout: (key: number) => this.unset(key),
      },
      inspect: (event: Loose) => this.inspect(event),
      logger: () => {},
    } as Loose) as unknown as AnyActor;
    this.root.subscribe({ error: () => {} });
    this.root.start();
  }

  clear(): void {
    this.deliveries = [];
    this.emitted = [];
    this.all = this.all.filter((actor) => (actor as Loose)._processingStatus < 2);
  }

  at(address: string): AnyActor {
    const isThere = (actor: AnyActor) => this.addresses.get(actor) === address;
    return (this.all.findLast((actor) => isThere(actor) && isRunning(actor)) ?? this.all.findLast(isThere)) as AnyActor;
  }

  incarnationOf(actor: AnyActor): number | undefined {
    return this.incarnations.get(actor);
  }

  status(): string {
    const { status } = this.root.getSnapshot() as Loose;
    return status === 'done' ? 'completed' : status === 'error' ? 'failed' : status;
  }

  timers() {
    return this.pending.filter(({ source }) => isRunning(source)).sort((a, b) => a.dueAt - b.dueAt || a.key - b.key);
  }

  fire(index: number): void {
    const timer = this.timers()[index];
    if (timer === undefined) throw new Difference(`live has no timer ${index}`);
    this.unset(timer.key);
    timer.fire();
  }

  wants(): string[] {
    const found: string[] = [];
    for (const actor of this.all) {
      if (!isRunning(actor)) continue;
      const snapshot = actor.getSnapshot() as Loose;
      if (snapshot.status === 'active' && 'received' in snapshot)
        found.push(`${addressOf(actor)}#${this.incarnationOf(actor)}`);
    }
    return found.sort();
  }

  private forget(actor: AnyActor): void {
    const address = addressOf(actor);
    this.counts.set(address, (this.counts.get(address) ?? 1) - 1);
    this.all.splice(this.all.indexOf(actor), 1);
  }

  private set(fire: () => void, delay: number): number {
    const key = (this.keys += 1);
    this.pending.push({ key, dueAt: this.now + Math.max(0, delay), source: this.scheduling as AnyActor, fire });
    return key;
  }

  private unset(key: number): void {
    this.pending = this.pending.filter((timer) => timer.key !== key);
  }

  private inspect(event: Loose): void {
    const actor = event.actorRef as AnyActor;
    if (event.type === '@xstate.actor') {
      const address = addressOf(actor);
      const count = (this.counts.get(address) ?? 0) + 1;
      this.counts.set(address, count);
      this.incarnations.set(actor, count);
      this.addresses.set(actor, address);
      this.all.push(actor);
      (actor as Loose).on('*', (emitted: unknown) => this.emitted.push({ address, event: emitted }));
      if (address === '') this.watch(actor);
    } else if (event.type === '@xstate.event') {
      const isInput = event.sourceRef === undefined && event.event.type !== 'xstate.init';
      if (!isInput) this.deliveries.push(`${addressOf(event.sourceRef)}>${addressOf(actor)}:${event.event.type}`);
    }
  }

  private watch(root: AnyActor): void {
    const system = root.system as Loose;
    const { _set: set } = system;
    system._set = (systemId: string, actor: AnyActor) => {
      try {
        set(systemId, actor);
      } catch (error) {
        // An actor whose constructor throws never was.
        if ((actor as Loose)._snapshot === undefined) this.forget(actor);
        throw error;
      }
    };
    const { scheduler } = system;
    const { schedule } = scheduler;
    scheduler.schedule = (source: AnyActor, ...rest: unknown[]) => {
      this.scheduling = source;
      schedule(source, ...rest);
    };
  }
}

/** The one amendment to XState: see the head of this file. */
export function amendLive(): () => void {
  const prototype = Actor.prototype as Loose;
  const original = prototype._error;
  prototype._error = function (this: Loose, error: unknown) {
    for (const child of Object.values(this._snapshot?.children ?? {})) {
      if ((child as Loose)?._processingStatus === 0) unregister(child as AnyActor);
      (child as Loose)?._stop();
    }
    original.call(this, error);
  };
  return () => {
    prototype._error = original;
  };
}

/** What is registered below an actor that never got to start. */
function unregister(actor: AnyActor): void {
  for (const child of Object.values((actor.getSnapshot() as Loose)?.children ?? {})) unregister(child as AnyActor);
  (actor.system as Loose)._unregister(actor);
}

function isRunning(actor: AnyActor): boolean {
  return (actor as Loose)._processingStatus === 1;
}

/** Where a live actor is, as the kernel would say it. */
export function addressOf(actor: AnyActorRef | undefined): string {
  if (actor?._parent === undefined) return '';
  const parent = addressOf(actor._parent);
  return parent === '' ? actor.id : `${parent}::${actor.id}`;
}
