/** OpenAI Responses: `POST …/responses`, streamed and not; tools may stand in namespaces, or be found by `tool_search`. */
import type { JsonValue } from '../../../src/json.ts';
import { halves } from './anthropic.ts';
import { openAiError } from './chat.ts';
import {
  listOf,
  objectOf,
  textOf,
  type Answer,
  type Frame,
  type JsonObject,
  type OfferedTool,
  type Said,
  type Wire,
} from './question.ts';

/** The format. */
export const responses: Wire = {
  name: 'responses',

  readQuestion(body) {
    const { input } = body;
    const items: readonly JsonValue[] =
      typeof input === 'string' ? [{ type: 'message', role: 'user', content: input }] : listOf(input);
    // Tools that a search has found are offered from then on.
    const found = items.flatMap((item) => {
      const one = objectOf(item);
      return one['type'] === 'tool_search_output' ? listOf(one['tools']) : [];
    });
    return {
      wire: 'responses',
      model: textOf(body['model']),
      isStream: body['stream'] === true,
      said: items.flatMap((item) => saidIn(objectOf(item))),
      tools: [...listOf(body['tools']), ...found].flatMap((tool) => toolsIn(objectOf(tool))),
    };
  },

  frames(answer) {
    const frames: Frame[] = [];
    const push = (type: string, data: JsonObject, afterMs?: number) =>
      frames.push({
        event: type,
        data: { type, sequence_number: frames.length, ...data },
        ...(afterMs === undefined ? {} : { afterMs }),
      });
    const opened = { ...this.body(answer), status: 'in_progress', output: [], usage: null };
    push('response.created', { response: opened });
    push('response.in_progress', { response: opened });
    const items = outputOf(answer);
    for (const [output_index, item] of items.entries()) {
      const at = { item_id: textOf(item['id']), output_index };
      const isText = item['type'] === 'message';
      const begun = { ...item, status: 'in_progress', ...(isText ? { content: [] } : {}) };
      push('response.output_item.added', {
        output_index,
        item:
          item['arguments'] === undefined || isText
            ? begun
            : { ...begun, arguments: item['type'] === 'tool_search_call' ? item['arguments'] : '' },
      });
      if (isText) {
        const text = answer.pieces.join('');
        push('response.content_part.added', { ...at, content_index: 0, part: textPart('') });
        for (const delta of answer.pieces)
          push('response.output_text.delta', { ...at, content_index: 0, delta, logprobs: [] }, answer.everyMs);
        push('response.output_text.done', { ...at, content_index: 0, text, logprobs: [] });
        push('response.content_part.done', { ...at, content_index: 0, part: textPart(text) });
      } else if (item['type'] === 'function_call') {
        const text = textOf(item['arguments']);
        for (const delta of halves(text)) push('response.function_call_arguments.delta', { ...at, delta });
        push('response.function_call_arguments.done', { ...at, arguments: text, name: textOf(item['name']) });
      }
      push('response.output_item.done', { output_index, item });
    }
    push('response.completed', { response: this.body(answer) });
    return frames;
  },

  body(answer) {
    const { id, model, usage } = answer;
    return {
      id: `resp_${id}`,
      object: 'response',
      created_at: 1_700_000_000,
      status: 'completed',
      error: null,
      incomplete_details: null,
      model,
      output: outputOf(answer),
      parallel_tool_calls: false,
      tool_choice: 'auto',
      tools: [],
      usage: {
        input_tokens: usage.in,
        input_tokens_details: { cached_tokens: 0 },
        output_tokens: usage.out,
        output_tokens_details: { reasoning_tokens: 0 },
        total_tokens: usage.in + usage.out,
      },
    };
  },

  errorBody: openAiError,
};

function textPart(text: string): JsonObject {
  return { type: 'output_text', text, annotations: [], logprobs: [] };
}

function outputOf({ id, pieces, call }: Answer): readonly JsonObject[] {
  const status = 'completed';
  const items: JsonObject[] = [];
  if (pieces.length > 0) {
    const content = [textPart(pieces.join(''))];
    items.push({ id: `msg_${id}`, type: 'message', role: 'assistant', status, content });
  }
  if (call !== undefined) {
    const { name, namespace } = call.tool;
    const item =
      name === 'tool_search'
        ? { id: `ts_${id}`, type: 'tool_search_call', execution: 'client', arguments: call.args }
        : {
            id: `fc_${id}`,
            type: 'function_call',
            name,
            ...(namespace === undefined ? {} : { namespace }),
            arguments: JSON.stringify(call.args),
          };
    items.push({ ...item, call_id: call.id, status });
  }
  return items;
}

function toolsIn(tool: JsonObject): readonly OfferedTool[] {
  if (tool['type'] === 'tool_search') return [{ name: 'tool_search' }];
  const name = textOf(tool['name']);
  if (tool['type'] !== 'namespace') return name === '' ? [] : [{ name }];
  return listOf(tool['tools']).map((one) => ({ name: textOf(objectOf(one)['name']), namespace: name }));
}

function saidIn(item: JsonObject): readonly Said[] {
  const kind = item['type'] ?? 'message';
  const id = textOf(item['call_id']);
  switch (kind) {
    case 'message': {
      const { role } = item;
      const type = role === 'assistant' ? 'assistant' : role === 'user' ? 'user' : 'system';
      return textsIn(item['content']).map((text) => ({ type, text }));
    }
    case 'function_call':
    case 'custom_tool_call':
      return [{ type: 'call', id, tool: textOf(item['name']) }];
    case 'tool_search_call':
      return [{ type: 'call', id, tool: 'tool_search' }];
    case 'function_call_output':
    case 'custom_tool_call_output':
      return [{ type: 'result', id, text: textsIn(item['output']).join('\n') }];
    case 'tool_search_output':
      return [{ type: 'result', id, text: '' }];
    default:
      return [];
  }
}

function textsIn(content: JsonValue | undefined): readonly string[] {
  if (!Array.isArray(content)) return content === undefined ? [] : [textOf(content)];
  return listOf(content).flatMap((part) => {
    const { text } = objectOf(part);
    return text === undefined ? [] : [textOf(text)];
  });
}
