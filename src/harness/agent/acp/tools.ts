/** Tool uses of one session as the agent tells of them: in any order, in parts, and with an end that had no beginning (Gemini). */
import type { JsonValue } from '../../../json.ts';
import type { AgentEvent } from '../port.ts';
import { type Fields, fieldsOf, jsonOf, listOf, textOf } from './read.ts';

/** Uses remembered at once; of more, the oldest is forgotten: its end is told without its input. */
const usesMax = 10_000;

/** What is known of one use. */
export interface ToolUse {
  readonly id: string;
  /** The tool's name where the agent's program gives one, else its title. */
  readonly name: string;
  /** The name that the agent's program gave: never a model's own words. */
  readonly given: string | undefined;
  readonly input: JsonValue | undefined;
}

/** The uses that have begun and not ended. */
export interface Tools {
  /** Takes a `tool_call`, a `tool_call_update` or the `toolCall` of a permission request; the events that it amounts to. */
  take(toolCall: Fields): readonly AgentEvent[];
  /** What is known of a use, this call included. */
  look(toolCall: Fields): ToolUse;
  clear(): void;
}

/** No uses yet. `toolName` says the tool of a use where ACP's own field does not. */
export function tools(toolName: (toolCall: Fields) => string | undefined = () => undefined): Tools {
  const uses = new Map<string, ToolUse>();

  const look = (toolCall: Fields): ToolUse => {
    const id = textOf(toolCall['toolCallId']) ?? 'unnamed';
    const known = uses.get(id);
    const given = nameOf(toolCall) ?? known?.given ?? toolName(toolCall);
    const name = given ?? known?.name ?? textOf(toolCall['title']) ?? textOf(toolCall['kind']) ?? id;
    return { id, name, given, input: jsonOf(toolCall['rawInput']) ?? known?.input };
  };
  const remember = (use: ToolUse) => {
    uses.delete(use.id);
    uses.set(use.id, use);
    const [oldest] = uses.keys();
    if (uses.size > usesMax && oldest !== undefined) uses.delete(oldest);
  };
  return {
    look,
    take(toolCall) {
      const use = look(toolCall);
      const { id, name, input } = use;
      const told = { type: 'tool', id, name, ...(input === undefined ? {} : { input }) } as const;
      const isTold = uses.has(id);
      const status = toolCall['status'];
      if (status === 'completed' || status === 'failed') {
        uses.delete(id);
        const output = outputOf(toolCall);
        const end = { ...told, status: status === 'completed' ? 'done' : 'failed' } as const;
        const ended = output === undefined ? end : { ...end, output };
        return isTold ? [ended] : [{ ...told, status: 'started' }, ended];
      }
      remember(use);
      return isTold ? [] : [{ ...told, status: 'started' }];
    },
    clear: () => uses.clear(),
  };
}

/** A name that the agent's own program gave, not its model: see `ToolCall.name` of ACP, and Claude's adapter. */
function nameOf(toolCall: Fields): string | undefined {
  const meta = fieldsOf(toolCall['_meta']);
  return textOf(toolCall['name']) ?? textOf(fieldsOf(meta['claudeCode'])['toolName']) ?? textOf(meta['toolName']);
}

/** What a use gave: raw where there is such, else the text of its content. */
function outputOf(toolCall: Fields): JsonValue | undefined {
  const raw = jsonOf(toolCall['rawOutput']);
  if (raw !== undefined) return raw;
  const texts = listOf(toolCall['content']).flatMap((part) => {
    const text = textOf(fieldsOf(fieldsOf(part)['content'])['text']);
    return text === undefined ? [] : [text];
  });
  return texts.length === 0 ? undefined : texts.join('\n');
}
