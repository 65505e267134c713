/** An attempt as its harness gets it: spelled out, and what few harnesses use is made when it is first used. */
import type { Attempt, Mailbox } from '../harness/port.ts';
import type { Door } from './door.ts';

/** What is handed on as it is, and the door. */
type Handed = Pick<Attempt, 'attempt' | 'group' | 'key' | 'member' | 'progress'> & {
  mailbox(): Mailbox;
  door(): Door;
};

/** Makes it of the dispatcher's job, whose mailbox is asked for when the harness asks. */
export function attemptOf(
  run: string,
  job: Handed,
  { invocation, signal, outputFile }: Pick<Attempt, 'invocation' | 'outputFile' | 'signal'>,
): Attempt {
  return {
    run,
    group: job.group,
    member: job.member,
    attempt: job.attempt,
    key: job.key,
    invocation,
    signal,
    outputFile,
    progress: job.progress,
    get mailbox() {
      return job.mailbox();
    },
    session: (id, data) => job.door().session(id, data),
    gate: (question) => job.door().gate(question),
    get previousSession() {
      return job.door().previous().session;
    },
    get previousSessionData() {
      return job.door().previous().sessionData;
    },
    get previousSessionSpent() {
      return job.door().previous().sessionSpent;
    },
    get spentBefore() {
      return job.door().previous().spent;
    },
    get refusedOutput() {
      return job.door().previous().refused;
    },
  };
}
