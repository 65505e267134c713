/** OpenAI Chat Completions: `POST …/chat/completions`, streamed and not. */
import type { JsonValue } from '../../../src/json.ts';
import { halves } from './anthropic.ts';
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
export const chat: Wire = {
  name: 'chat',

  readQuestion(body) {
    return {
      wire: 'chat',
      model: textOf(body['model']),
      isStream: body['stream'] === true,
      said: listOf(body['messages']).flatMap((message) => saidIn(objectOf(message))),
      tools: listOf(body['tools']).map((tool) => ({ name: textOf(objectOf(objectOf(tool)['function'])['name']) })),
    };
  },

  frames(answer) {
    const { pieces, everyMs, call } = answer;
    const chunk = (delta: JsonObject, finish: string | null = null): JsonObject => ({
      ...head(answer, 'chat.completion.chunk'),
      choices: [{ index: 0, delta, logprobs: null, finish_reason: finish }],
    });
    const frames: Frame[] = [{ data: chunk({ role: 'assistant', content: '' }) }];
    for (const content of pieces) frames.push({ data: chunk({ content }), afterMs: everyMs });
    if (call !== undefined) {
      const first = { index: 0, id: call.id, type: 'function', function: { name: call.tool.name, arguments: '' } };
      frames.push({ data: chunk({ tool_calls: [first] }) });
      for (const part of halves(JSON.stringify(call.args)))
        frames.push({ data: chunk({ tool_calls: [{ index: 0, function: { arguments: part } }] }) });
    }
    frames.push(
      { data: chunk({}, call === undefined ? 'stop' : 'tool_calls') },
      { data: { ...head(answer, 'chat.completion.chunk'), choices: [], usage: usageOf(answer) } },
    );
    return frames;
  },

  streamEnd: '[DONE]',

  body(answer) {
    const { pieces, call } = answer;
    const args = call === undefined ? '' : JSON.stringify(call.args);
    const calls =
      call === undefined
        ? {}
        : { tool_calls: [{ id: call.id, type: 'function', function: { name: call.tool.name, arguments: args } }] };
    const message = { role: 'assistant', content: pieces.length === 0 ? null : pieces.join(''), ...calls };
    return {
      ...head(answer, 'chat.completion'),
      choices: [{ index: 0, message, logprobs: null, finish_reason: call === undefined ? 'stop' : 'tool_calls' }],
      usage: usageOf(answer),
    };
  },

  errorBody: openAiError,
};

/** A refusal in OpenAI's form. */
export function openAiError(status: number, message: string): JsonObject {
  const type = status === 401 ? 'invalid_request_error' : status === 429 ? 'rate_limit_error' : 'server_error';
  return { error: { message, type, param: null, code: status === 401 ? 'invalid_api_key' : null } };
}

function head({ id, model }: Answer, object: string): JsonObject {
  return { id: `chatcmpl-${id}`, object, created: 1_700_000_000, model };
}

function usageOf({ usage }: Answer): JsonObject {
  return { prompt_tokens: usage.in, completion_tokens: usage.out, total_tokens: usage.in + usage.out };
}

function saidIn({ role, content, tool_calls: calls, tool_call_id: id }: JsonObject): readonly Said[] {
  const texts = contentTexts(content);
  if (role === 'tool') return [{ type: 'result', id: textOf(id), text: texts.join('\n') }];
  const type = role === 'assistant' ? 'assistant' : role === 'user' ? 'user' : 'system';
  return [
    ...texts.map((text) => ({ type, text }) as const),
    ...listOf(calls).map((call) => {
      const one = objectOf(call);
      return { type: 'call', id: textOf(one['id']), tool: textOf(objectOf(one['function'])['name']) } as const;
    }),
  ];
}

function contentTexts(content: JsonValue | undefined): readonly string[] {
  if (typeof content === 'string') return [content];
  return listOf(content).flatMap((part) => {
    const { text } = objectOf(part);
    return text === undefined ? [] : [textOf(text)];
  });
}
