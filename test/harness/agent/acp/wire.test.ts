/** Whatever an agent writes: nothing crashes, hangs, grows without bound, or is lost. */
import fc from 'fast-check';
import { expect, test, vi } from 'vitest';
import { scripted } from '../../../agents/model/script.ts';
import { lines } from '../../../../src/harness/agent/acp/lines.ts';
import { garbageMax, sieve } from '../../../../src/harness/agent/acp/sieve.ts';
import { fakeInProcess, fakeProgram } from './opening.ts';

/** An agent in one line of node: `answer(method, id)` writes what it likes. */
const agentOf = (onPrompt: string, before = '') => [
  process.execPath,
  '-e',
  `const say = (message) => process.stdout.write(JSON.stringify({ jsonrpc: '2.0', ...message }) + '\\n');
   const text = (text) => ({ method: 'session/update', params: { sessionId: 's', update: { sessionUpdate: 'agent_message_chunk', content: { type: 'text', text } } } });
   const line = (message) => JSON.stringify({ jsonrpc: '2.0', ...message }) + '\\n';
   const end = (id) => ({ id, result: { stopReason: 'end_turn' } });
   let rest = ''; let turns = 0;
   ${before}
   process.stdin.on('end', () => process.exit(0)).setEncoding('utf8').on('data', (chunk) => { rest += chunk; let at;
     while ((at = rest.indexOf('\\n')) >= 0) { const { id, method } = JSON.parse(rest.slice(0, at)); rest = rest.slice(at + 1);
       if (method === 'initialize') say({ id, result: { protocolVersion: 1, agentCapabilities: { loadSession: true } } });
       else if (method === 'session/new') say({ id, result: { sessionId: 's' } });
       else if (method === 'session/load') say({ id, result: {} });
       else if (method === 'session/prompt') { turns += 1; ${onPrompt} } } })`,
];

test('the last text of a turn is heard before its end, however close they come', async () => {
  const onPrompt = `process.stdout.write(line(text('a')) + line(text('b')) + line(text('c ' + turns)) + line(end(id)));`;
  const { session, said } = await fakeProgram({}, agentOf(onPrompt))();
  for (let turn = 1; turn <= 100; turn += 1)
    expect(await session.prompt('x')).toEqual({ status: 'ok', text: `abc ${turn}` });
  expect(said().length).toBeGreaterThan(400);
});

test('the answer is the last message, told apart by its id or by a tool between', async () => {
  const chunk = (text: string, messageId?: string) =>
    `process.stdout.write(line({ method: 'session/update', params: { sessionId: 's', update: ${JSON.stringify({
      sessionUpdate: 'agent_message_chunk',
      content: { type: 'text', text },
      ...(messageId === undefined ? {} : { messageId }),
    })} } }));`;
  const tool = `process.stdout.write(line({ method: 'session/update', params: { sessionId: 's', update: { sessionUpdate: 'tool_call', toolCallId: 't', title: 'x' } } }));`;
  const end = `process.stdout.write(line(end(id)));`;
  const byId = await fakeProgram({}, agentOf(`${chunk('one', 'a')}${chunk('tw', 'b')}${chunk('o', 'b')}${end}`))();
  expect(await byId.session.prompt('x')).toEqual({ status: 'ok', text: 'two' });
  const byTool = await fakeProgram(
    {},
    agentOf(`${chunk('one')}${tool}${chunk('tw')}${chunk('o')}${chunk(' ')}${end}`),
  )();
  expect(await byTool.session.prompt('x')).toEqual({ status: 'ok', text: 'two ' });
  const nothingAfter = await fakeProgram({}, agentOf(`${chunk('all of it')}${tool}${end}`))();
  expect(await nothingAfter.session.prompt('x')).toEqual({ status: 'ok', text: 'all of it' });
});

test('characters that arrive in halves are put together', async () => {
  const onPrompt = `const bytes = Buffer.from(line(text('Grüße 🎭 \\u2028 end')) + line(end(id))); let at = 0;
    const next = () => { if (at < bytes.length) { process.stdout.write(bytes.subarray(at, at += 1)); setImmediate(next); } }; next();`;
  const { session } = await fakeProgram({}, agentOf(onPrompt))();
  expect(await session.prompt('x')).toEqual({ status: 'ok', text: 'Grüße 🎭 \u2028 end' });
});

test('a line of 3 MiB is taken, one of 9 MiB ends the agent and the turn', async () => {
  const onPrompt = `process.stdout.write(line(text('x'.repeat((turns === 1 ? 3 : 9) * 2 ** 20))) + line(end(id)));`;
  const { session } = await fakeProgram({}, agentOf(onPrompt))();
  const first = await session.prompt('x');
  expect(first.status === 'ok' && first.text.length).toBe(3 * 2 ** 20);
  expect(await session.prompt('x')).toMatchObject({
    status: 'error',
    class: 'crashed',
    error: { message: expect.stringContaining('a line longer than 8388608 bytes') as string },
  });
});

test('an answer longer than the bound is invalid, not cut in silence', async () => {
  const onPrompt = `process.stdout.write(line(text('x'.repeat(3 * 2 ** 20))) + line(text('x'.repeat(3 * 2 ** 20))) + line(end(id)));`;
  const { session } = await fakeProgram({}, agentOf(onPrompt))();
  expect(await session.prompt('x')).toMatchObject({ status: 'error', class: 'invalid-output' });
});

test('a message behind a byte order mark or signs for a terminal is taken; behind words an answer is, and nothing else', async () => {
  const before = `process.stdout.write('\\ufeff\\x1b]0;agent\\x07\\x1b[?25l');`;
  const onPrompt = `process.stdout.write('\\x1b[2K\\r' + line(text('once')) + 'sending ' + line(text('twice')) + 'got ' + line({ id: 1, method: 'session/prompt' }));
    process.stdout.write('Done. ' + line(end(id)));`;
  const { session, events } = await fakeProgram({}, agentOf(onPrompt, before))();
  for (let turn = 0; turn < 2; turn += 1) expect(await session.prompt('x')).toEqual({ status: 'ok', text: 'once' });
  expect(events.filter(({ type }) => type === 'notice')).toHaveLength(6);
});

test('deep JSON is refused and the turn goes on', async () => {
  const onPrompt = `process.stdout.write('['.repeat(200000) + ']'.repeat(200000) + '\\n');
    process.stdout.write('{"jsonrpc":"2.0","id":9,"method":"x","params":' + '{"a":'.repeat(100000) + '1' + '}'.repeat(100000) + '}\\n');
    process.stdout.write('{"jsonrpc":"2.0","method":"session/update","params":' + '['.repeat(100000) + ']'.repeat(100000) + '}\\n');
    process.stdout.write(line(text('still here')) + line(end(id)));`;
  const { session, events } = await fakeProgram({}, agentOf(onPrompt))();
  expect(await session.prompt('x')).toEqual({ status: 'ok', text: 'still here' });
  expect(events.filter(({ type }) => type === 'notice')).toHaveLength(3);
});

test('garbage is told a few times, and ends the agent when it goes on', async () => {
  const onPrompt = `for (let n = 0; n < (turns === 1 ? 900 : 1100); n += 1) process.stdout.write('warning ' + n + '\\n'); process.stdout.write(line(end(id)));`;
  const { session, events } = await fakeProgram({}, agentOf(onPrompt))();
  expect((await session.prompt('x')).status).toBe('ok');
  expect(events.filter(({ type }) => type === 'notice')).toHaveLength(20);
  expect(await session.prompt('x')).toMatchObject({ status: 'error', class: 'crashed' });
});

test('an agent that closes its output, or floods us with requests, has crashed', async () => {
  const closes = await fakeProgram({}, agentOf(`require('fs').closeSync(1); setInterval(() => {}, 1000);`))();
  expect(await closes.session.prompt('x')).toMatchObject({ status: 'error', class: 'crashed' });
  const request = `{ id: n, method: 'session/request_permission', params: { sessionId: 's', toolCall: { toolCallId: 't' }, options: [] } }`;
  const floods = await fakeProgram(
    {},
    agentOf(`for (let n = 0; n < 1500; n += 1) process.stdout.write(line(${request}));`),
  )({
    onPermission: () => new Promise(() => {}),
  });
  expect(await floods.session.prompt('x')).toMatchObject({
    status: 'error',
    class: 'crashed',
    error: { message: expect.stringContaining('requests at once') as string },
  });
});

test('an answer without a reason, a session without an id, and answers that are none', async () => {
  const odd = await fakeProgram({}, agentOf(`say({ id, result: turns === 1 ? null : 7 });`))();
  expect(await odd.session.prompt('x')).toMatchObject({ status: 'error', class: 'failed' });
  expect(await odd.session.prompt('x')).toMatchObject({ status: 'error', class: 'failed' });
  const both = await fakeProgram({}, agentOf(`say({ id, result: {}, error: { code: 1, message: 'both' } });`))();
  expect(await both.session.prompt('x')).toMatchObject({ status: 'error' });
  const nameless = agentOf('').map((part) => part.replace(`sessionId: 's' }`, `sessionId: 7 }`));
  await expect(fakeProgram({}, nameless)()).rejects.toMatchObject({ class: 'crashed' });
});

test('what an error means is told by its code and its data before its words', async () => {
  const failing = async (error: object) => {
    const { session } = await fakeProgram({}, agentOf(`say({ id, error: ${JSON.stringify(error)} });`))();
    const end = await session.prompt('x');
    return end.status === 'error' ? [end.class, end.error.code] : end;
  };
  expect(await failing({ code: -32_000, message: 'not now' })).toEqual(['auth', 'AUTH']);
  expect(await failing({ code: -32_002, message: 'gone', data: { sessionId: 's' } })).toEqual([
    'failed',
    'SESSION_UNKNOWN',
  ]);
  expect(await failing({ code: -32_603, message: 'x', data: { errorKind: 'rate_limit' } })).toEqual([
    'rate-limited',
    'RATE_LIMITED',
  ]);
  for (const [errorKind, message, means] of [
    ['model_not_found', 'There is an issue with the selected model', 'BAD_REQUEST'],
    ['invalid_request', 'x', 'BAD_REQUEST'],
    ['invalid_request', 'Prompt is too long', 'CONTEXT_TOO_LONG'],
  ])
    expect(await failing({ code: -32_603, message, data: { errorKind } })).toEqual(['refused', means]);
  expect(await failing({ code: -32_603, message: 'x', data: { statusCode: 529 } })).toEqual([
    'overloaded',
    'OVERLOADED',
  ]);
  expect(await failing({ code: 429, message: 'x' })).toEqual(['rate-limited', 'RATE_LIMITED']);
  expect(await failing({ code: -32_603, message: 'Internal error', data: { details: 'prompt is too long' } })).toEqual([
    'refused',
    'CONTEXT_TOO_LONG',
  ]);
  expect(await failing({ code: -32_603, message: 'Internal error' })).toEqual(['failed', 'AGENT_FAILED']);
});

test('random bytes between messages change nothing that the agent says', async () => {
  const shout = vi.spyOn(console, 'error').mockImplementation(() => {});
  await fc.assert(
    fc.asyncProperty(fc.integer({ min: 1, max: 2 ** 30 }), async (bytesSeed) => {
      const before = `let s = ${bytesSeed}; const random = () => { s = (Math.imul(s, 1103515245) + 12345) >>> 0; return s >>> 16; };
        const garbage = () => { const bytes = Buffer.alloc(random() % 3000); for (let i = 0; i < bytes.length; i += 1) bytes[i] = random() & 255; return Buffer.concat([bytes, Buffer.from('\\n')]); };`;
      const onPrompt = `for (const part of ['one ', 'two ', 'three']) { process.stdout.write(garbage()); process.stdout.write(line(text(part))); }
        process.stdout.write(garbage()); process.stdout.write(line(end(id)));`;
      const { session } = await fakeProgram({}, agentOf(onPrompt, before))();
      expect(await session.prompt('x')).toEqual({ status: 'ok', text: 'one two three' });
      await session.close();
    }),
    { numRuns: 5 },
  );
  expect(shout).not.toHaveBeenCalled();
  shout.mockRestore();
});

test('nothing but random bytes ends in time', async () => {
  const script = `process.stdin.on('end', () => process.exit(0)).resume(); setInterval(() => process.stdout.write(require('crypto').randomBytes(65536)), 5)`;
  const opening = fakeProgram({}, [process.execPath, '-e', script])({ patience: { initialize: 3_000 } });
  await expect(opening).rejects.toMatchObject({ name: 'AgentFailure' });
});

test('any lines, cut anywhere, come out as they went in', () => {
  fc.assert(
    fc.property(fc.array(fc.string({ unit: 'binary' })), fc.array(fc.nat(40)), (parts, cuts) => {
      const sent = parts.map((part) => part.replaceAll(/\n|\p{Surrogate}/gu, ' '));
      const bytes = Buffer.from(sent.map((part) => `${part}\n`).join(''));
      const heard: string[] = [];
      const split = lines((line) => heard.push(line));
      let at = 0;
      for (const cut of [...cuts, bytes.length]) {
        split.push(bytes.subarray(at, at + cut));
        at = Math.min(bytes.length, at + cut);
      }
      expect(heard).toEqual(sent);
    }),
  );
});

test('any JSON is taken without a throw, and only messages pass', () => {
  fc.assert(
    fc.property(
      fc.array(
        fc.oneof(
          fc.jsonValue(),
          fc.record({ jsonrpc: fc.constant('2.0'), id: fc.jsonValue(), method: fc.string(), params: fc.jsonValue() }),
          fc.record({ jsonrpc: fc.constant('2.0'), method: fc.constant('session/update'), params: fc.jsonValue() }),
          fc.record({ jsonrpc: fc.constant('2.0'), id: fc.nat(3), result: fc.jsonValue() }),
        ),
        { maxLength: garbageMax },
      ),
      (messages) => {
        let heard = 0;
        const one = sieve(() => {}, { onUpdate: () => (heard += 1), onGarbage: () => (heard += 1) });
        for (const message of messages) one.takeLine(JSON.stringify(message));
        one.end();
        expect(heard).toBeLessThanOrEqual(messages.length);
      },
    ),
  );
});

test('any updates are taken by a session, whatever is in them', async () => {
  const kinds = fc.constantFrom(
    'agent_message_chunk',
    'tool_call',
    'tool_call_update',
    'usage_update',
    'notice',
    'plan',
  );
  await fc.assert(
    fc.asyncProperty(
      fc.array(
        fc.record(
          {
            sessionUpdate: kinds,
            content: fc.jsonValue(),
            toolCallId: fc.jsonValue(),
            cost: fc.jsonValue(),
            title: fc.jsonValue(),
            status: fc.jsonValue(),
            rawInput: fc.jsonValue(),
          },
          { requiredKeys: ['sessionUpdate'] },
        ),
      ),
      async (alsoTells) => {
        const { session } = await fakeInProcess({ alsoTells })();
        expect((await session.prompt(scripted([{ text: 'sane' }]))).status).toBe('ok');
        await session.close();
      },
    ),
    { numRuns: 50 },
  );
});
