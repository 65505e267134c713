/**
 * `codex exec --json`. Seen on 0.169.0.
 *
 * - Success is `turn.completed` as the last event about the turn. An item of type `error` is a mere warning.
 * - Its usage counts the whole session, over all its runs.
 */
import { classOfFailure, turnFailedWith, wordsOf } from '../../failure.ts';
import type { AgentEvent } from '../../port.ts';
import { endedWithout, type Dialect } from '../dialect.ts';
import { amount, fields, text, type LineObject } from '../line-object.ts';

/** Without a number where it cannot reach the service at all: then it waits for the network, without end. */
const reconnecting = /^Reconnecting\.\.\.(?: (\d+)\/\d+)?/;

/** Reads Codex. */
export const codexDialect: Dialect = ({ emit }) => {
  let end: 'completed' | 'failed' | undefined;
  let failure = '';
  let lastText = '';
  /** Tries of the call under way, those that it does not count itself included. */
  let tries = 0;

  const item = (line: LineObject, isOver: boolean) => {
    const one = fields(line['item']);
    const id = text(one['id']);
    if (one['type'] !== 'error') tries = 0;
    switch (one['type']) {
      case 'agent_message':
        if (!isOver) return;
        lastText = text(one['text']);
        if (lastText !== '') emit({ type: 'text', text: lastText, isDelta: false });
        return;
      case 'error':
        emit({ type: 'notice', line: text(one['message']) });
        return;
      case 'command_execution':
      case 'mcp_tool_call':
      case 'file_change':
      case 'web_search':
        emit(toolEvent(one, id, isOver));
        if (isOver && one['status'] === 'declined')
          emit({ type: 'denied', tool: text(one['type']), message: text(one['aggregated_output']) || 'declined' });
        return;
      default:
    }
  };
  return {
    take(line) {
      switch (line['type']) {
        case 'thread.started':
          emit({ type: 'session', id: text(line['thread_id']) });
          break;
        case 'turn.started':
          end = undefined;
          break;
        case 'item.started':
          item(line, false);
          break;
        case 'item.completed':
          item(line, true);
          break;
        case 'turn.completed': {
          end = 'completed';
          const usage = fields(line['usage']);
          const tokens = amount(usage['input_tokens']) + amount(usage['output_tokens']);
          if (tokens > 0) emit({ type: 'usage', tokens, isCumulative: true });
          break;
        }
        case 'turn.failed':
          end = 'failed';
          failure = wordsOf(line['error']) || failure;
          break;
        case 'error': {
          const message = wordsOf(line['message']) || wordsOf(line['error']);
          const again = reconnecting.exec(message);
          if (again === null) {
            failure = message;
            break;
          }
          tries = Number(again[1] ?? tries + 1);
          emit({ type: 'retry', attempt: tries, class: classOfFailure(message), message });
          break;
        }
        default:
      }
    },
    isOver: () => end !== undefined,
    end(exit) {
      if (end === 'completed') return { status: 'ok', text: lastText };
      if (end === 'failed') return turnFailedWith(unwrapped(failure) || 'its turn failed');
      return failure === '' ? endedWithout('codex', exit) : turnFailedWith(unwrapped(failure));
    },
  };
};

/** Some failures are the service's whole JSON answer. */
function unwrapped(message: string): string {
  try {
    return message.startsWith('{') ? wordsOf(JSON.parse(message)) : message;
  } catch {
    return message;
  }
}

function toolEvent(item: LineObject, id: string, isOver: boolean): AgentEvent {
  const kind = text(item['type']);
  const name = kind === 'mcp_tool_call' ? `mcp__${text(item['server'])}__${text(item['tool'])}` : kind;
  const input = item['command'] ?? item['arguments'] ?? item['changes'] ?? item['query'] ?? null;
  if (!isOver) return { type: 'tool', id, name, status: 'started', input };
  const code = item['exit_code'];
  const hasFailed =
    item['status'] === 'failed' || item['status'] === 'declined' || (typeof code === 'number' && code !== 0);
  const output = item['aggregated_output'] ?? item['result'] ?? item['error'] ?? null;
  return { type: 'tool', id, name, status: hasFailed ? 'failed' : 'done', input, output };
}
