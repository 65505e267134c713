/** Events as lines for people: what an agent is doing now. */
import { plainLine } from '../program/last-line.ts';
import type { AgentEvent } from './port.ts';
import type { Redactor } from './redact.ts';

/** Text of one event that is looked at, and of a growing line that is remembered, UTF-16 units. */
const lookedAt = 4_096;

/**
 * Says each event that is worth a line; text that comes in pieces is one growing line. At most 200 characters each, and no
 * secret, not even the beginning of one.
 */
export function linesOf(clean: Redactor): (event: AgentEvent) => string | undefined {
  let said = '';
  let pieces = clean.stream();
  const line = (text: string) => plainLine(clean.text(text.slice(0, 4 * lookedAt)).slice(0, lookedAt));
  const lastLine = (text: string) => {
    const last = text.trimEnd().split('\n').at(-1) ?? '';
    return last.trim() === '' ? undefined : plainLine(last);
  };
  return (event) => {
    switch (event.type) {
      case 'text':
        if (event.isDelta) {
          said = (said + pieces.push(event.text)).slice(-lookedAt);
          return lastLine(said);
        }
        said = '';
        pieces = clean.stream();
        return lastLine(clean.text(event.text).slice(-lookedAt));
      case 'tool':
        said = '';
        pieces = clean.stream();
        // What it tells of itself is not talked over by how it tells it.
        if (event.name.endsWith('group_progress') && event.status !== 'failed') return undefined;
        return event.status === 'done' ? undefined : line(`${event.name}${event.status === 'failed' ? ' failed' : ''}`);
      case 'retry':
        return line(`tries again (${event.attempt}, ${event.class}): ${event.message}`);
      case 'denied':
        return line(`denied: ${event.tool}: ${event.message}`);
      case 'mcp-failed':
        return line(`MCP server ${event.server} failed: ${event.message}`);
      case 'notice':
        return line(event.line);
      case 'session':
      case 'usage':
        return undefined;
      default:
        return event satisfies never;
    }
  };
}
