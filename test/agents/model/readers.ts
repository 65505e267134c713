/**
 * How clients of the four wire formats read an answer, written from the vendors' documents and sharing nothing with the
 * model: each throws when the stream is not as the documents say.
 */
import assert from 'node:assert/strict';

/** What a client has understood. */
export interface Understood {
  readonly text: string;
  readonly calls: readonly { readonly id: string; readonly name: string; readonly args: unknown }[];
  readonly tokens: { readonly in: number; readonly out: number };
  /** Why it ended, in the format's own word. */
  readonly end: string;
}

/** One event of a stream, by the rules of server-sent events. */
export interface ServerEvent {
  readonly event: string;
  readonly data: string;
}

/** Events of a stream; a last one that was not ended by an empty line does not count. */
export function eventsIn(stream: string): readonly ServerEvent[] {
  const events: ServerEvent[] = [];
  let event = '';
  let data: string[] = [];
  for (const line of stream.split(/\r\n|\n|\r/).slice(0, -1)) {
    if (line === '') {
      if (data.length > 0) events.push({ event, data: data.join('\n') });
      event = '';
      data = [];
    } else if (!line.startsWith(':')) {
      const [, field = '', value = ''] = /^([^:]*):? ?(.*)$/s.exec(line) ?? [];
      if (field === 'event') event = value;
      if (field === 'data') data.push(value);
    }
  }
  return events;
}

// oxlint-disable-next-line typescript/no-explicit-any -- a client reads what comes; every value is asserted on
type Json = any;

const parse = (text: string): Json => JSON.parse(text) as Json;

/** A reader of one format. */
export interface Reader {
  stream(text: string): Understood;
  whole(text: string): Understood;
}

const anthropicWhole = (message: Json): Understood => {
  assert.equal(message.type, 'message');
  assert.equal(message.role, 'assistant');
  return {
    text: message.content.flatMap((block: Json) => (block.type === 'text' ? [block.text] : [])).join(''),
    calls: message.content.flatMap((block: Json) =>
      block.type === 'tool_use' ? [{ id: block.id, name: block.name, args: block.input }] : [],
    ),
    tokens: { in: message.usage.input_tokens, out: message.usage.output_tokens },
    end: message.stop_reason,
  };
};

const anthropic: Reader = {
  whole: (text) => anthropicWhole(parse(text)),
  stream(text) {
    const events = eventsIn(text);
    let message: Json;
    let open = -1;
    let json = '';
    for (const { event, data } of events) {
      const one = parse(data);
      assert.equal(one.type, event, 'the event has the name of its type');
      if (event === 'message_start') {
        assert.equal(message, undefined);
        message = structuredClone(one.message);
        assert.deepEqual(message.content, []);
      } else if (event === 'content_block_start') {
        assert.equal(open, -1, 'blocks do not overlap');
        assert.equal(one.index, message.content.length);
        open = one.index;
        json = '';
        message.content.push(one.content_block);
      } else if (event === 'content_block_delta') {
        assert.equal(one.index, open);
        if (one.delta.type === 'text_delta') message.content[open].text += one.delta.text;
        else json += one.delta.partial_json;
      } else if (event === 'content_block_stop') {
        assert.equal(one.index, open);
        if (message.content[open].type === 'tool_use') message.content[open].input = parse(json);
        open = -1;
      } else if (event === 'message_delta') {
        assert.equal(open, -1);
        Object.assign(message, one.delta);
        Object.assign(message.usage, one.usage);
      } else assert.equal(event, 'message_stop');
    }
    assert.equal(events.at(-1)?.event, 'message_stop');
    return anthropicWhole(message);
  },
};

const chatOf = (message: Json, finish: string, usage: Json): Understood => ({
  text: message.content ?? '',
  calls: (message.tool_calls ?? []).map((call: Json) => {
    assert.equal(call.type, 'function');
    return { id: call.id, name: call.function.name, args: parse(call.function.arguments) };
  }),
  tokens: { in: usage.prompt_tokens, out: usage.completion_tokens },
  end: finish,
});

const chat: Reader = {
  whole(text) {
    const body = parse(text);
    assert.equal(body.object, 'chat.completion');
    return chatOf(body.choices[0].message, body.choices[0].finish_reason, body.usage);
  },
  stream(text) {
    const events = eventsIn(text);
    assert.equal(events.at(-1)?.data, '[DONE]');
    const message: Json = { content: '', tool_calls: [] };
    let finish = '';
    let usage: Json;
    for (const { data } of events.slice(0, -1)) {
      const one = parse(data);
      assert.equal(one.object, 'chat.completion.chunk');
      usage = one.usage ?? usage;
      const [choice] = one.choices;
      if (choice === undefined) continue;
      assert.equal(finish, '', 'nothing comes after the finish');
      message.content += choice.delta.content ?? '';
      for (const { index, ...call } of choice.delta.tool_calls ?? []) {
        if (message.tool_calls[index] === undefined) message.tool_calls[index] = call;
        else message.tool_calls[index].function.arguments += call.function.arguments;
      }
      finish = choice.finish_reason ?? finish;
    }
    return chatOf(message, finish, usage);
  },
};

const responsesWhole = (response: Json): Understood => {
  assert.equal(response.object, 'response');
  return {
    text: response.output
      .flatMap((item: Json) => (item.type === 'message' ? item.content.map((part: Json) => part.text) : []))
      .join(''),
    calls: response.output.flatMap((item: Json) => {
      if (item.type === 'tool_search_call') return [{ id: item.call_id, name: 'tool_search', args: item.arguments }];
      if (item.type !== 'function_call') return [];
      const name = item.namespace === undefined ? item.name : `${item.namespace}.${item.name}`;
      return [{ id: item.call_id, name, args: parse(item.arguments) }];
    }),
    tokens: { in: response.usage.input_tokens, out: response.usage.output_tokens },
    end: response.status,
  };
};

const responses: Reader = {
  whole: (text) => responsesWhole(parse(text)),
  stream(text) {
    const events = eventsIn(text).map(({ event, data }) => {
      const one = parse(data);
      assert.equal(one.type, event);
      return one;
    });
    events.forEach((one, index) => assert.equal(one.sequence_number, index));
    assert.equal(events[0].type, 'response.created');
    assert.deepEqual(events[0].response.output, []);
    const done: Json[] = [];
    let deltas = '';
    for (const one of events) {
      if (one.type === 'response.output_item.added') {
        assert.equal(one.output_index, done.length);
        assert.equal(one.item.status, 'in_progress');
        deltas = '';
      }
      if ((one.type as string).endsWith('delta')) deltas += one.delta;
      if (one.type === 'response.output_text.done') assert.equal(one.text, deltas);
      if (one.type === 'response.function_call_arguments.done') assert.equal(one.arguments, deltas);
      if (one.type === 'response.output_item.done') done.push(one.item);
    }
    const last = events.at(-1);
    assert.equal(last.type, 'response.completed');
    assert.deepEqual(last.response.output, done, 'the whole is what was streamed');
    return responsesWhole(last.response);
  },
};

const geminiOf = (chunks: readonly Json[]): Understood => {
  const parts = chunks.flatMap((chunk) => chunk.candidates[0].content.parts);
  const last = chunks.at(-1);
  return {
    text: parts.map((part) => part.text ?? '').join(''),
    calls: parts.flatMap(({ functionCall: call }) => (call ? [{ id: call.id, name: call.name, args: call.args }] : [])),
    tokens: { in: last.usageMetadata.promptTokenCount, out: last.usageMetadata.candidatesTokenCount },
    end: last.candidates[0].finishReason,
  };
};

const gemini: Reader = {
  whole: (text) => geminiOf([parse(text)]),
  stream(text) {
    const chunks = eventsIn(text).map(({ data }) => parse(data));
    for (const chunk of chunks.slice(0, -1)) assert.equal(chunk.candidates[0].finishReason, undefined);
    return geminiOf(chunks);
  },
};

/** Readers by format. */
export const readers = { anthropic, chat, responses, gemini } as const;
