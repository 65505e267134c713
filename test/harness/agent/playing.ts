/** A run of one or more members that a fake agent performs, and what its journal says. */
import { defineProcess, type JsonValue } from 'troupe';
import {
  agentHarness,
  fakeAgent,
  type AgentOptions,
  type FakeAgent,
  type FakeOptions,
  type FakeScript,
} from 'troupe/harness';
import { fanOut } from 'troupe/machines';
import { entriesOf } from '../../support/dying-store.ts';
import { stage, type Stage } from '../../support/running.ts';

type Fields = { readonly [name: string]: JsonValue };

export interface Playing extends Stage {
  readonly agent: FakeAgent;
}

/** Members `a`, `b` … (one for each of `invocations`) of the group `group`. */
export function playing(
  script: FakeScript,
  given: {
    readonly options?: AgentOptions;
    readonly fake?: FakeOptions;
    readonly invocations?: readonly Fields[];
  } = {},
): Playing {
  const { options = {}, fake, invocations = [{}] } = given;
  const members = invocations.map((fields, index) => ({
    id: String.fromCodePoint(97 + index),
    harness: 'agent',
    prompt: 'Do it.',
    ...fields,
  }));
  const process = defineProcess(
    'playing',
    (ctx) => ctx.group('group', fanOut, { members, policy: 'best-effort' }).output,
  );
  const agent = fakeAgent(script, fake);
  const made = stage(process, {});
  const mailbox = options.serveMailbox === undefined ? ({ mailbox: 'none' } as const) : {};
  const harness = agentHarness(agent, { clock: made.clock, env: {}, inheritEnv: false, ...mailbox, ...options });
  return { ...made, options: { harnesses: { agent: harness } }, agent };
}

/** Data of all entries of a type. */
export async function recorded(play: Stage, type: string): Promise<readonly JsonValue[]> {
  return (await entriesOf(play.store)).filter((entry) => entry.type === type).map(({ data }) => data);
}

/** The outcome of the first member that settled. */
export async function outcomeOf(play: Stage): Promise<JsonValue> {
  const [settled] = await recorded(play, 'member.settled');
  return (settled as { readonly outcome: JsonValue }).outcome;
}
