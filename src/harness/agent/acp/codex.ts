/**
 * What is Codex's own, through codex-acp (2.6): it ends a turn well whose model failed, with the error for a text. The truth stands in
 * `_meta.codex` of session information.
 */
import { classOfFailure } from '../failure.ts';
import type { Sign } from './habits.ts';
import { type Fields, fieldsOf, textOf } from './read.ts';

/** Retries and failures. */
export function codexSign(update: Fields): Sign | undefined {
  const codex = fieldsOf(fieldsOf(update['_meta'])['codex']);
  if (fieldsOf(codex['threadStatus'])['type'] === 'systemError') {
    return { type: 'failed', message: undefined, status: undefined };
  }
  const error = fieldsOf(codex['error']);
  const message = textOf(error['message']);
  if (message === undefined) return undefined;
  const status = statusOf(error['codexErrorInfo']);
  const text = textOf(error['additionalDetails']) ?? message;
  if (error['willRetry'] !== true) return { type: 'failed', message: text, status };
  const attempt = Number(/(\d+)\/\d+/.exec(message)?.[1] ?? 1);
  return { type: 'retry', attempt, class: classOfFailure(text, status), message: text };
}

/** A use of an MCP server's tool is marked, and its title made by the program: `mcp.<server>.<tool>`. */
export function codexToolName(toolCall: Fields): string | undefined {
  return fieldsOf(toolCall['_meta'])['is_mcp_tool_call'] === true ? textOf(toolCall['title']) : undefined;
}

/** codex-acp takes its settings as one JSON text. */
export function codexModel(model: string, { CODEX_CONFIG: settings }: Readonly<Record<string, string>>) {
  let own: unknown;
  try {
    own = JSON.parse(settings ?? '{}');
  } catch {
    // It says itself what is wrong with it.
    return {};
  }
  return { env: { CODEX_CONFIG: JSON.stringify({ ...fieldsOf(own), model }) } };
}

/** `{ <kind>: { httpStatusCode } }` */
function statusOf(info: unknown): number | undefined {
  for (const kind of Object.values(fieldsOf(info))) {
    const status = fieldsOf(kind)['httpStatusCode'];
    if (typeof status === 'number') return status;
  }
  return undefined;
}
