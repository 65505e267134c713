/**
 * A council of three vendors: Claude Code, Codex and Gemini CLI look at the same question in the same folder, at the same time. They
 * tell each other what they find, mark how far they are, and each ends with a verdict of its own. One that dies is taken up again in
 * its session; one whose vendor is overloaded, or refuses its key, is replaced by the next; and when this host dies, the same
 * command goes on where it was.
 *
 *     npx troupe run machines/examples/agent-council.process.ts --run-id council --input '{"question":"What is the riskiest part of this code?"}'
 *     npx troupe send council council codex "look at the locks too"      (in another terminal)
 *
 * The three have to be installed and logged in (`npx troupe harnesses` says what is there). They may look around and use the tools of
 * their group, and nothing else.
 */
import { defineProcess, type Harnesses } from 'troupe';
import { cli } from 'troupe/harness';
import { fanOut } from 'troupe/machines';

/** Input of a run; every field has a default. */
interface Input {
  readonly question?: string;
  /** What a seat is told instead of the question, by its name. */
  readonly prompts?: Readonly<Record<string, string>>;
}

const seats = ['claude', 'codex', 'gemini'] as const;

/** Who performs the members: a council without its mailbox would be none. */
export const harnesses: Harnesses = Object.fromEntries(
  seats.map((seat) => [seat, cli(seat, { capabilities: ['code-review'], mailbox: 'required' })]),
);

const briefOf = (question: string) => `${question}

You sit in a council with agents of other vendors, who look at the same question in the same folder. Do not change anything.
1. Look for yourself first.
2. Tell all others what you have found with group_send (to "*", type "finding"), with files and lines.
3. Wait for their findings with group_inbox, for two minutes at most. Look at what they say for yourself: they may be wrong.
4. Call group_checkpoint with the name "heard the others".
5. End with your verdict: what you are sure of, what you have changed your mind on, and what is still open.`;

/** Output: each seat's verdict, and who could not give one. */
export default defineProcess('agent-council', async (ctx, input: Input | null) => {
  const brief = briefOf(input?.question ?? 'What are the three most important problems of this code?');
  const council = ctx.group('council', fanOut, {
    members: seats.map((seat) => ({
      id: seat,
      harness: seat,
      prompt: input?.prompts?.[seat] ?? brief,
      timeoutMs: 900_000,
      retry: { attempts: 5, minMs: 200 },
      fallback: { overloaded: seats.filter((other) => other !== seat), auth: seats.filter((other) => other !== seat) },
    })),
    concurrency: seats.length,
    checkpointEvery: 1,
  });
  const { results, failed } = await council.output;
  return {
    verdicts: Object.fromEntries(results.map(({ id, output }) => [id, output])),
    failed: failed.map(({ id, error }) => ({ id, why: error.message })),
  };
});
