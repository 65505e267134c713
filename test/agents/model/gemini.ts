/** Gemini: `POST …/models/<model>:streamGenerateContent?alt=sse` and `:generateContent`. */
import { listOf, objectOf, textOf, type Answer, type JsonObject, type Said, type Wire } from './question.ts';

/** The format. */
export const gemini: Wire = {
  name: 'gemini',

  readQuestion(body, path) {
    const { responseJsonSchema, responseSchema } = objectOf(body['generationConfig']);
    const schema = responseJsonSchema ?? responseSchema;
    return {
      wire: 'gemini',
      model: /models\/([^/:]+)/.exec(path)?.[1] ?? '',
      isStream: path.includes(':streamGenerateContent'),
      said: listOf(body['contents']).flatMap((content) => saidIn(objectOf(content))),
      tools: listOf(body['tools']).flatMap((tool) =>
        listOf(objectOf(tool)['functionDeclarations']).map((one) => ({ name: textOf(objectOf(one)['name']) })),
      ),
      ...(schema === undefined ? {} : { schema }),
    };
  },

  frames(answer) {
    const { pieces, everyMs, call } = answer;
    return [
      ...pieces.map((text) => ({ data: chunk(answer, [{ text }]), afterMs: everyMs })),
      ...(call === undefined ? [] : [{ data: chunk(answer, [callPart(call)]) }]),
      { data: chunk(answer, [{ text: '' }], 'STOP') },
    ];
  },

  body(answer) {
    const { pieces, call } = answer;
    const text = pieces.length === 0 ? [] : [{ text: pieces.join('') }];
    return chunk(answer, [...text, ...(call === undefined ? [] : [callPart(call)])], 'STOP');
  },

  errorBody(status, message) {
    return { error: { code: status, message, status: errorNames[status] ?? 'INTERNAL' } };
  },
};

const errorNames: Readonly<Record<number, string>> = {
  400: 'INVALID_ARGUMENT',
  401: 'UNAUTHENTICATED',
  403: 'PERMISSION_DENIED',
  404: 'NOT_FOUND',
  429: 'RESOURCE_EXHAUSTED',
  503: 'UNAVAILABLE',
  529: 'UNAVAILABLE',
};

function callPart({ id, tool, args }: NonNullable<Answer['call']>): JsonObject {
  return { functionCall: { id, name: tool.name, args } };
}

function chunk({ id, model, usage }: Answer, parts: readonly JsonObject[], finish?: string): JsonObject {
  return {
    candidates: [
      { content: { role: 'model', parts }, index: 0, ...(finish === undefined ? {} : { finishReason: finish }) },
    ],
    usageMetadata: {
      promptTokenCount: usage.in,
      candidatesTokenCount: usage.out,
      totalTokenCount: usage.in + usage.out,
    },
    modelVersion: model,
    responseId: id,
  };
}

function saidIn({ role, parts }: JsonObject): readonly Said[] {
  const type = role === 'model' ? 'assistant' : 'user';
  return listOf(parts).flatMap((part): readonly Said[] => {
    const { text, functionCall, functionResponse } = objectOf(part);
    if (functionCall !== undefined) {
      const { id, name } = objectOf(functionCall);
      return [{ type: 'call', id: textOf(id), tool: textOf(name) }];
    }
    if (functionResponse !== undefined) {
      const { id, response } = objectOf(functionResponse);
      return [{ type: 'result', id: textOf(id), text: textOf(response) }];
    }
    return text === undefined ? [] : [{ type, text: textOf(text) }];
  });
}
