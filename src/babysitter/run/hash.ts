/** Names that are made of content, never of chance or of a place. */
import { createHash } from 'node:crypto';
import { canonical, type JsonValue } from '../../json.ts';

/** The identity of a group: of its run's id and its name, and nothing else. It is the id of its own journal too. */
export function groupIdOf(runId: string, name: string): string {
  return `grp_${hash([runId, name])}`;
}

/** Tells one input of a group from another. Codes: NOT_JSON. */
export function inputHashOf(input: JsonValue): string {
  return hash(input);
}

function hash(value: JsonValue): string {
  return createHash('sha256').update(canonical(value)).digest('hex').slice(0, 16);
}
