/** The mock model keeps the vendors' formats, and does what its script says. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ask, formats, post, type Item } from './client.ts';
import { eventsIn } from './readers.ts';
import { scripted, scriptIn } from './script.ts';
import { startModel, type Model } from './server.ts';

let model: Model;
beforeAll(async () => {
  model = await startModel();
});
afterAll(() => model.close());

const user = (...steps: Parameters<typeof scripted>[0]): Item => ({ user: scripted(steps) });
const lastRequest = () => model.requests.at(-1);

/** A text with everything that is easily lost on the way. */
const hard = 'Grüße 👩‍🚀 "quoted" \\ \n\t\u2028 [x] {y}';

describe.each(formats)('%s', (format) => {
  describe.each([true, false])('streamed: %s', (isStream) => {
    test('a text arrives whole, with what it cost', async () => {
      const asked = { items: [user({ text: hard, usage: { in: 7, out: 3 } })], isStream };
      const { text, calls, tokens, end } = await ask(model.url, format, asked);
      expect({ text, calls, tokens }).toEqual({ text: hard, calls: [], tokens: { in: 7, out: 3 } });
      expect(end).toMatch(/^(end_turn|stop|completed|STOP)$/);
      expect(lastRequest()).toMatchObject({ wire: format, step: 0, answer: 'text', isSide: false, isStream, key: 'k' });
    });

    test('a tool is called by the name under which it is offered, with its arguments', async () => {
      const args = { to: 'bob', body: { note: hard, list: [1, null, true] } };
      const { calls, text } = await ask(model.url, format, {
        items: [user({ tool: 'nowhere|group_send', args, text: 'Sends.' })],
        isStream,
      });
      expect(text).toBe('Sends.');
      const name = format === 'responses' ? 'mcp__group.group_send' : 'mcp__group__group_send';
      expect(calls).toEqual([{ id: expect.stringMatching(/^call_/) as string, name, args }]);
    });
  });

  test('each result is one step further; past the end the last step is done again', async () => {
    const script = user({ tool: 'shell', args: { n: 1 } }, { tool: 'shell', args: { n: 2 } }, { text: 'done' });
    const items: Item[] = [script];
    const seen: unknown[] = [];
    for (let turn = 0; turn < 4; turn += 1) {
      const { calls, text } = await ask(model.url, format, { items });
      seen.push(calls[0]?.args ?? text);
      const id = calls[0]?.id ?? `extra-${turn}`;
      items.push({ call: 'shell', id }, { result: `result ${turn}`, id });
    }
    expect(seen).toEqual([{ n: 1 }, { n: 2 }, 'done', 'done']);
  });

  test('a step with `until` is done again until the text has come, or often enough', async () => {
    const step = { tool: 'shell', args: {}, until: ['apples', 'pears'], max: 3 };
    const after = async (...results: readonly string[]) => {
      const items = results.flatMap((result, index): Item[] => [
        { call: 'shell', id: `${index}` },
        { result, id: `${index}` },
      ]);
      return (await ask(model.url, format, { items: [user(step, { text: 'enough' }), ...items] })).text;
    };
    expect(await after('apples')).toBe('');
    expect(await after('apples', 'nothing')).toBe('');
    expect(await after('apples', 'pears')).toBe('enough');
    expect(await after('pears and apples')).toBe('enough');
    expect(await after('no', 'no', 'no')).toBe('enough');
    // What has come before is not waited for.
    const items: Item[] = [
      user({ tool: 'shell' }, step, { text: 'at once' }),
      { call: 'shell', id: 'a' },
      { result: 'apples, pears', id: 'a' },
    ];
    expect((await ask(model.url, format, { items })).text).toBe('at once');
  });

  test('a step for another format is not there', async () => {
    const other = format === 'chat' ? 'gemini' : 'chat';
    const steps = [{ error: 529, wire: other }, { text: 'mine', wire: format }, { text: 'all' }];
    expect((await ask(model.url, format, { items: [user(...steps)] })).text).toBe('mine');
  });

  test('it echoes what it was told since the script, and nothing older', async () => {
    const items: Item[] = [
      { user: 'before' },
      user({ tool: 'shell' }, { echo: true }),
      { call: 'shell', id: 'a' },
      { result: hard, id: 'a' },
      { system: 'put in' },
      { user: 'and this' },
    ];
    const { text } = await ask(model.url, format, { items });
    const told = JSON.parse(text) as { from: string; text: string }[];
    expect(told.map(({ from }) => from)).toEqual(['tool', format === 'gemini' ? 'user' : 'system', 'user']);
    expect(told[0]?.text).toContain(format === 'gemini' ? JSON.stringify(hard) : hard);
    expect(told.slice(1).map(({ text: one }) => one)).toEqual(['put in', 'and this']);
  });

  test('it says again what a tool has told, in as many pieces as it is asked to', async () => {
    const told: Item[] = [
      user(
        { tool: 'shell' },
        { tool: 'shell', args: { a: ['{{PLACE}}', '{{NOWHERE}}'] } },
        { text: 'in {{PLACE}}', pieces: 4 },
      ),
      { call: 'shell', id: 'a' },
      { result: 'HOME=x\nPLACE=down-under.2\n', id: 'a' },
    ];
    expect((await ask(model.url, format, { items: told })).calls[0]?.args).toEqual({
      a: ['down-under.2', '{{NOWHERE}}'],
    });
    const items: Item[] = [...told, { call: 'shell', id: 'b' }, { result: 'ok', id: 'b' }];
    expect((await ask(model.url, format, { items })).text).toBe('in down-under.2');
    const stream = await (await post(model.url, format, { items })).text();
    // The format says the whole once more at the end.
    if (format !== 'responses') expect(stream).not.toContain('down-under');
  });

  test('the last script wins, wherever it stands in the text', async () => {
    const again = `Your task was: ${scripted([{ text: 'new ]} "' }])} -- end of task.`;
    const { text } = await ask(model.url, format, {
      items: [user({ text: 'old' }), { assistant: 'old' }, { user: again }],
    });
    expect(text).toBe('new ]} "');
  });

  test('a text that was answered is one step further', async () => {
    const items: Item[] = [user({ text: 'one' }, { text: 'two' }), { assistant: 'one' }, { user: 'go on' }];
    expect((await ask(model.url, format, { items })).text).toBe('two');
  });

  test('tools that are found by a search are searched for, and the search is no step', async () => {
    const tools = [format === 'anthropic' ? 'ToolSearch' : 'tool_search'];
    const items: Item[] = [user({ tool: 'group_send', args: { n: 1 } }, { text: 'sent' })];
    const { calls } = await ask(model.url, format, { items, tools });
    expect(calls[0]).toMatchObject({ name: tools[0], args: { query: 'group_send' } });
    const found: Item[] = [...items, { call: tools[0] ?? '', id: 's' }, { result: 'found', id: 's' }];
    const next = await ask(model.url, format, { items: found, tools: [...tools, 'mcp__group__group_send'] });
    expect(next.calls[0]).toMatchObject({ args: { n: 1 } });
    expect((await ask(model.url, format, { items: found, tools })).text).toContain('no tool `group_send`');
  });

  test('a tool that stays hidden is called through the one that calls others', async () => {
    const tools = ['tool_search', 'tool_call'];
    const items: Item[] = [
      user({ tool: 'group_send', args: { n: 1 } }, { tool: 'group_inbox' }),
      { call: 'tool_search', id: 's' },
      { result: '<function>{"name": "mcp__group__group_send", "description": "…"}</function>', id: 's' },
    ];
    const { calls } = await ask(model.url, format, { items, tools });
    const args = { name: 'mcp__group__group_send', arguments: { n: 1 } };
    expect(calls).toEqual([{ id: expect.any(String) as string, name: 'tool_call', args }]);
    const done: Item[] = [...items, { call: 'tool_call', id: 't' }, { result: 'ok', id: 't' }];
    // Another one is searched for again.
    expect((await ask(model.url, format, { items: done, tools })).calls[0]).toMatchObject({ name: 'tool_search' });
  });

  test('what an agent asks behind its user is a side request', async () => {
    const items: Item[] = [user({ tool: 'shell' }), { user: '[SUGGESTION MODE: Suggest what …]' }];
    const { text, calls } = await ask(model.url, format, { items });
    expect([text, calls]).toEqual(['A short answer.', []]);
  });

  test('a side request, without tools, is answered a constant and is no step', async () => {
    const { text } = await ask(model.url, format, { items: [user({ error: 500 })], tools: [] });
    expect(text).toBe('A short answer.');
    expect(lastRequest()).toMatchObject({ isSide: true, step: -1 });
  });

  test('a tool that is not offered is said, with those that are', async () => {
    expect((await ask(model.url, format, { items: [user({ tool: 'fly' })] })).text).toMatch(
      /^no tool `fly`; offered: .*shell$/,
    );
  });

  test('a script that cannot be read is said', async () => {
    const { text } = await ask(model.url, format, { items: [{ user: '@@SCRIPT [{"jump":true}]' }] });
    expect(text).toContain('expected text, tool, echo, slow, error or broken, got {"jump":true}');
  });

  test.each([401, 429, 500, 529])(
    '%i is refused in the format of its vendor, as often as the script says',
    async (status) => {
      const step = { error: status, message: `no ${format}`, times: 2, retryAfterS: 3 };
      const asked = { items: [user(step, { text: 'fine now' })] };
      for (let time = 0; time < 2; time += 1) {
        const response = await post(model.url, format, asked);
        expect([response.status, response.headers.get('retry-after')]).toEqual([status, '3']);
        expect(((await response.json()) as { error: { message: string } }).error.message).toBe(`no ${format}`);
      }
      expect((await ask(model.url, format, asked)).text).toBe('fine now');
    },
  );

  test('without `times` it is refused for ever', async () => {
    const asked = { items: [user({ error: 529, message: `for ever ${format}` }, { text: 'never' })] };
    for (let time = 0; time < 5; time += 1) expect((await post(model.url, format, asked)).status).toBe(529);
  });

  test('a broken stream is broken: cut off, no JSON, or nothing at all', async () => {
    const broken = (how: string) => post(model.url, format, { items: [user({ broken: how })] });
    await expect(broken('cut').then((response) => response.text())).rejects.toThrow('terminated');
    const garbage = eventsIn(await (await broken('garbage')).text());
    expect(() => JSON.parse(garbage.at(-1)?.data ?? '')).toThrow(SyntaxError);
    expect(await (await broken('empty')).text()).toBe('');
  });

  test('a slow stream takes its time, piece by piece', async () => {
    const startedMs = performance.now();
    const response = await post(model.url, format, { items: [user({ slow: { n: 4, ms: 60 }, wait: 50 })] });
    let chunks = 0;
    let text = '';
    for await (const chunk of response.body as unknown as AsyncIterable<Uint8Array>) {
      chunks += 1;
      text += Buffer.from(chunk).toString();
    }
    expect(performance.now() - startedMs).toBeGreaterThan(280);
    expect(chunks).toBeGreaterThan(3);
    expect(text).toContain('token-4');
  });

  test('it knows when an agent hangs up', async () => {
    const response = await post(model.url, format, { items: [user({ slow: { n: 100, ms: 50 } })] });
    const request = lastRequest();
    await response.body?.cancel();
    await expect.poll(() => request?.isAborted).toBe(true);
  });
});

test('the same request has the same answer, whatever was asked between', async () => {
  for (const format of formats) {
    const asked = { items: [user({ tool: 'shell', args: { format } })] };
    const first = await (await post(model.url, format, asked)).text();
    await ask(model.url, format, { items: [user({ text: 'other' })] });
    expect(await (await post(model.url, format, asked)).text()).toBe(first);
  }
});

test('a hundred agents at once do not mix', async () => {
  const texts = await Promise.all(
    Array.from({ length: 100 }, async (_, index) => {
      const format = formats[index % formats.length] ?? 'chat';
      const items: Item[] = [
        user({ tool: 'shell' }, { text: `agent ${index}` }),
        { call: 'shell', id: 'a' },
        { result: 'x', id: 'a' },
      ];
      return (await ask(model.url, format, { items })).text;
    }),
  );
  expect(texts).toEqual(texts.map((_, index) => `agent ${index}`));
});

test('a script is read from its first bracket to the one that closes it', () => {
  expect(scriptIn('no script')).toBeUndefined();
  expect(scriptIn('@@SCRIPT [{"text":"a ] \\" } b"}] and ] more')).toMatchObject([{ type: 'text', text: 'a ] " } b' }]);
  expect(scriptIn('@@SCRIPT [{"text":"old"}] then @@SCRIPT [{"text":"new"}]')).toMatchObject([
    { type: 'text', text: 'new' },
  ]);
  expect(() => scriptIn('@@SCRIPT [{"text":"cut off')).toThrow('JSON');
  expect(() => scriptIn('@@SCRIPT []')).toThrow('at least one step');
});
