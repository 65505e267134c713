/** What an agent's error means, by the one table of failures. */
import { AgentFailure, type TurnEnd } from '../port.ts';
import { type AgentCode, codeOfFailure, turnFailed, wordsOf } from '../failure.ts';
import { fieldsOf, jsonOf, textOf } from './read.ts';

type Failed = Extract<TurnEnd, { readonly status: 'error' }>;

/** ACP's code for `Authentication required`, and for a session that is not there. */
const authRequired = -32_000;
const resourceNotFound = -32_002;

/** Claude's adapter names the kind of a failure of the model's service in `data.errorKind`. */
const kinds: Readonly<Record<string, AgentCode>> = {
  account_on_hold: 'AUTH',
  authentication_failed: 'AUTH',
  cloud_credential_error: 'AUTH',
  oauth_org_not_allowed: 'AUTH',
  verification_required: 'AUTH',
  billing_error: 'QUOTA',
  overloaded: 'OVERLOADED',
  rate_limit: 'RATE_LIMITED',
  server_error: 'MODEL_ERROR',
};

/** Kinds that say no more than a status of 400 does: the words may. */
const badRequests: ReadonlySet<unknown> = new Set(['invalid_request', 'model_not_found']);

/** An agent failed at something that it was asked for: carries what a turn's end says. */
export class AskFailure extends AgentFailure {
  readonly end: Failed;

  constructor(code: AgentCode, message: string, options?: ErrorOptions) {
    const end = turnFailed(code, message);
    super(end.class, end.error.message, options);
    this.end = end;
  }
}

/** What a rejected request says. `agent` is its name; `doing` completes "the agent could not …". */
export function failureOf(error: unknown, agent: string, doing: string): AskFailure {
  if (error instanceof AskFailure) return error;
  const { code, message, data } = fieldsOf(error);
  const detail = wordsOf(jsonOf(fieldsOf(data)['details']) ?? jsonOf(data));
  const said = textOf(message) ?? 'no reason given';
  const text = detail === '' || said.includes(detail) ? said : `${said}: ${detail}`;
  const means = codeOf(code, data, text);
  const sentence =
    means === 'SESSION_UNKNOWN' ? `session not found, ${agent} says: ${text}` : `${agent} could not ${doing}: ${text}`;
  return new AskFailure(means, sentence, { cause: error });
}

function codeOf(code: unknown, data: unknown, text: string): AgentCode {
  if (code === authRequired) return 'AUTH';
  const fields = fieldsOf(data);
  if (code === resourceNotFound && textOf(fields['sessionId']) !== undefined) return 'SESSION_UNKNOWN';
  const kind = kinds[textOf(fields['errorKind']) ?? ''];
  const bad = badRequests.has(fields['errorKind']) ? 400 : undefined;
  const status = [fields['status'], fields['statusCode'], fields['httpStatus'], code].find(
    (one) => typeof one === 'number' && one >= 400 && one < 600,
  );
  return kind ?? codeOfFailure(text, typeof status === 'number' ? status : bad);
}
