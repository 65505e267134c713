/** What a project may configure. */
import type { HostRules, HostSettings } from '../group/host-options.ts';
import type { Harnesses } from '../harness/port.ts';

/** What `troupe.config.ts` may say. What a process file exports (`harnesses`, `rules`) wins over it, name by name. */
export interface Config extends Omit<HostRules, 'fallback'> {
  /** By name. Default: the agent CLIs that are installed, by theirs. */
  readonly harnesses?: Harnesses;
  readonly route?: {
    /** Harness of invocations that name none and need nothing. */
    readonly default?: string;
    /** Chains of harnesses to fall back to, by failure class; an invocation's own come first. */
    readonly fallback?: HostRules['fallback'];
  };
  /** Bounds of the host. */
  readonly limits?: Omit<HostSettings, 'worktrees'>;
  /** Capabilities that harnesses have beside those they declare, by the harness's name: for the installed ones too. */
  readonly capabilities?: Readonly<Record<string, readonly string[]>>;
}
