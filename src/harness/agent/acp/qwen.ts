/** What is Qwen Code's own (0.24): tokens stand beside pieces of text, for each call of the model. */
import type { Sign } from './habits.ts';
import { amountOf, type Fields, fieldsOf } from './read.ts';

/** What a call of the model has spent. */
export function qwenUsage(update: Fields): Sign | undefined {
  const tokens = amountOf(fieldsOf(fieldsOf(update['_meta'])['usage'])['totalTokens']);
  return tokens === undefined ? undefined : { type: 'usage', tokens, isCumulative: false };
}
