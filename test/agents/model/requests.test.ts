/** What agents ask besides answers, and how their requests may be packed. */
import { once } from 'node:events';
import { connect } from 'node:net';
import { brotliCompressSync, deflateSync, gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { requestOf } from './client.ts';
import { scripted } from './script.ts';
import { startModel, type Model } from './server.ts';

let model: Model;
beforeAll(async () => {
  model = await startModel();
});
afterAll(() => model.close());

describe('requests', () => {
  const { path, body } = requestOf('chat', { items: [{ user: scripted([{ text: 'unpacked' }]) }], isStream: false });
  const packed = (encoding: string, bytes: Buffer) =>
    fetch(model.url + path, { method: 'POST', headers: { 'content-encoding': encoding }, body: new Uint8Array(bytes) });

  test.each([
    ['gzip', gzipSync],
    ['deflate', deflateSync],
    ['br', brotliCompressSync],
  ] as const)('are read when packed with %s', async (encoding, pack) => {
    const response = await packed(encoding, pack(JSON.stringify(body)));
    expect(await response.text()).toContain('unpacked');
  });

  test('that cannot be read are refused, not guessed at', async () => {
    expect((await packed('gzip', Buffer.from('no gzip'))).status).toBe(400);
    expect((await packed('snappy', Buffer.from('{}'))).status).toBe(415);
    expect((await packed('identity', Buffer.from('{'))).status).toBe(400);
    expect((await packed('identity', Buffer.from('[]'))).status).toBe(400);
  });

  test('for what else vendors have: probes, lists, counts; what is not played is 404', async () => {
    const status = async (path_: string, init: RequestInit = {}) => (await fetch(model.url + path_, init)).status;
    expect(await status('/', { method: 'HEAD' })).toBe(200);
    for (const list of ['/v1/models', '/v1beta/models']) {
      expect(await (await fetch(model.url + list)).text()).toContain('mock');
    }
    const post_ = { method: 'POST', body: '{"messages":[]}' };
    expect(await (await fetch(`${model.url}/v1/messages/count_tokens`, post_)).json()).toMatchObject({
      input_tokens: 4,
    });
    expect(await (await fetch(`${model.url}/v1beta/models/m:countTokens`, post_)).json()).toMatchObject({
      totalTokens: 4,
    });
    expect(await status('/v1/embeddings', post_)).toBe(404);
  });

  test('for JSON without tools are given the least JSON that meets their schema', async () => {
    const { path: geminiPath, body: asked } = requestOf('gemini', {
      items: [{ user: 'who?' }],
      tools: [],
      isStream: false,
    });
    const speaker = { type: 'STRING', enum: ['model', 'user'] };
    const properties = { reasoning: { type: 'STRING' }, next_speaker: speaker, score: { type: 'NUMBER' } };
    const responseSchema = { type: 'OBJECT', properties, required: ['reasoning', 'next_speaker'] };
    const response = await fetch(model.url + geminiPath, {
      method: 'POST',
      body: JSON.stringify({ ...asked, generationConfig: { responseMimeType: 'application/json', responseSchema } }),
    });
    const { candidates } = (await response.json()) as { candidates: { content: { parts: { text: string }[] } }[] };
    expect(JSON.parse(candidates[0]?.content.parts[0]?.text ?? '')).toEqual({
      reasoning: 'none',
      next_speaker: 'user',
    });
  });

  test('for a WebSocket are told to use HTTP', async () => {
    const { port } = new URL(model.url);
    const socket = connect(Number(port), '127.0.0.1');
    socket.write('GET /v1/responses HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n');
    const [answer] = (await once(socket, 'data')) as [Buffer];
    expect(answer.toString()).toMatch(/^HTTP\/1\.1 426 /);
    socket.destroy();
  });
});

test('it listens on loopback only', async () => {
  expect(new URL(model.url).hostname).toBe('127.0.0.1');
});
