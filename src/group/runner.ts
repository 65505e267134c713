import type { AnyActorLogic } from 'xstate';
import { isChild, look, stoppedBy, type Deeds } from './actions.ts';
import type { Live } from './cell.ts';
import { toPlainError } from './plain-error.ts';
import { giveBack, takeScope, type Conductor } from './scope.ts';
import type { Action, AnySnapshot, Heard } from './snapshot.ts';

/** XState touch point: runs an actor's logic and collects what it wants done. Logics run inside one another where one makes a child. */
export class Runner implements Conductor {
  private readonly deeds: Deeds;
  /** Whose logic is running. */
  private active: Live | undefined;
  private microsteps = 0;

  constructor(deeds: Deeds) {
    this.deeds = deeds;
  }

  /** The snapshot of an actor that is being made; its initial actions wait until it starts. */
  first(live: Live, input: unknown): AnySnapshot {
    const { active, microsteps } = this;
    const { limits } = this.deeds;
    this.active = live;
    this.microsteps = 0;
    try {
      const scope = takeScope(live.ref, this);
      const fast = live.logic.kind === 'machine' ? live.logic.fast?.start(scope, input, this.onMicrostep) : undefined;
      const snapshot = fast ?? (live.logic.logic.getInitialSnapshot(scope, input) as AnySnapshot);
      limits.assertUnbroken();
      // Thrown, whatever it is: no child has been heard yet.
      return snapshot.status === 'error' ? { ...snapshot, error: toPlainError(snapshot.error) } : snapshot;
    } catch (error) {
      limits.assertUnbroken();
      return { status: 'error', output: undefined, error: toPlainError(error) };
    } finally {
      giveBack();
      this.active = active;
      this.microsteps = microsteps;
    }
  }

  /** The next snapshot; throws what a guard or an assign throws. */
  next(live: Live, snapshot: AnySnapshot, event: Heard): AnySnapshot {
    const { active } = this;
    this.active = live;
    this.microsteps = 0;
    const scope = takeScope(live.ref, this);
    try {
      const fast =
        live.logic.kind === 'machine' ? live.logic.fast?.next(snapshot, event, scope, this.onMicrostep) : undefined;
      // A snapshot comes back to the logic that made it.
      const logic: AnyActorLogic = live.logic.logic;
      return fast ?? (logic.transition(snapshot, event, scope) as AnySnapshot);
    } finally {
      giveBack();
      this.active = active;
    }
  }

  /** XState's action executor: a running actor's actions are looked at at once, a starting one's when it starts. */
  collect(action: Action): void {
    const live = this.active;
    if (live === undefined) return;
    const stopped = action.type === 'xstate.stopChild' ? stoppedBy(action) : undefined;
    if (stopped !== undefined && isChild(stopped, live)) this.deeds.roster.dismiss(stopped);
    if (live.phase === 'running') look(this.deeds, live, action);
    else live.deferred.push({ unseen: action });
  }

  defer(start: () => void): void {
    this.active?.deferred.push(start);
  }

  /** Each microstep of a running logic. */
  readonly onMicrostep = (): void => {
    this.microsteps += 1;
    this.deeds.limits.within('microstepsMax', this.microsteps, 'micro-steps of one actor for one event');
  };
}
