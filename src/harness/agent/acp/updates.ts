/** From a `session/update` to the common events. What is not known is left out: agents send kinds of their own. */
import { plainLine } from '../../program/last-line.ts';
import type { AgentEvent } from '../port.ts';
import type { Answer } from './answer.ts';
import { amountOf, type Fields, fieldsOf, textOf } from './read.ts';
import type { Tools } from './tools.ts';

/** What an update changes besides what it tells. */
export interface UpdateState {
  readonly tools: Tools;
  /** Of the running turn; undefined between turns. */
  readonly answer: Answer | undefined;
}

/** The events that an update amounts to. */
export function eventsOf(update: Fields, { tools, answer }: UpdateState): readonly AgentEvent[] {
  switch (update['sessionUpdate']) {
    case 'agent_message_chunk': {
      const text = textOf(fieldsOf(update['content'])['text']);
      if (text === undefined) return [];
      return [answer?.take(text, textOf(update['messageId'])) ?? { type: 'text', text, isDelta: false }];
    }
    case 'tool_call':
    case 'tool_call_update':
      answer?.cut();
      return tools.take(update);
    case 'usage_update':
      return costOf(fieldsOf(update['cost']));
    case 'notice':
      return noticeOf(textOf(update['title']), textOf(update['description']));
    case 'compaction_update':
      return [{ type: 'notice', line: 'the agent shortens its context' }];
    default:
      return [];
  }
}

/** ACP's cost is the session's, added up. In another currency it cannot be compared with a budget. */
function costOf(cost: Fields): readonly AgentEvent[] {
  const costUsd = amountOf(cost['amount']);
  if (costUsd === undefined || cost['currency'] !== 'USD') return [];
  return [{ type: 'usage', costUsd, isCumulative: true }];
}

function noticeOf(title: string | undefined, description: string | undefined): readonly AgentEvent[] {
  const line = plainLine([title, description].filter((part) => part !== undefined).join(': '));
  return line === '' ? [] : [{ type: 'notice', line }];
}
