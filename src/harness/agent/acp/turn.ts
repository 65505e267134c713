/** One turn: what is known of it while it runs, and how it ended. */
import { plainError } from '../../plain-error.ts';
import { turnFailed, turnFailedWith } from '../failure.ts';
import { type AgentEvent, AgentFailure, type TurnEnd } from '../port.ts';
import { type Answer, answer, answerMax } from './answer.ts';
import { aborted } from './deadline.ts';
import { AskFailure } from './failure.ts';
import type { AcpHabits, Sign } from './habits.ts';
import { amountOf, type Fields, fieldsOf } from './read.ts';

/** A turn while it runs. */
export interface Turn {
  readonly answer: Answer;
  /** Aborted: somebody cancelled it. */
  readonly cancelling: AbortController;
  /** Resolves when it is. */
  readonly cancelled: Promise<undefined>;
  /** Second prompts that joined it. */
  readonly joined: Promise<unknown>[];
  /** Said to it, and not taken yet: see `AcpHabits.drains`. */
  readonly waiting: { readonly text: string; settle(became: 'injected' | 'refused'): void }[];
  isDenied: boolean;
  /** The agent has said, in its own way, that the turn has failed. */
  failed: Extract<Sign, { readonly type: 'failed' }> | undefined;
  /** Resolves when its prompt has. */
  ended: Promise<unknown>;
}

/** A turn that begins. */
export function newTurn(): Turn {
  const cancelling = new AbortController();
  return {
    answer: answer(),
    cancelling,
    cancelled: aborted(cancelling.signal),
    joined: [],
    waiting: [],
    isDenied: false,
    failed: undefined,
    ended: Promise.resolve(),
  };
}

/** How a turn ended, by the response to its prompt. */
export function endOf(agent: string, response: Fields, turn: Turn, signOfEnd: AcpHabits['signOfEnd']): TurnEnd {
  const { answer: said, isDenied } = turn;
  const reason = response['stopReason'];
  switch (reason) {
    case 'end_turn': {
      const failed = turn.failed ?? signOfEnd?.(response, said.text());
      if (failed !== undefined) return turnFailedWith(failed.message ?? said.text().trim(), failed.status);
      return said.isCut() ? tooLong : { status: 'ok', text: said.text() };
    }
    case 'refusal':
      return turnFailed('REFUSED', `${agent}'s model refused to answer.`);
    case 'cancelled':
      return turnFailed(
        isDenied ? 'PERMISSION' : 'AGENT_FAILED',
        `${agent} ended its turn early${isDenied ? ' when it was denied a tool' : ', and nobody here cancelled it'}.`,
      );
    case 'max_turn_requests':
      return turnFailed('TURNS', `${agent} ended its turn: it made as many requests as it may in one.`);
    case 'max_tokens':
      return turnFailed('AGENT_FAILED', `${agent} ended its turn: its answer has as many tokens as it may have.`);
    default: {
      const said = JSON.stringify(reason) ?? 'none';
      return turnFailed('AGENT_FAILED', `${agent} ended its turn for no known reason: ${said}.`);
    }
  }
}

/** How a turn ended whose prompt was rejected. */
export function failedBy(error: unknown): TurnEnd {
  if (error instanceof AskFailure) return error.end;
  const failureClass = error instanceof AgentFailure ? error.class : 'crashed';
  const { name, message } = plainError(error);
  return { status: 'error', class: failureClass, error: { name, message } };
}

/** What a turn has cost, as its response says. */
export function usageOf(response: Fields, of: 'session' | 'turn'): AgentEvent | undefined {
  const tokens = amountOf(fieldsOf(response['usage'])['totalTokens']);
  if (tokens !== undefined) return { type: 'usage', tokens, isCumulative: of === 'session' };
  // Gemini's own: the tokens of this turn.
  const count = fieldsOf(fieldsOf(fieldsOf(response['_meta'])['quota'])['token_count']);
  const [input, output] = [amountOf(count['input_tokens']), amountOf(count['output_tokens'])];
  if (input === undefined && output === undefined) return undefined;
  return { type: 'usage', tokens: (input ?? 0) + (output ?? 0), isCumulative: false };
}

const tooLong: TurnEnd = {
  status: 'error',
  class: 'invalid-output',
  error: { name: 'AgentError', message: `the agent's answer is longer than ${answerMax} characters.` },
};
