/**
 * The mock model: one server on loopback that speaks what the vendors speak, and answers as the prompt's script says. It keeps
 * no conversation; the only thing it counts is how often a step with `times` has failed.
 */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { anthropic } from './anthropic.ts';
import { chat } from './chat.ts';
import { decide, isSide, stepKey } from './decide.ts';
import { gemini } from './gemini.ts';
import { play, sendJson } from './play.ts';
import type { JsonObject, Wire } from './question.ts';
import { BadBody, readBody } from './request-body.ts';
import { responses } from './responses.ts';

/** What is known of one request. */
export interface ModelRequest {
  /** The wire format; `other` for probes, lists and what is not known here. */
  readonly wire: Wire['name'] | 'other';
  readonly method: string;
  readonly path: string;
  readonly model: string;
  /** Without tools: a title, a summary; never a step of a script. */
  readonly isSide: boolean;
  readonly isStream: boolean;
  /** Step of the script that was done, 0-based; -1: none. */
  readonly step: number;
  /** Names of the tools that were offered. */
  readonly tools: readonly string[];
  /** What was answered: `text`, `call <tool>`, `status <code>`, `broken <how>`. */
  readonly answer: string;
  /** The credential that it came with; undefined: none. */
  readonly key: string | undefined;
  /** When it came in, ms since 1970. */
  readonly atMs: number;
  /** True when the agent hung up before the answer's end. */
  readonly isAborted: boolean;
  readonly body: JsonObject;
}

/** A running mock model. */
export interface Model {
  /** `http://127.0.0.1:<port>`, without a path. */
  readonly url: string;
  /** What was asked, oldest first; the last 5,000. */
  readonly requests: readonly ModelRequest[];
  close(): Promise<void>;
}

const requestsMax = 5_000;

/** Starts one; `port` 0: any that is free. */
export async function startModel(port = 0): Promise<Model> {
  const requests: Noted[] = [];
  const spent = new Map<string, number>();
  const server = createServer((request, response) => {
    void answer(request, response).catch((error: unknown) => {
      if (!response.headersSent) response.writeHead(500);
      response.end(String(error));
    });
  });
  // Agents that would talk over a WebSocket are told to use HTTP.
  server.on('upgrade', (_request, socket) => {
    socket.end('HTTP/1.1 426 Upgrade Required\r\nConnection: close\r\nContent-Length: 0\r\n\r\n');
  });

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const path = (request.url ?? '/').replace(/\?.*$/s, '');
    const method = request.method ?? '';
    const wire = method === 'POST' ? wireOf(path) : undefined;
    const noted = note({ wire: wire?.name ?? 'other', method, path, key: credentialOf(request) });
    response.on('close', () => {
      noted.isAborted = !response.writableEnded;
    });
    let body: JsonObject = {};
    try {
      if (method === 'POST') body = await readBody(request);
    } catch (error) {
      if (!(error instanceof BadBody)) throw error;
      return reply(noted, response, error.status, (wire ?? chat).errorBody(error.status, error.message));
    }
    noted.body = body;
    if (wire === undefined) return answerOther(noted, response);
    if (/(count_tokens|:countTokens)$/.test(path)) {
      const tokens = Math.ceil(JSON.stringify(body).length / 4);
      return reply(noted, response, 200, { input_tokens: tokens, totalTokens: tokens });
    }
    const question = wire.readQuestion(body, path);
    noted.model = question.model;
    noted.isStream = question.isStream;
    noted.isSide = isSide(question);
    noted.tools = question.tools.map(({ name, namespace }) =>
      namespace === undefined ? name : `${namespace}.${name}`,
    );
    const decision = decide(question, (key) => spent.get(key) ?? 0);
    noted.step = decision.step;
    if (decision.type === 'refuse' || decision.type === 'break') {
      const key = stepKey(question, decision.step);
      spent.set(key, (spent.get(key) ?? 0) + 1);
    }
    const answers = (what: string) => void (noted.answer = what);
    await play({ wire, question, decision, body, response, answers });
  }

  function note(start: Pick<Noted, 'key' | 'method' | 'path' | 'wire'>): Noted {
    const noted: Noted = {
      ...start,
      model: '',
      isSide: false,
      isStream: false,
      step: -1,
      tools: [],
      answer: '',
      atMs: Date.now(),
      isAborted: false,
      body: {},
    };
    requests.push(noted);
    if (requests.length > requestsMax) requests.shift();
    return noted;
  }

  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', resolve);
  });
  const bound = (server.address() as AddressInfo).port;
  return {
    url: `http://127.0.0.1:${bound}`,
    requests,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

type Noted = { -readonly [Key in keyof ModelRequest]: ModelRequest[Key] };

const paths: readonly (readonly [RegExp, Wire])[] = [
  [/\/messages(\/count_tokens)?$/, anthropic],
  [/\/chat\/completions$/, chat],
  [/\/responses$/, responses],
  [/\/models\/[^/:]+:(streamGenerateContent|generateContent|countTokens)$/, gemini],
];

function wireOf(path: string): Wire | undefined {
  return paths.find(([pattern]) => pattern.test(path))?.[1];
}

function credentialOf({ headers }: IncomingMessage): string | undefined {
  const key = headers['x-api-key'] ?? headers['x-goog-api-key'] ?? headers['authorization']?.replace(/^Bearer /, '');
  return Array.isArray(key) ? key[0] : key;
}

/** Probes and lists of models. */
function answerOther(noted: Noted, response: ServerResponse): void {
  if (noted.method === 'HEAD' || noted.path === '/') return reply(noted, response, 200, {});
  if (noted.method === 'GET' && noted.path.endsWith('/models')) {
    const data = [{ id: 'mock', object: 'model', type: 'model', display_name: 'mock', owned_by: 'mock', created: 0 }];
    const isGemini = noted.path.includes('v1beta');
    const models = [{ name: 'models/mock', supportedGenerationMethods: ['generateContent', 'countTokens'] }];
    return reply(noted, response, 200, isGemini ? { models } : { object: 'list', data, has_more: false });
  }
  reply(noted, response, 404, { error: { type: 'not_found_error', message: `${noted.path} is not played here` } });
}

function reply(noted: Noted, response: ServerResponse, status: number, body: JsonObject): void {
  noted.answer = `status ${status}`;
  sendJson(response, status, body);
}
