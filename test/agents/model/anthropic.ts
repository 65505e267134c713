/** Anthropic Messages: `POST /v1/messages`, streamed and not. */
import type { JsonValue } from '../../../src/json.ts';
import {
  listOf,
  objectOf,
  textOf,
  type Answer,
  type Frame,
  type JsonObject,
  type Said,
  type Wire,
} from './question.ts';

/** The format. */
export const anthropic: Wire = {
  name: 'anthropic',

  readQuestion(body) {
    return {
      wire: 'anthropic',
      model: textOf(body['model']),
      isStream: body['stream'] === true,
      said: listOf(body['messages']).flatMap((message) => saidIn(objectOf(message))),
      tools: listOf(body['tools']).map((tool) => ({ name: textOf(objectOf(tool)['name']) })),
    };
  },

  frames(answer) {
    const { everyMs, pieces, call, usage } = answer;
    const frame = (data: JsonObject, afterMs?: number): Frame => ({
      event: textOf(data['type']),
      data,
      ...(afterMs === undefined ? {} : { afterMs }),
    });
    const start = { ...this.body(answer), content: [], stop_reason: null };
    const frames: Frame[] = [
      frame({ type: 'message_start', message: { ...start, usage: { ...usageOf(answer), output_tokens: 1 } } }),
    ];
    let index = 0;
    if (pieces.length > 0) {
      frames.push(frame({ type: 'content_block_start', index, content_block: { type: 'text', text: '' } }));
      for (const text of pieces)
        frames.push(frame({ type: 'content_block_delta', index, delta: { type: 'text_delta', text } }, everyMs));
      frames.push(frame({ type: 'content_block_stop', index }));
      index += 1;
    }
    if (call !== undefined) {
      const block = { type: 'tool_use', id: call.id, name: call.tool.name, input: {} };
      frames.push(frame({ type: 'content_block_start', index, content_block: block }));
      for (const part of halves(JSON.stringify(call.args)))
        frames.push(
          frame({ type: 'content_block_delta', index, delta: { type: 'input_json_delta', partial_json: part } }),
        );
      frames.push(frame({ type: 'content_block_stop', index }));
    }
    const delta = { stop_reason: call === undefined ? 'end_turn' : 'tool_use', stop_sequence: null };
    frames.push(
      frame({ type: 'message_delta', delta, usage: { output_tokens: usage.out } }),
      frame({ type: 'message_stop' }),
    );
    return frames;
  },

  body(answer) {
    const { id, model, pieces, call } = answer;
    return {
      id: `msg_${id}`,
      type: 'message',
      role: 'assistant',
      model,
      content: [
        ...(pieces.length === 0 ? [] : [{ type: 'text', text: pieces.join('') }]),
        ...(call === undefined ? [] : [{ type: 'tool_use', id: call.id, name: call.tool.name, input: call.args }]),
      ],
      stop_reason: call === undefined ? 'end_turn' : 'tool_use',
      stop_sequence: null,
      usage: usageOf(answer),
    };
  },

  errorBody(status, message) {
    return { type: 'error', error: { type: errorTypes[status] ?? 'api_error', message } };
  },
};

const errorTypes: Readonly<Record<number, string>> = {
  400: 'invalid_request_error',
  401: 'authentication_error',
  403: 'permission_error',
  404: 'not_found_error',
  429: 'rate_limit_error',
  529: 'overloaded_error',
};

/** A text in two parts, so that whoever reads has to put them together. */
export function halves(text: string): readonly string[] {
  const middle = Math.ceil(text.length / 2);
  return [text.slice(0, middle), text.slice(middle)].filter((part) => part !== '');
}

function usageOf({ usage }: Answer): JsonObject {
  return {
    input_tokens: usage.in,
    output_tokens: usage.out,
    cache_creation_input_tokens: 0,
    cache_read_input_tokens: 0,
  };
}

function saidIn({ role, content }: JsonObject): readonly Said[] {
  const type = role === 'assistant' ? 'assistant' : role === 'system' ? 'system' : 'user';
  if (typeof content === 'string') return [{ type, text: content }];
  return listOf(content).flatMap((block): readonly Said[] => {
    const one = objectOf(block);
    if (one['type'] === 'text') return [{ type, text: textOf(one['text']) }];
    if (one['type'] === 'tool_use') return [{ type: 'call', id: textOf(one['id']), tool: textOf(one['name']) }];
    if (one['type'] !== 'tool_result') return [];
    return [{ type: 'result', id: textOf(one['tool_use_id']), text: resultText(one['content']) }];
  });
}

function resultText(content: JsonValue | undefined): string {
  if (!Array.isArray(content)) return textOf(content);
  return listOf(content)
    .map((part) => textOf(objectOf(part)['text'] ?? part))
    .join('\n');
}
