/** Groups as the process sees them: what a handle says comes from what was delivered, the same in each iteration. */
import { TroupeError, isTroupeError } from '../error.ts';
import type { EventObject, GroupEnd } from '../group/effect.ts';
import type { GroupEvents } from '../group/entries.ts';
import { streamOf } from '../group/fold.ts';
import type { Group } from '../group/group.ts';
import { refuseMark, refuseNoEvent, refuseNoFields, refuseNoText, refuseNoYesOrNo } from '../group/legible.ts';
import { nobodyThere } from '../group/post.ts';
import { refuseReserved } from '../group/reserved.ts';
import { toJson, type JsonValue } from '../json.ts';
import type { Entry } from '../journal/port.ts';
import type { ApproveOptions, Checkpoint, GroupHandle, SendOptions } from './context.ts';
import { endKey, gateKey, markKey, type Deliveries } from './deliveries.ts';
import type { Refusable } from './refusals.ts';

/** What handles need of their pass. */
export interface HandleOptions {
  readonly inbox: Deliveries;
  readonly refusable: Refusable;
  /** Stops the host with the author's mistake. */
  mistake(error: unknown): never;
  /** Marks a promise as one that may be left alone. */
  handled<Value>(promise: Promise<Value>): Promise<Value>;
  /** Marks a promise as work under way. */
  track<Value>(promise: Promise<Value>): Promise<Value>;
}

/** Makes handles, in one pass. */
export interface Handles {
  /** The output of a group's coordinator. Rejects with GROUP_FAILED or CANCELLED. */
  outputOf(name: string): Promise<JsonValue>;
  handleOf<Output>(name: string, opening: Promise<Group>): GroupHandle<Output>;
}

/** The handles of one pass. */
export function handles({ inbox, refusable, mistake, handled, track }: HandleOptions): Handles {
  /** Signals of this iteration. */
  const sent = new Set<string>();
  /** Gates and rounds answered in this iteration. */
  const approved = new Set<string>();

  /** What `check` throws is the author's mistake. */
  const wellSaid = (check: () => void) => {
    try {
      check();
    } catch (error) {
      mistake(error);
    }
  };

  const outputOf = async (name: string): Promise<JsonValue> => {
    const end = (await inbox.wait(endKey(name))).data as unknown as GroupEnd;
    if (end.status === 'completed') return end.output;
    if (end.status === 'cancelled') {
      throw new TroupeError('CANCELLED', `group \`${name}\` was cancelled: ${end.reason}.`, {
        group: name,
        reason: end.reason,
      });
    }
    throw new TroupeError('GROUP_FAILED', `group \`${name}\` failed: ${end.error.message}`, {
      group: name,
      error: end.error,
    });
  };

  const handleOf = <Output>(name: string, opening: Promise<Group>): GroupHandle<Output> => {
    const send = async (event: { readonly type: string }, sendOptions: SendOptions = {}) => {
      refuseNoEvent(event, `group \`${name}\``);
      refuseNoFields(sendOptions, `options of \`${event.type}\` to group \`${name}\``, '{ id, to, mode }');
      for (const field of ['id', 'to'] as const)
        if (sendOptions[field] !== undefined)
          refuseNoText(sendOptions[field], `\`${field}\` of \`${event.type}\` to group \`${name}\``);
      const { to, mode, id = to === undefined ? event.type : `${event.type} to ${to}` } = sendOptions;
      const key = JSON.stringify([name, id]);
      if (sent.has(key)) {
        return mistake(
          new TroupeError(
            'DUPLICATE_NAME',
            `group \`${name}\` was sent a signal \`${id}\` before in this iteration. The id names the signal: give the second one another, send(event, { id }).`,
          ),
        );
      }
      const checked = toJson(event, `signal \`${id}\` to group \`${name}\``) as EventObject;
      refuseReserved(checked.type);
      sent.add(key);
      try {
        const { type, ...body } = checked;
        const letter = { to: to ?? '', type, body, id, ...(mode === undefined ? {} : { mode }) };
        await refusable(['send', name, id], () =>
          track(
            opening.then(async (group) => {
              if (to === undefined) await group.signal(checked, { id, from: 'process' });
              else await group.send('process', letter);
              if (to !== '*' || group.ledger.messages.has(id)) return;
              throw nobodyThere(name, type);
            }),
          ),
        );
      } catch (error) {
        // There is no entry to wait for but the note; who is there later is not told.
        if (to === '*' && isTroupeError(error, 'UNKNOWN_MEMBER')) return;
        sent.delete(key);
        // The refusal comes when the process has seen the group's end: at the same place in each iteration.
        if (isTroupeError(error, 'GROUP_ENDED')) await inbox.wait(endKey(name));
        throw error;
      }
      await inbox.heard(name, id);
    };
    const approve = async (gate: string, answerOptions: ApproveOptions = {}) => {
      wellSaid(() => {
        refuseNoText(gate, `name of a gate of group \`${name}\``);
        refuseNoFields(answerOptions, `answer at gate \`${gate}\` of group \`${name}\``, '{ reject, note, round }');
      });
      const { reject = false, note = '', round = 1 } = answerOptions;
      const stream = streamOf(name);
      const key = gateKey(stream, gate, round);
      wellSaid(() => {
        refuseNoText(note, `note at gate \`${gate}\` of group \`${name}\``);
        refuseNoYesOrNo(reject, `\`reject\` at gate \`${gate}\` of group \`${name}\``);
      });
      if (!(Number.isSafeInteger(round) && round >= 1)) {
        return mistake(
          new TroupeError(
            'BAD_INPUT',
            `gate \`${gate}\` of group \`${name}\`: expected \`round\` to be a whole number >= 1, got \`${String(round)}\`.`,
          ),
        );
      }
      if (approved.has(key)) {
        return mistake(
          new TroupeError(
            'DUPLICATE_NAME',
            `gate \`${gate}\` of group \`${name}\` was answered before in this iteration. Where it is opened again, say which answer is meant: approve('${gate}', { round: ${round + 1} }).`,
          ),
        );
      }
      approved.add(key);
      const tried = async () => {
        const group = await opening;
        const known = inbox.answers(stream, gate);
        if (known >= round) return;
        if (known < round - 1) {
          const times = known === 0 ? 'no answer' : known === 1 ? 'one answer' : `${known} answers`;
          throw new TroupeError(
            'UNKNOWN_GATE',
            `group \`${name}\` has had ${times} at gate \`${gate}\`, so round ${round} is not open.`,
          );
        }
        await group.answer(gate, { approved: !reject, note, by: 'process' });
      };
      const answer = async () => {
        try {
          await track(tried());
        } catch (error) {
          // Somebody else's answer came first and is on its way here: a later iteration finds it recorded.
          if (isTroupeError(error, 'UNKNOWN_GATE')) {
            const { idle } = await opening;
            await Promise.race([inbox.wait(key), idle().then(() => inbox.quiet())]);
          }
          if (inbox.delivered(key) === undefined) throw error;
        }
      };
      try {
        await refusable(['approve', name, gate, String(round)], answer);
      } catch (error) {
        approved.delete(key);
        throw error;
      }
      await inbox.wait(key);
    };
    const checkpoint: GroupHandle<Output>['checkpoint'] = async (mark) => {
      wellSaid(() => refuseMark(mark, `checkpoint of group \`${name}\``));
      await track(opening.then((group) => group.checkpoint(toJson(mark, 'checkpoint') as unknown as typeof mark)));
      // Not before what was recorded before it: the process goes on at the same place in each iteration (G6).
      await inbox.wait(markKey(streamOf(name), mark.name));
    };
    const cancel = async (reason = 'cancelled by the process') => {
      wellSaid(() => refuseNoText(reason, `reason to cancel group \`${name}\``));
      await track(opening.then((group) => group.cancel(reason)));
      await inbox.wait(endKey(name));
    };
    return {
      name,
      output: handled(outputOf(name) as Promise<Output>),
      status: () => (inbox.delivered(endKey(name))?.data as unknown as GroupEnd | undefined)?.status ?? 'active',
      send: (event, sendOptions) => handled(send(event, sendOptions)),
      cancel: (reason) => handled(cancel(reason)),
      approve: (gate, answer) => handled(approve(gate, answer)),
      checkpoint: (mark) => handled(checkpoint(mark)),
      settled: () =>
        inbox.settled(name).map(({ data }) => {
          const { member, outcome } = data as unknown as GroupEvents['member.settled'];
          return { member, outcome };
        }),
      checkpoints: {
        async *[Symbol.asyncIterator]() {
          for (let index = 0; ;) {
            for (const list = inbox.checkpoints(name); index < list.length; index += 1)
              yield checkpointOf(list[index] as Entry);
            if (inbox.delivered(endKey(name)) !== undefined) return;
            await inbox.groupMoved(name);
          }
        },
      },
    };
  };

  return { outputOf, handleOf };
}

function checkpointOf(entry: Entry): Checkpoint {
  const { effect: _, ...data } = entry.data as unknown as Omit<Checkpoint, 'seq'> & { readonly effect: string };
  return { ...data, seq: entry.seq };
}
