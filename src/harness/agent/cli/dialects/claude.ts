/**
 * Claude Code's stream-json, which Qwen Code speaks too. Seen on 2.1.330 and 0.24.4.
 *
 * - Success is `is_error: false` of the last `result`; an API failure has `subtype: success` and `is_error: true`.
 * - Several results come when background work ends later; the last one counts.
 */
import type { JsonValue } from '../../../../json.ts';
import { classOfFailure, turnFailed, turnFailedWith } from '../../failure.ts';
import type { TurnEnd } from '../../port.ts';
import { endedWithout, type Dialect, type LineReader, type LiveInput } from '../dialect.ts';
import { amount, fields, list, status, text, type LineObject } from '../line-object.ts';

/** Where the two differ. */
export interface ClaudeHabits {
  readonly name: string;
  /** `result.usage` counts the whole session. */
  readonly isUsageCumulative: boolean;
}

/** Claude Code. */
export const claudeDialect: Dialect = claudeLike({ name: 'claude', isUsageCumulative: false });

/** Qwen Code. */
export const qwenDialect: Dialect = claudeLike({ name: 'qwen', isUsageCumulative: true });

function tokensOf(usage: LineObject): number {
  const inputs = amount(usage['cache_creation_input_tokens']) + amount(usage['cache_read_input_tokens']);
  return amount(usage['input_tokens']) + amount(usage['output_tokens']) + inputs;
}

/** Tokens of one process: told message by message, and put right by each result. */
function tokenCount(emit: (tokens: number) => void) {
  const byMessage = new Map<string, number>();
  let told = 0;
  const tell = (total: number) => {
    if (total <= told) return;
    emit(total - told);
    told = total;
  };
  return {
    message(id: string, tokens: number) {
      byMessage.set(id, Math.max(byMessage.get(id) ?? 0, tokens));
      let total = 0;
      for (const one of byMessage.values()) total += one;
      tell(total);
    },
    /** Its total is that of the turns since the last one. */
    result(total: number) {
      tell(total);
      told = 0;
      byMessage.clear();
    },
  };
}

function claudeLike({ name, isUsageCumulative }: ClaudeHabits): Dialect {
  return ({ emit, ask }): LineReader => {
    let result: LineObject | undefined;
    let session = '';
    let lastText = '';
    /** Pieces of the message under way have been told. */
    let hasPieces = false;
    const tools = new Map<string, string>();
    const denied = new Set<string>();
    /** Background work that has begun and not ended: another result comes after it. */
    const tasks = new Set<string>();
    const counted = tokenCount((tokens) => emit({ type: 'usage', tokens, isCumulative: false }));

    const deny = (id: string, tool: string, message: string) => {
      if (denied.has(id)) return;
      denied.add(id);
      emit({ type: 'denied', tool, message });
    };
    const system = (line: LineObject) => {
      const id = text(line['session_id']);
      switch (line['subtype']) {
        case 'init':
          // What was said too late for the turn before is a turn of its own.
          result = undefined;
          if (id !== '' && id !== session) emit({ type: 'session', id });
          session = id || session;
          for (const one of list(line['mcp_servers'])) {
            const server = fields(one);
            const state = text(server['status']);
            if (state === 'failed' || state === 'disconnected')
              emit({ type: 'mcp-failed', server: text(server['name']), message: `it says: ${state}` });
          }
          break;
        case 'api_retry': {
          const code = status(line['error_status']);
          const message = text(line['error']) || `status ${code ?? 'unknown'}`;
          emit({ type: 'retry', attempt: amount(line['attempt']), class: classOfFailure(message, code), message });
          break;
        }
        case 'permission_denied':
          deny(text(line['tool_use_id']), text(line['tool_name']), text(line['message']) || 'not allowed');
          break;
        case 'task_started':
          tasks.add(text(line['task_id']));
          break;
        case 'task_notification':
          tasks.delete(text(line['task_id']));
          break;
        default:
      }
    };
    const assistant = (line: LineObject) => {
      const message = fields(line['message']);
      const isOwn = text(line['parent_tool_use_id']) === '';
      if (!isUsageCumulative) counted.message(text(message['id']), tokensOf(fields(message['usage'])));
      for (const one of list(message['content'])) {
        const block = fields(one);
        if (block['type'] === 'text' && text(block['text']) !== '') {
          if (isOwn) lastText = text(block['text']);
          if (!isOwn) emit({ type: 'notice', line: text(block['text']) });
          else if (!hasPieces) emit({ type: 'text', text: lastText, isDelta: false });
        }
        if (block['type'] !== 'tool_use') continue;
        const id = text(block['id']);
        tools.set(id, text(block['name']));
        emit({ type: 'tool', id, name: text(block['name']), status: 'started', input: block['input'] ?? null });
      }
    };
    const piece = (line: LineObject) => {
      if (text(line['parent_tool_use_id']) !== '') return;
      const event = fields(line['event']);
      const delta = fields(event['delta']);
      if (event['type'] === 'message_start') hasPieces = false;
      if (delta['type'] !== 'text_delta' || text(delta['text']) === '') return;
      hasPieces = true;
      emit({ type: 'text', text: text(delta['text']), isDelta: true });
    };
    const user = (line: LineObject) => {
      for (const one of list(fields(line['message'])['content'])) {
        const block = fields(one);
        const id = text(block['tool_use_id']);
        const tool = tools.get(id);
        if (block['type'] !== 'tool_result' || tool === undefined) continue;
        tools.delete(id);
        const state = block['is_error'] === true ? 'failed' : 'done';
        emit({ type: 'tool', id, name: tool, status: state, output: block['content'] ?? null });
      }
    };
    const ended = (line: LineObject) => {
      result = line;
      const tokens = tokensOf(fields(line['usage']));
      if (isUsageCumulative && tokens > 0) emit({ type: 'usage', tokens, isCumulative: true });
      else counted.result(tokens);
      const costUsd = amount(line['total_cost_usd']);
      if (costUsd > 0) emit({ type: 'usage', costUsd, isCumulative: true });
      for (const one of list(line['permission_denials'])) {
        const denial = fields(one);
        deny(text(denial['tool_use_id']), text(denial['tool_name']), 'not allowed');
      }
    };
    const asked = (line: LineObject) => {
      const request = fields(line['request']);
      if (request['subtype'] !== 'can_use_tool') return;
      ask({ id: text(line['request_id']), tool: text(request['tool_name']), input: request['input'] ?? null });
    };

    return {
      take(line) {
        switch (line['type']) {
          case 'system':
            return system(line);
          case 'assistant':
            return assistant(line);
          case 'stream_event':
            return piece(line);
          case 'user':
            return user(line);
          case 'result':
            return ended(line);
          case 'control_request':
            return asked(line);
          default:
        }
      },
      isOver: () => result !== undefined && tasks.size === 0,
      end(exit) {
        if (result === undefined) return endedWithout(name, exit);
        return result['is_error'] === true || result['subtype'] !== 'success'
          ? failed(name, result)
          : succeeded(result, lastText);
      },
    };
  };
}

function succeeded(result: LineObject, lastText: string): TurnEnd {
  const structured: JsonValue | undefined = result['structured_output'];
  const said = text(result['result']) || lastText;
  return { status: 'ok', text: said, ...(structured === undefined || structured === null ? {} : { structured }) };
}

function failed(name: string, result: LineObject): TurnEnd {
  const kind = text(result['subtype']);
  const errors = list(result['errors']).map(text).join('; ');
  const words = text(result['result']) || errors || text(fields(result['error'])['message']) || kind;
  if (kind === 'error_max_budget_usd') return turnFailed('BUDGET', `${name} stopped at its own money cap: ${words}`);
  if (kind === 'error_max_turns') return turnFailed('TURNS', `${name} stopped at its own bound of turns: ${words}`);
  return turnFailedWith(words, status(result['api_error_status']));
}

const user = (content: string) =>
  JSON.stringify({ type: 'user', message: { role: 'user', content: [{ type: 'text', text: content }] } });

/** What Claude Code is told on its input: a second user line reaches the running turn at its next tool boundary. */
export const claudeInput: LiveInput = {
  prompt: user,
  steer: user,
  interrupt: (id) => JSON.stringify({ type: 'control_request', request_id: id, request: { subtype: 'interrupt' } }),
  answer({ id, input }, { allowed, note }) {
    const response = allowed
      ? { behavior: 'allow', updatedInput: input }
      : { behavior: 'deny', message: note ?? 'not allowed' };
    return JSON.stringify({ type: 'control_response', response: { subtype: 'success', request_id: id, response } });
  },
};
