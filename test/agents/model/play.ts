/** Plays what was decided: the answer in its wire format, at its pace, or what goes wrong instead. */
import { createHash } from 'node:crypto';
import type { ServerResponse } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import type { Decision } from './decide.ts';
import { leastValue } from './least-value.ts';
import type { Answer, Frame, JsonObject, Question, Wire } from './question.ts';

/** What is to be played. */
export interface Play {
  readonly wire: Wire;
  readonly question: Question;
  readonly decision: Decision;
  /** The request's body: equal requests are given equal ids. */
  readonly body: JsonObject;
  readonly response: ServerResponse;
  /** Told what is answered, before it is. */
  answers(what: string): void;
}

/** Plays it to its end, or until the agent hangs up. */
export async function play({ wire, question, decision, body, response, answers }: Play): Promise<void> {
  // Whoever hangs up is not waited for.
  const gone = new AbortController();
  response.on('close', () => gone.abort());
  const pause = (ms: number) => delay(ms, undefined, { signal: gone.signal }).catch(() => {});
  await pause(decision.waitMs);
  if (response.destroyed) return;
  if (decision.type === 'refuse') {
    const { status, message, retryAfterS } = decision;
    const headers = retryAfterS === undefined ? {} : { 'retry-after': String(retryAfterS) };
    answers(`status ${status}`);
    return sendJson(response, status, wire.errorBody(status, message), headers);
  }
  const id = createHash('sha256').update(JSON.stringify(body)).digest('hex').slice(0, 24);
  const answer = answerOf(id, question, decision);
  const said = answer.call === undefined ? 'text' : `call ${answer.call.tool.name}`;
  answers(decision.type === 'break' ? `broken ${decision.how}` : said);
  if (!question.isStream && decision.type !== 'break') {
    await pause(answer.everyMs * answer.pieces.length);
    return sendJson(response, 200, wire.body(answer));
  }
  response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-cache' });
  response.flushHeaders();
  const frames = wire.frames(answer);
  const sent = decision.type === 'break' ? frames.slice(0, decision.how === 'empty' ? 0 : frames.length / 2) : frames;
  for (const frame of sent) {
    if (frame.afterMs !== undefined && frame.afterMs > 0) await pause(frame.afterMs);
    if (response.destroyed) return;
    response.write(textOfFrame(frame));
  }
  if (decision.type === 'break' && decision.how === 'cut') {
    // What was written leaves first.
    return void response.write(': cut\n\n', () => response.destroy());
  }
  if (decision.type === 'break' && decision.how === 'garbage') response.write('data: {"this is": not JSON\n\n');
  else if (decision.type !== 'break' && wire.streamEnd !== undefined) response.write(`data: ${wire.streamEnd}\n\n`);
  response.end();
}

/** A whole answer of this status. */
export function sendJson(response: ServerResponse, status: number, body: JsonObject, headers = {}): void {
  response.writeHead(status, { 'content-type': 'application/json', ...headers });
  response.end(JSON.stringify(body));
}

function textOfFrame({ event, data }: Frame): string {
  return `${event === undefined ? '' : `event: ${event}\n`}data: ${JSON.stringify(data)}\n\n`;
}

function answerOf(id: string, question: Question, decision: Decision): Answer {
  const about = { id, model: question.model, usage: decision.usage, everyMs: 0 };
  const isJson = question.schema !== undefined && question.tools.length === 0;
  if (isJson) return { ...about, pieces: [JSON.stringify(leastValue(question.schema))] };
  if (decision.type === 'say') return { ...about, pieces: decision.pieces, everyMs: decision.everyMs };
  if (decision.type !== 'call') return { ...about, pieces: ['This will not be ', 'said to its end.'] };
  const calls = question.said.filter(({ type }) => type === 'call').length;
  const call = { id: `call_${id.slice(0, 8)}_${calls + 1}`, tool: decision.tool, args: decision.args };
  return { ...about, pieces: decision.text === '' ? [] : [decision.text], call };
}
