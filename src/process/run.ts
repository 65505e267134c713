/** A run that this process holds: opened (created or taken up), driven to its end, stopped, cancelled, closed. */
import { TroupeError, isTroupeError } from '../error.ts';
import { refuseNoEvent, refuseNoFields, refuseNoText } from '../group/legible.ts';
import { plainError } from '../harness/plain-error.ts';
import { toJson, type JsonValue } from '../json.ts';
import { cancelReason, endCancelled } from './cancel.ts';
import { finish } from './finish.ts';
import { openHeld, passOver, type RunOptions } from './held-run.ts';
import { outsideOf, type Outside } from './outside.ts';
import type { Request, Requests } from './requests.ts';
import type { RunEnd } from './run-view.ts';

/** How driving a run came out. `stopped`: the host was told to stop; the run goes on when it is opened again. */
export type RunResult = RunEnd | { readonly status: 'stopped'; readonly reason: string };

/** A run that this process holds. */
export interface Run extends Outside {
  readonly id: string;
  /**
   * Drives the run to its end: performs what its groups want, and resolves when the process has returned and all its
   * groups have ended. Rejects, recording no end, when something must be mended first (JOURNAL_IO, EPOCH_STALE, NONDETERMINISM,
   * DUPLICATE_NAME, GROUP_MISMATCH, MACHINE_UNSUPPORTED …).
   */
  drive(): Promise<RunResult>;
  /** Stops driving: attempts under way are ended and made again after a resume. */
  stop(reason: string): Promise<void>;
  /** Ends the run as cancelled: all its groups and members with it. */
  cancel(reason: string): Promise<void>;
  /** Sends an event to a group's coordinator. Codes: UNKNOWN_GROUP, BAD_INPUT, and those of the handle's `send`. */
  signal<Event extends { readonly type: string }>(
    group: string,
    event: Event,
    options: { readonly id: string },
  ): Promise<void>;
  /** Waits for writing, writes snapshots, releases the lease. Safe to call twice. */
  close(): Promise<void>;
}

/** How often letters are looked for, ms. */
const lookEveryMs = 200;

/**
 * Opens a run to be driven here. Codes: RUN_BUSY, BAD_INPUT, NOT_JSON, ENTRY_TOO_LARGE, JOURNAL_CORRUPT, JOURNAL_FORMAT,
 * JOURNAL_IO. The caller closes it.
 */
export async function openRun(options: RunOptions): Promise<Run> {
  const opened = await openHeld(options, true);
  const { host } = opened;
  let halt: (result: RunResult) => void = () => {};
  const halted = new Promise<RunResult>((resolve) => {
    halt = resolve;
  });
  let driving: Promise<RunResult> | undefined;
  let cancelling: Promise<void> | undefined;
  let isEnding = false;
  let isClosed = false;

  /** The reason of a cancellation that an earlier host began. */
  const asked = () => cancelReason(opened.entries);

  const cancelNow = async (given: string) => {
    if (opened.end !== undefined) return;
    if (isEnding) {
      await driving;
      return;
    }
    host.seal();
    const before = asked();
    const reason = before ?? given;
    if (before === undefined) await host.record('run.cancelled', { reason });
    await Promise.all((await host.allOpened()).map((group) => group.cancel(reason)));
    await host.stop(reason);
    halt(await endCancelled(host, options.harnesses, reason));
  };
  const cancel = (reason: string) => {
    refuseNoText(reason, `reason to cancel run ${options.run}`);
    if (cancelling === undefined) {
      cancelling = cancelNow(reason);
      // Else who drives the run would wait for an end that nobody records.
      cancelling.catch(host.fail);
    }
    return cancelling;
  };

  const signal: Run['signal'] = async (name, event, signalOptions) => {
    refuseNoEvent(event, `signal to group \`${String(name)}\``);
    refuseNoFields(signalOptions, `signal \`${event.type}\` to group \`${String(name)}\``, '{ id } behind the event');
    const { id } = signalOptions;
    refuseNoText(id, `\`id\` of signal \`${event.type}\` to group \`${String(name)}\``);
    const group = host.group(name);
    if (group === undefined) {
      const known = [...host.groups()].map((one) => one.name).join(', ');
      throw new TroupeError(
        'UNKNOWN_GROUP',
        `run ${options.run} has no open group \`${name}\`; open groups: ${known || 'none'}.`,
      );
    }
    await group.signal(toJson(event, `signal \`${id}\``) as { readonly type: string }, { id, from: 'outside' });
  };

  const outside = outsideOf(host, options.run, () => opened.gates());

  /** Done when the last letter that has become an entry is gone. */
  let removed = Promise.resolve();
  /** Answers whose gate was not there at the first look. */
  const lookedFor = new Set<string>();
  /** Makes an entry of a letter; false when it must wait for its group or gate. */
  const take = async (request: Request): Promise<boolean> => {
    if (request.type === 'cancel') {
      await cancel(request.reason);
      return true;
    }
    try {
      if (request.type === 'signal') {
        await signal(request.group, request.event, { id: request.id });
      } else if (request.type === 'message') {
        const { group, id, messageId, to, message, body, mode } = request;
        await outside.send(group, {
          id: messageId ?? id,
          to,
          type: message,
          body,
          ...(mode === undefined ? {} : { mode }),
        });
      } else {
        await outside.answer(request);
      }
    } catch (error) {
      if (isTroupeError(error, 'UNKNOWN_GROUP')) return false;
      // Whoever reads the journal sees a gate a moment before this host has folded its entry: it is looked for twice.
      if (isTroupeError(error, 'UNKNOWN_GATE') && !lookedFor.has(request.id)) {
        lookedFor.add(request.id);
        return false;
      }
      if (!isTroupeError(error) || host.hasFailed()) throw error;
      // Told in the run's stream, where the asker looks.
      await host.record('request.refused', { request: request.id, error: plainError(error) } as unknown as JsonValue);
    }
    return true;
  };
  let stopLooking = () => {};
  const takeRequests = (requests: Requests) => {
    const look = async () => {
      // The letter goes when its entry is durable; its id makes one entry of it however often it is found.
      for (const request of await requests.list()) {
        if (!(await take(request))) continue;
        removed = requests.remove(request.id);
        await removed;
      }
      if (isClosed) return;
      const now = host.clock.now();
      // By the clock itself, not among what is due at a moment: a host whose machine's time was set back hears all the same.
      stopLooking = host.clock.wakeAt(now + lookEveryMs, () => void look().catch(host.fail));
      // And what came due while the machine slept, or its time was set forward, rings now.
      host.wakeAt(now, () => {});
    };
    void look().catch(host.fail);
  };

  const drive = async (): Promise<RunResult> => {
    if (opened.end !== undefined) return opened.end;
    const reason = asked();
    if (reason !== undefined) {
      await cancel(reason);
      return halted;
    }
    if (options.requests !== undefined) takeRequests(options.requests);
    const mayEnd = () => {
      isEnding = cancelling === undefined;
      return isEnding;
    };
    return await Promise.race([finish(host, passOver(opened, options), mayEnd), halted, host.failure]);
  };

  return {
    id: options.run,
    drive() {
      driving ??= drive();
      return driving;
    },
    async stop(reason) {
      refuseNoText(reason, `reason to stop driving run ${options.run}`);
      await host.stop(reason);
      halt({ status: 'stopped', reason });
    },
    cancel,
    signal,
    ...outside,
    async close() {
      isClosed = true;
      stopLooking();
      await host.close();
      // Whoever wrote it would find it still there, try again himself, and be told that he comes too late.
      await removed.catch(() => {});
      halt({ status: 'stopped', reason: 'the host was closed' });
    },
  };
}
