/**
 * `copilot --output-format json`. Seen on 1.0.102: success is `result.exitCode` 0 and no sign of an interruption before it; on a
 * signal to its group it still prints a result with exit code 0. Its lines tell no tokens.
 */
import { classOfFailure, turnFailedWith, wordsOf } from '../../failure.ts';
import type { TurnEnd } from '../../port.ts';
import { endedWithout, type Dialect } from '../dialect.ts';
import { amount, fields, status, text, type LineObject } from '../line-object.ts';

/** Reads Copilot CLI. */
export const copilotDialect: Dialect = ({ emit }) => {
  let result: LineObject | undefined;
  let isInterrupted = false;
  let lastText = '';
  let hasPieces = false;
  let retries = 0;
  let failure: { readonly words: string; readonly status: number | undefined } | undefined;
  const tools = new Map<string, string>();

  const retry = (data: LineObject) => {
    retries += 1;
    const code = status(data['statusCode']);
    const message =
      wordsOf(data['errorMessage']) || wordsOf(data['message']) || wordsOf(data['error']) || 'the model failed';
    emit({ type: 'retry', attempt: retries, class: classOfFailure(message, code), message });
  };
  return {
    take(line) {
      const data = fields(line['data']);
      switch (line['type']) {
        case 'session.start':
          if (text(data['sessionId']) !== '') emit({ type: 'session', id: text(data['sessionId']) });
          break;
        case 'assistant.message_delta':
          hasPieces = true;
          if (text(data['deltaContent']) !== '')
            emit({ type: 'text', text: text(data['deltaContent']), isDelta: true });
          break;
        case 'assistant.message':
          // The model has answered: what fails from here on is another call.
          retries = 0;
          if (text(data['content']) !== '') {
            lastText = text(data['content']);
            if (!hasPieces) emit({ type: 'text', text: lastText, isDelta: false });
          }
          hasPieces = false;
          break;
        case 'tool.execution_start': {
          const id = text(data['toolCallId']);
          tools.set(id, text(data['toolName']));
          emit({ type: 'tool', id, name: text(data['toolName']), status: 'started', input: data['arguments'] ?? null });
          break;
        }
        case 'tool.execution_complete': {
          const id = text(data['toolCallId']);
          const name = tools.get(id) ?? text(data['toolName']);
          const words = wordsOf(data['error']);
          const state = data['success'] === false ? 'failed' : 'done';
          emit({ type: 'tool', id, name, status: state, output: data['result'] ?? data['error'] ?? null });
          if (state === 'failed' && /denied|permission|not allowed|rejected/i.test(words))
            emit({ type: 'denied', tool: name, message: words });
          break;
        }
        case 'model.call_failure':
        case 'assistant.turn_retry':
          retry(data);
          break;
        case 'session.error':
          failure = { words: wordsOf(data['message']) || text(data['errorType']), status: status(data['statusCode']) };
          break;
        case 'user.message':
        case 'assistant.turn_start':
          // A session that goes on first says how its last turn broke off.
          isInterrupted = false;
          break;
        case 'abort':
        case 'agent.interrupted':
          isInterrupted = true;
          break;
        case 'assistant.idle':
          if (data['aborted'] === true) isInterrupted = true;
          break;
        case 'result':
          result = line;
          break;
        default:
      }
    },
    isOver: () => result !== undefined,
    end(exit): TurnEnd {
      if (isInterrupted || (result === undefined && exit.signal !== null))
        return endedWithout('copilot', { ...exit, signal: exit.signal ?? 'an interruption' });
      if (failure !== undefined) return turnFailedWith(failure.words, failure.status);
      if (result === undefined) return endedWithout('copilot', exit);
      if (amount(result['exitCode']) === 0 && result['exitCode'] === 0) return { status: 'ok', text: lastText };
      return endedWithout('copilot', { ...exit, exitCode: status(result['exitCode']) ?? exit.exitCode });
    },
  };
};
