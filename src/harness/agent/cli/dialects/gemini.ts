/**
 * `gemini -o stream-json`. Seen on 0.61.0: text comes in pieces; its usage is that of one run; success is `result.status`, and
 * a signal ends it with exit code 0 and no result.
 */
import { turnFailedWith, wordsOf } from '../../failure.ts';
import { endedWithout, type Dialect } from '../dialect.ts';
import { amount, fields, text, type LineObject } from '../line-object.ts';

/** Reads Gemini CLI. */
export const geminiDialect: Dialect = ({ emit }) => {
  let result: LineObject | undefined;
  let lastText = '';
  let isNew = true;
  let failure = '';
  const tools = new Map<string, string>();
  return {
    take(line) {
      switch (line['type']) {
        case 'init':
          emit({ type: 'session', id: text(line['session_id']) });
          break;
        case 'message': {
          const piece = text(line['content']);
          if (line['role'] !== 'assistant' || piece === '') break;
          lastText = isNew || line['delta'] !== true ? piece : lastText + piece;
          isNew = false;
          emit({ type: 'text', text: piece, isDelta: line['delta'] === true });
          break;
        }
        case 'tool_use': {
          isNew = true;
          const id = text(line['tool_id']);
          tools.set(id, text(line['tool_name']));
          emit({
            type: 'tool',
            id,
            name: text(line['tool_name']),
            status: 'started',
            input: line['parameters'] ?? null,
          });
          break;
        }
        case 'tool_result': {
          const id = text(line['tool_id']);
          const state = line['status'] === 'success' ? 'done' : 'failed';
          const output = line['output'] ?? line['error'] ?? null;
          emit({ type: 'tool', id, name: tools.get(id) ?? '', status: state, output });
          const words = wordsOf(line['error']) || text(line['output']);
          if (state === 'failed' && /denied by (policy|user)|not allowed|cancelled/i.test(words))
            emit({ type: 'denied', tool: tools.get(id) ?? '', message: words });
          break;
        }
        case 'error':
          failure = wordsOf(line['message']) || wordsOf(line['error']);
          emit({ type: 'notice', line: failure });
          break;
        case 'result': {
          result = line;
          const stats = fields(line['stats']);
          const tokens =
            amount(stats['total_tokens']) || amount(stats['input_tokens']) + amount(stats['output_tokens']);
          if (tokens > 0) emit({ type: 'usage', tokens, isCumulative: false });
          break;
        }
        default:
      }
    },
    isOver: () => result !== undefined,
    end(exit) {
      if (result === undefined) return endedWithout('gemini', exit, failure);
      if (result['status'] === 'success') return { status: 'ok', text: lastText };
      return turnFailedWith(wordsOf(result['error']) || failure || 'its turn failed');
    },
  };
};
