import type { Liveness, Processes } from '../../src/journal/index.ts';

/** Processes that live and die on order. */
export function fakeProcesses() {
  const states = new Map<number, Liveness>();
  let pids = 100;
  return {
    start() {
      const pid = ++pids;
      states.set(pid, 'alive');
      const processes: Processes = {
        self: () => ({ host: 'here', pid, bootId: 'boot', pidNamespace: 'ns', startedAt: `${pid}` }),
        liveness: (of) => states.get(of.pid) ?? 'dead',
      };
      return {
        processes,
        kill: (): void => void states.set(pid, 'dead'),
        isHidden: (): boolean => states.get(pid) === 'unknown',
        hide: (): void => void states.set(pid, 'unknown'),
      };
    },
  };
}
