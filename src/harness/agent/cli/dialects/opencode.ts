/**
 * `opencode run --format json`. Seen on 1.18.33: there is no line that ends it. Success is: no `error` line, the last
 * `step_finish` with reason `stop`, and the end of its output. A last reason `tool-calls` is a turn that stopped at a permission
 * nobody gave. Usage comes step by step.
 */
import { turnFailed, turnFailedWith, wordsOf } from '../../failure.ts';
import { endedWithout, type Dialect } from '../dialect.ts';
import { amount, fields, status, text } from '../line-object.ts';

/** Reads OpenCode. */
export const opencodeDialect: Dialect = ({ emit }) => {
  let session = '';
  let reason: string | undefined;
  let lastText = '';
  let failure: { readonly words: string; readonly status: number | undefined } | undefined;
  let denied = '';
  return {
    take(line) {
      const id = text(line['sessionID']);
      if (id !== '' && id !== session) emit({ type: 'session', id });
      session = id || session;
      const part = fields(line['part']);
      switch (line['type']) {
        case 'step_start':
          reason = undefined;
          break;
        case 'text':
          lastText = text(part['text']);
          if (lastText !== '') emit({ type: 'text', text: lastText, isDelta: false });
          break;
        case 'tool_use': {
          const state = fields(part['state']);
          const use = { type: 'tool', id: text(part['callID']), name: text(part['tool']) } as const;
          const hasFailed = state['status'] === 'error';
          const words = wordsOf(state['error']);
          emit({ ...use, status: 'started', input: state['input'] ?? null });
          emit({ ...use, status: hasFailed ? 'failed' : 'done', output: state['output'] ?? state['error'] ?? null });
          if (!hasFailed || !/permission|reject|denied/i.test(words)) break;
          denied = words;
          emit({ type: 'denied', tool: use.name, message: words });
          break;
        }
        case 'step_finish': {
          reason = text(part['reason']);
          const tokens = fields(part['tokens']);
          const cache = fields(tokens['cache']);
          const own = amount(tokens['input']) + amount(tokens['output']) + amount(tokens['reasoning']);
          const all = own + amount(cache['read']) + amount(cache['write']);
          const costUsd = amount(part['cost']);
          if (all > 0 || costUsd > 0) emit({ type: 'usage', tokens: all, costUsd, isCumulative: false });
          break;
        }
        case 'error': {
          const error = fields(line['error']);
          const code = status(fields(error['data'])['statusCode']);
          failure = { words: wordsOf(line['error']) || 'it says no more', status: code };
          break;
        }
        default:
      }
    },
    isOver: () => failure !== undefined || reason === 'stop',
    end(exit) {
      if (failure !== undefined) return turnFailedWith(failure.words, failure.status);
      if (exit.signal !== null || reason === undefined) return endedWithout('opencode', exit);
      if (reason === 'stop') return { status: 'ok', text: lastText };
      if (reason === 'tool-calls')
        return turnFailed(
          'PERMISSION',
          `opencode stopped at something it may not do: ${denied || 'it does not say what'}`,
        );
      return turnFailedWith(`opencode stopped: ${reason}`);
    },
  };
};
