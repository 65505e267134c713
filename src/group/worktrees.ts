/**
 * Worktrees of a group's members: opened before an attempt that asks for one, the same for every attempt of a member, closed when the
 * member has ended. Where they are stands in the journal; what a crash leaves unsaid is found by name.
 */
import { isTroupeError, TroupeError } from '../error.ts';
import { plainError } from '../harness/plain-error.ts';
import type { Invocation, Outcome } from '../harness/port.ts';
import type { Entry } from '../journal/port.ts';
import { actorKeyText } from './address.ts';
import type { ActorKey } from './effect.ts';
import type { GroupEvents, Push } from './entries.ts';
import type { GroupContext } from './group-context.ts';
import type { Ledger } from './ledger.ts';
import { attempted, type Living } from './living.ts';
import type { WorktreeRecord } from './worktree-record.ts';

/** The worktrees of one group. */
export interface GroupWorktrees {
  /** What is done before an attempt of this member is performed; undefined when it has no worktree. Resolves to its invocation, there, or to why not. */
  prepare(member: Living, invocation: Invocation): (() => Promise<Invocation | Outcome>) | undefined;
  /** An entry has been folded: who has ended by it needs no worktree. */
  noted(entry: Entry): void;
  /** After replay: closes what an earlier host left open of members that have ended. */
  takenUp(isWanted: (key: ActorKey) => boolean): void;
}

/** Makes them. */
export function groupWorktrees(options: {
  readonly context: GroupContext;
  readonly group: string;
  readonly push: Push;
  ledger(): Ledger;
}): GroupWorktrees {
  const { context, group, push, ledger } = options;
  const { run, worktrees, dispatcher } = context;
  const closing = new Set<string>();

  const opened = (data: GroupEvents['worktree.opened']) =>
    new Promise<void>((resolve, reject) =>
      push('worktree.opened', data, resolve, () => reject(new Error('the journal is closed'))),
    );

  const enter = async (member: Living, invocation: Invocation): Promise<Invocation | Outcome> => {
    const { address, incarnation } = member;
    try {
      if (worktrees === undefined) {
        throw new TroupeError(
          'BAD_INPUT',
          `member \`${address}\`: isolation: 'worktree' is not offered here; open the run with \`worktrees: gitWorktrees({ folder })\`.`,
        );
      }
      const { cwd, worktree: { keep = 'changed', base } = {} } = invocation;
      const { worktree, cwd: inside } = await worktrees.open({ run, group, member: address, incarnation, cwd, base });
      const known = ledger().worktrees.get(actorKeyText(member));
      if (known?.state !== 'open' || known.run !== run || known.path !== worktree.path)
        await opened({ ...attempted(member), run, ...worktree, keep });
      return { ...invocation, cwd: inside };
    } catch (error) {
      const isRefused = isTroupeError(error, 'BAD_INPUT');
      return { status: 'error', class: isRefused ? 'refused' : 'failed', error: plainError(error) };
    }
  };

  /** Only this run's own: a fork knows of its origin's too. */
  const close = (record: WorktreeRecord) => {
    const key = actorKeyText({ address: record.member, incarnation: record.incarnation });
    if (worktrees === undefined || !context.performs || record.run !== run || closing.has(key)) return;
    closing.add(key);
    const { member, incarnation, attempt } = record;
    const done = (kept: boolean, why: string) => {
      closing.delete(key);
      push('worktree.closed', { member, incarnation, attempt, kept, why });
    };
    dispatcher.busyWith(
      worktrees.close(record, record.keep).then(
        ({ kept, why }) => done(kept, why),
        (error: unknown) => done(true, error instanceof Error ? error.message : String(error)),
      ),
    );
  };

  const isRunning = ({ member, incarnation }: WorktreeRecord) => {
    const record = ledger().members.get(member);
    return record?.incarnation === incarnation && record.status === 'running';
  };
  /** Those that nobody will work in any more; of what still runs it is told when it has ended. */
  const closeAll = (isWanted: (key: ActorKey) => boolean) => {
    for (const record of ledger().worktrees.values()) {
      const key = { address: record.member, incarnation: record.incarnation };
      if (record.state === 'open' && !isWanted(key) && !isRunning(record)) close(record);
    }
  };

  return {
    prepare: (member, invocation) => (invocation.isolation === undefined ? undefined : () => enter(member, invocation)),
    noted({ type, data }) {
      if (ledger().worktrees.size === 0) return;
      if (type === 'member.settled' || type === 'attempt.cancelled') {
        const { member, incarnation, again } = data as unknown as GroupEvents['attempt.cancelled'];
        const record = ledger().worktrees.get(actorKeyText({ address: member, incarnation }));
        if (record?.state === 'open' && again !== true) close(record);
      } else if (type === 'group.ended') {
        closeAll(({ address }) => ledger().goingOn.has(address));
      }
    },
    takenUp: closeAll,
  };
}
