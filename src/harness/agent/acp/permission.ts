/** Permission requests: what is asked, and which of the agent's options an answer means. By kind, never by place or words. */
import type { RequestPermissionResponse } from '@agentclientprotocol/sdk';
import type { JsonValue } from '../../../json.ts';
import type { PermissionAnswer, PermissionRequest } from '../port.ts';
import { type Fields, fieldsOf, jsonOf, listOf, textOf } from './read.ts';
import type { ToolUse } from './tools.ts';

/** The answer when the turn was cancelled before anybody decided. */
export const permissionCancelled: RequestPermissionResponse = { outcome: { outcome: 'cancelled' } };

/** What is asked, in the words of the port. `id` must be unique within the session. */
export function permissionRequest(id: string, toolCall: Fields, { name, input }: ToolUse): PermissionRequest {
  return { id, tool: name, input: input ?? withoutInput(toolCall) };
}

/** Agents that give no raw input (Gemini) say what they want in these. */
function withoutInput(toolCall: Fields): JsonValue {
  const said: Record<string, JsonValue> = {};
  for (const field of ['kind', 'title', 'locations', 'content']) {
    const value = jsonOf(toolCall[field]);
    if (value !== undefined) said[field] = value;
  }
  return said;
}

/** The answer in the agent's words, and why a permission that was given could not be passed on. */
export interface Choice {
  readonly response: RequestPermissionResponse;
  readonly isGranted: boolean;
  readonly problem?: string;
}

/**
 * A permission holds for one use, so only `allow_once` says it: `allow_always` would give more than anybody decided. A
 * refusal is `reject_once`, else `reject_always`, else a cancelled request.
 */
export function choose(options: unknown, { allowed }: Pick<PermissionAnswer, 'allowed'>): Choice {
  const optionOf = (kind: string) => {
    const option = listOf(options)
      .map(fieldsOf)
      .find((one) => one['kind'] === kind);
    return textOf(option?.['optionId']);
  };
  const selected = (optionId: string): RequestPermissionResponse => ({ outcome: { outcome: 'selected', optionId } });
  const once = optionOf('allow_once');
  if (allowed && once !== undefined) return { response: selected(once), isGranted: true };
  const no = optionOf('reject_once') ?? optionOf('reject_always');
  return {
    response: no === undefined ? permissionCancelled : selected(no),
    isGranted: false,
    ...(allowed ? { problem: 'the agent offers no way to allow it only once' } : {}),
  };
}
