/** Members that talk: functions over a mailbox. */
import { defineProcess, type Harness, type JsonValue, type Mailbox, type Outcome } from 'troupe';
import { ok } from 'troupe/harness';
import { fanOut } from 'troupe/machines';

/** What a member says and hears. */
export type Talk = (mailbox: Mailbox, member: string, signal: AbortSignal) => Promise<JsonValue>;

/** A harness whose members talk; what it throws is its outcome. */
function talking(talk: Talk): Harness {
  return {
    async perform({ mailbox, member: id, signal }): Promise<Outcome> {
      try {
        return ok(await talk(mailbox, id, signal));
      } catch (error) {
        return ok(error instanceof Error ? error.message : String(error));
      }
    },
  };
}

/** A process whose members talk; its output is theirs, by id. */
export const talkers = (...ids: readonly string[]) =>
  defineProcess('talk', async (ctx) => {
    const { results } = await ctx.group('group', fanOut, { members: ids.map((id) => ({ id, harness: 'talk' })) })
      .output;
    return Object.fromEntries(results.map(({ id, output }) => [id, output]));
  });

/** The stage's harnesses for {@link talkers}. */
export const withTalk = (talk: Talk) => ({ harnesses: { talk: talking(talk) } });
