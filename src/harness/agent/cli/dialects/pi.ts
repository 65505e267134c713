/**
 * `pi -p --mode json`, by 0.73.1: one `agent_end` per automatic retry, of which the last counts; its exit code is 0 whatever
 * happened. Usage comes message by message.
 */
import { classOfFailure, turnFailedWith, wordsOf } from '../../failure.ts';
import { endedWithout, type Dialect } from '../dialect.ts';
import { amount, fields, list, text, type LineObject } from '../line-object.ts';

const textIn = (message: LineObject) =>
  list(message['content'])
    .map((block) => (fields(block)['type'] === 'text' ? text(fields(block)['text']) : ''))
    .join('');

/** Reads pi. */
export const piDialect: Dialect = ({ emit }) => {
  let last: LineObject | undefined;
  let isOver = false;
  let lastText = '';
  return {
    take(line) {
      switch (line['type']) {
        case 'session':
          emit({ type: 'session', id: text(line['id']) });
          break;
        case 'message_end': {
          const message = fields(line['message']);
          if (message['role'] !== 'assistant') break;
          last = message;
          const said = textIn(message);
          if (said !== '') {
            lastText = said;
            emit({ type: 'text', text: said, isDelta: false });
          }
          const usage = fields(message['usage']);
          const tokens = amount(usage['totalTokens']) || amount(usage['input']) + amount(usage['output']);
          const costUsd = amount(fields(usage['cost'])['total']);
          if (tokens > 0 || costUsd > 0) emit({ type: 'usage', tokens, costUsd, isCumulative: false });
          break;
        }
        case 'tool_execution_start':
          emit({
            type: 'tool',
            id: text(line['toolCallId']),
            name: text(line['toolName']),
            status: 'started',
            input: line['args'] ?? null,
          });
          break;
        case 'tool_execution_end':
          emit({
            type: 'tool',
            id: text(line['toolCallId']),
            name: text(line['toolName']),
            status: line['isError'] === true ? 'failed' : 'done',
            output: line['result'] ?? null,
          });
          break;
        case 'auto_retry_start': {
          isOver = false;
          const message = wordsOf(line['errorMessage']) || 'the model failed';
          emit({ type: 'retry', attempt: amount(line['attempt']), class: classOfFailure(message), message });
          break;
        }
        case 'agent_start':
          isOver = false;
          break;
        case 'agent_end':
          isOver = true;
          last =
            list(line['messages'])
              .map(fields)
              .findLast(({ role }) => role === 'assistant') ?? last;
          break;
        default:
      }
    },
    isOver: () => isOver,
    end(exit) {
      if (!isOver || last === undefined || exit.signal !== null) return endedWithout('pi', exit);
      if (last['stopReason'] === 'stop') return { status: 'ok', text: textIn(last) || lastText };
      return turnFailedWith(wordsOf(last['errorMessage']) || `pi stopped: ${text(last['stopReason'])}`);
    },
  };
};
