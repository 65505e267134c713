/** How agents fail, in the words of the port: one table for every agent, so that retry and fallback mean the same for all. */
import type { JsonValue } from '../../json.ts';
import type { FailureClass, PlainError } from '../port.ts';
import type { TurnEnd } from './port.ts';

/**
 * Codes of failed turns.
 *
 * - AUTH: not logged in, or the key is refused. RATE_LIMITED, QUOTA, OVERLOADED, MODEL_ERROR: the model's service.
 * - CONTEXT_TOO_LONG, BAD_REQUEST: the service takes it from nobody. REFUSED: the model does not want to.
 * - PERMISSION: the agent stopped at something it may not do. BUDGET, TURNS: a bound was reached.
 * - NO_RESULT: the agent ended without saying how its turn ended. STALLED: nothing was heard of it for too long.
 * - SESSION_UNKNOWN: the session to be resumed is not there; SESSION_TAKEN: the id for a new one is.
 * - MAILBOX_DEAD: it could not reach the group's mailbox. AGENT_FAILED: anything else.
 */
export type AgentCode =
  | 'AGENT_FAILED'
  | 'AUTH'
  | 'BAD_REQUEST'
  | 'BUDGET'
  | 'CONTEXT_TOO_LONG'
  | 'MAILBOX_DEAD'
  | 'MODEL_ERROR'
  | 'NO_RESULT'
  | 'OVERLOADED'
  | 'PERMISSION'
  | 'QUOTA'
  | 'RATE_LIMITED'
  | 'REFUSED'
  | 'SESSION_TAKEN'
  | 'SESSION_UNKNOWN'
  | 'STALLED'
  | 'TURNS';

const classes: Readonly<Record<AgentCode, FailureClass>> = {
  AGENT_FAILED: 'failed',
  AUTH: 'auth',
  BAD_REQUEST: 'refused',
  BUDGET: 'refused',
  CONTEXT_TOO_LONG: 'refused',
  MAILBOX_DEAD: 'failed',
  MODEL_ERROR: 'overloaded',
  NO_RESULT: 'crashed',
  OVERLOADED: 'overloaded',
  PERMISSION: 'refused',
  QUOTA: 'rate-limited',
  RATE_LIMITED: 'rate-limited',
  REFUSED: 'refused',
  SESSION_TAKEN: 'failed',
  SESSION_UNKNOWN: 'failed',
  STALLED: 'timeout',
  TURNS: 'refused',
};

/** The end of a turn that failed. */
export type Failed = Extract<TurnEnd, { readonly status: 'error' }>;

/** Longest message of a failure, UTF-16 units. */
const messageMax = 2_000;

/** A failed turn. */
export function turnFailed(code: AgentCode, message: string): Failed {
  const text = message.length > messageMax ? `${message.slice(0, messageMax - 1)}…` : message;
  const error: PlainError = { name: 'AgentError', message: text, code };
  return { status: 'error', class: classes[code], error };
}

/** A failure of an agent that has not joined its mailbox: one that tells of its address, or of MCP, is the mailbox's. Some do not begin without it. */
export function unjoined(end: Failed, mailboxUrl: string): Failed {
  const { message } = end.error;
  return message.includes(mailboxUrl) || /MCP servers? failed/i.test(message)
    ? turnFailed('MAILBOX_DEAD', message)
    : end;
}

/** A status by its number alone: not one that is a place in a file, as in the traces of agents that crash. */
const number = (digits: string) => String.raw`(?<!\d:|\.\w{1,5}:)\b${digits}\b(?!:\d)`;
const anyOf = (...patterns: readonly (RegExp | string)[]) =>
  new RegExp(patterns.map((one) => (typeof one === 'string' ? one : one.source)).join('|'), 'i');

/** First match wins: the more special stands first. */
const words: readonly (readonly [RegExp, AgentCode])[] = [
  [
    /\b(no|unknown|(can)?not find|not found|not a valid|non-?existent|invalid)\b[^.]{0,40}(conversation|session(?! token)|thread|rollout)|(conversation|session(?! token)|thread|rollout)[^.]{0,60}(not found|does not exist|unknown|no longer)/i,
    'SESSION_UNKNOWN',
  ],
  [/session[^.]{0,60}(already in use|already exists)/i, 'SESSION_TAKEN'],
  [
    /context.{0,20}(too long|length|limit|window|exceed)|(prompt|input) is too long|maximum context|input token count|too many tokens(?!,? please wait| per )/i,
    'CONTEXT_TOO_LONG',
  ],
  [
    /quota|credit balance|insufficient[_ ](funds|credits|balance)|out of credits|payment required|billing|usage limit|hit your [^.]{0,20}limit|(hour|daily|weekly|monthly|spend(ing)?) limit/i,
    'QUOTA',
  ],
  [
    anyOf(
      /rate.?limit|rate exceeded|too many (concurrent )?(requests|tokens)|concurrency limit/,
      /resource[ _]exhausted|throttlingexception|(request|was|been) throttled/,
      number('429'),
    ),
    'RATE_LIMITED',
  ],
  [anyOf(/overloaded|service unavailable|at capacity|high demand/, number('(?:529|503)')), 'OVERLOADED'],
  [
    /safeguards flagged|flagged (this|for possible)|violat[^.]{0,30}polic|content[_ ]filter|blocked due to safety/i,
    'REFUSED',
  ],
  [/max(imum number of|imum)?( session)? turns/i, 'TURNS'],
  [/\b(tool-call|wall-clock|wall-time|money|cost) budget of [^.]{0,40}exceeded/i, 'BUDGET'],
  [
    anyOf(
      /(?<!REJECT_)unauthori[sz]ed|authenticat|\bauth (method|type)\b|invalid.{0,10}api.?key|api key|not logged in|please (log|sign) ?in|(log|sign) ?in again|\/login/,
      /\btoken\b[^.]{0,40}\b(expired|revoked|no longer valid)|\b(no|missing|expired) credentials|credentials[^.]{0,20}expired/,
      /permission_error|invalid_grant|organization has been disabled/,
      number('40[13]'),
    ),
    'AUTH',
  ],
  [
    anyOf(
      number('50[0-9]'),
      /internal server error|bad gateway|gateway timeout|stream (disconnected|ended|error)|connection (error|reset|refused|failed|aborted|timed out|closed (before|mid|unexpectedly))/,
      /\bECONN|ENOTFOUND|EAI_AGAIN|ETIMEDOUT|E(HOST|NET)UNREACH|UND_ERR_|socket hang up|fetch failed|(request|operation) timed out|connect timeout/,
      /error sending request|dns error|API Error: terminated|(empty|malformed) response|Reconnecting\.\.\.|\b(server|api)_error\b/,
      // Not as part of a path.
      /(?<![\w./-])network(?![\w/-]|\.\w)/,
      // A proxy that looks into connections, as a rule: another agent may have been told of it.
      /certificate (has expired|verify failed|in certificate chain)|(first|leaf|self.signed|issuer) certificate|SELF_SIGNED_CERT|UNABLE_TO_(GET_ISSUER|VERIFY)|CERT_HAS_EXPIRED/,
    ),
    'MODEL_ERROR',
  ],
  [
    anyOf(
      number('400'),
      // Points stand in the names of models.
      /bad request|invalid_request|not_found_error|\bmodel\b([^.]|\.(?=\S)){0,60}(not found|does not exist)/,
      /model_?not_?found|(unknown|unsupported|unrecognized) model\b|\binvalid model\b( name| id)?[:'"` ]*[:'"`]|issue with the selected model/,
    ),
    'BAD_REQUEST',
  ],
];

/** What a status of the model's service means; undefined for one that says nothing. */
export function codeOfStatus(status: number | undefined): AgentCode | undefined {
  if (status === undefined) return undefined;
  if (status === 401 || status === 403) return 'AUTH';
  if (status === 402) return 'QUOTA';
  if (status === 429) return 'RATE_LIMITED';
  if (status === 503 || status === 529) return 'OVERLOADED';
  if (status >= 500 || status === 408) return 'MODEL_ERROR';
  if (status === 413) return 'CONTEXT_TOO_LONG';
  return status >= 400 ? 'BAD_REQUEST' : undefined;
}

/** Agents that tell no status apart have it in their words: `unexpected status 404 Not Found`, `HTTP 402`, `{"error":{"code":413,…`. */
const statusWords = /\b(?:status|HTTP(?:\/\d(?:\.\d)?)?|API Error):? (?:code:? )?([45]\d\d)\b|"code": ?([45]\d\d)\b/i;

function statusIn(message: string): number | undefined {
  const [, said, coded] = statusWords.exec(message) ?? [];
  const found = said ?? coded;
  return found === undefined ? undefined : Number(found);
}

/** Words that say it better than any status; and than one that tells only of a bad request. */
const special: ReadonlySet<AgentCode | undefined> = new Set(['CONTEXT_TOO_LONG', 'QUOTA']);
const specialRequest: ReadonlySet<AgentCode | undefined> = new Set([
  'AUTH',
  'REFUSED',
  'SESSION_TAKEN',
  'SESSION_UNKNOWN',
]);

/** What went wrong, by the service's status where there is one (a text may say it better), else by the agent's own words. */
export function codeOfFailure(message: string, status: number | undefined = statusIn(message)): AgentCode {
  const byWords = words.find(([pattern]) => pattern.test(message))?.[1];
  const byStatus = codeOfStatus(status);
  const isMoreSpecial = special.has(byWords) || (byStatus === 'BAD_REQUEST' && specialRequest.has(byWords));
  return (isMoreSpecial ? byWords : (byStatus ?? byWords)) ?? 'AGENT_FAILED';
}

/** A failed turn by the agent's own words. */
export function turnFailedWith(message: string, status?: number): Failed {
  return turnFailed(codeOfFailure(message, status), message);
}

/** The class of failure behind a status, for a `retry` event. */
export function classOfFailure(message: string, status?: number): FailureClass {
  return classes[codeOfFailure(message, status)];
}

/** The words in something that an agent calls an error: a text, or an object with a message somewhere. */
export function wordsOf(error: JsonValue | undefined, depth = 0): string {
  if (typeof error === 'string') return error;
  if (error === undefined || error === null || depth > 3) return '';
  if (typeof error !== 'object' || Array.isArray(error)) return JSON.stringify(error);
  const { message, error: inner, data, name } = error as Readonly<Record<string, JsonValue>>;
  const said = wordsOf(message, depth + 1) || wordsOf(inner, depth + 1) || wordsOf(data, depth + 1);
  return said || (typeof name === 'string' ? name : JSON.stringify(error));
}
