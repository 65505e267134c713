/** Going through a model one event at a time. */
import { asked, type Model, type Opened, type Step } from '../checkable.ts';
import { actionKind, Finding, Widen, type Emit } from '../engine/space.ts';
import type { ViolationKind } from '../result.ts';
import { eventId, markIn } from './event-id.ts';

/** Something that can happen now. */
export interface Enabled {
  readonly id: string;
  readonly action: number;
  readonly vector: Int32Array;
}

/** What was found to be wrong where a walk ends. */
export interface Wrong {
  readonly property: string;
  readonly kind: ViolationKind;
  readonly message: string;
}

/** A way that was gone. */
export interface Walk {
  readonly events: readonly string[];
  /** What happened; a transition that is wrong in itself is the last. */
  readonly steps: readonly Step[];
  readonly wrong: Wrong | undefined;
  /** Names of what it met of `sometimes`. */
  readonly met: readonly string[];
}

/** Chooses what happens next; undefined: nothing more. */
export type Choose = (enabled: readonly Enabled[], step: number) => Enabled | undefined;

const noLongerStuck = actionKind.fault | actionKind.cancel;

/** Goes through one opened model, as often as is wanted; what was worked out on one way is known on the next. */
export class Walker<State = unknown> {
  private readonly model: Model<State>;
  private readonly opened: Opened<State>;
  private readonly steps = new Map<number, Step>();
  private readonly ids: Map<number, string>[] = [];
  private wrong: Wrong | undefined;
  private wrongStep: Step | undefined;
  private isStuck = false;

  constructor(model: Model<State>) {
    this.model = model;
    this.opened = model.open();
  }

  /** Goes where `choose` says, at most `most` events far, until nothing can happen or something is wrong. */
  walk(choose: Choose, most: number, judges = true): Walk {
    const events: string[] = [];
    const steps: Step[] = [];
    const met = new Set<string>();
    this.wrong = undefined;
    this.wrongStep = undefined;
    let enabled = this.begin();
    for (let count = 0; count < most && this.wrong === undefined; count += 1) {
      const next = choose(enabled, count);
      if (next === undefined) break;
      events.push(next.id);
      steps.push(this.stepOf(next.action));
      this.load(next.vector);
      if (judges) this.judge(met);
      if (this.wrong !== undefined) break;
      enabled = this.enabled(next.vector);
      if (judges && this.isStuck) this.judgeStuck(next.vector);
    }
    // What is only found when a transition is tried.
    const wrongStep = this.wrongStep as Step | undefined;
    if (wrongStep !== undefined) steps.push(wrongStep);
    return { events, steps, wrong: this.wrong, met: [...met] };
  }

  private begin(): readonly Enabled[] {
    return this.collect((emit) => this.opened.space.initial(emit));
  }

  private enabled(vector: Int32Array): readonly Enabled[] {
    return this.collect((emit) => {
      this.load(vector);
      this.opened.space.expand(emit);
    });
  }

  private collect(expand: (emit: Emit) => void): readonly Enabled[] {
    const { space } = this.opened;
    for (;;) {
      const found: Enabled[] = [];
      const seen = new Map<string, number>();
      this.isStuck = true;
      try {
        expand((action, isOutside) => {
          if ((space.kindOf(action) & noLongerStuck) === 0) this.isStuck = false;
          if (isOutside === true) return;
          const first = this.idOf(action, 1);
          const nth = (seen.get(first) ?? 0) + 1;
          seen.set(first, nth);
          found.push({ id: this.idOf(action, nth), action, vector: space.next.slice() });
        });
        // A space tells them in the order in which it first met what they are about, on earlier ways too; a seed knows nothing of those.
        return found.sort((a, b) => (markIn(a.id) < markIn(b.id) ? -1 : 1));
      } catch (error) {
        if (error instanceof Widen) continue;
        if (!(error instanceof Finding)) throw error;
        const { property, message, action } = error;
        this.wrong = { property, kind: 'finding', message };
        this.wrongStep = action === undefined ? undefined : this.stepOf(action);
        this.isStuck = false;
        return [];
      }
    }
  }

  /** Vectors grow while a model is explored; what is not there is zero. */
  private load(vector: Int32Array): void {
    const { current } = this.opened.space;
    current.fill(0);
    current.set(vector);
  }

  private judge(met: Set<string>): void {
    const { opened, model } = this;
    const { always = {}, sometimes = {} } = model.properties;
    const broken =
      opened.invariants.find(({ holds }) => !holds())?.name ??
      Object.entries(always).find(([name, holds]) => !asked(name, holds, opened.state))?.[0];
    if (broken !== undefined) this.wrong = { property: broken, kind: 'always', message: `\`${broken}\` does not hold` };
    for (const [name, holds] of Object.entries(sometimes)) if (asked(name, holds, opened.state)) met.add(name);
  }

  private judgeStuck(vector: Int32Array): void {
    if (!this.model.checks.noDeadlock) return;
    this.load(vector);
    if (this.opened.space.isEnd()) return;
    const message = 'nothing can happen any more, and it has not ended';
    this.wrong = { property: 'noDeadlock', kind: 'deadlock', message };
  }

  private stepOf(action: number): Step {
    let step = this.steps.get(action);
    if (step === undefined) this.steps.set(action, (step = this.opened.describe(action)));
    return step;
  }

  private idOf(action: number, nth: number): string {
    const ids = (this.ids[nth] ??= new Map());
    let id = ids.get(action);
    if (id === undefined) ids.set(action, (id = eventId(this.stepOf(action), nth)));
    return id;
  }
}

const walkers = new WeakMap<object, Walker>();

/** The walker of a model: one for all that is done with it. */
export function walkerOf(model: Model<never>): Walker {
  let walker = walkers.get(model);
  if (walker === undefined) walkers.set(model, (walker = new Walker(model as unknown as Model<unknown>)));
  return walker;
}
