/** Who decides whether an agent may use a tool that was not allowed beforehand. */
import type { JsonValue } from '../../json.ts';
import type { Attempt } from '../port.ts';
import { plainLine } from '../program/last-line.ts';
import type { PermissionAnswer, PermissionRequest } from './port.ts';
import type { Redactor } from './redact.ts';

/** Decides about one use of one tool; whose it is comes with it. */
export type DecidePermission = (
  request: PermissionRequest,
  asker: Pick<Attempt, 'attempt' | 'group' | 'member' | 'run'>,
) => PermissionAnswer | Promise<PermissionAnswer>;

/** `deny`: nothing. `allow`: everything. `ask`: a gate of the member, for a person (`troupe approve`) or whoever answers gates. */
export type PermissionPolicy = 'allow' | 'ask' | 'deny' | DecidePermission;

/** Longest input shown at a gate, UTF-16 units of JSON; and of it in the question itself. */
const shownMax = 4_000;
const askedMax = 120;

/** Answers an attempt's requests by `policy`. One that cannot be decided is refused. What a person is shown has been cleaned before it is cut. */
export function permissionsBy(
  policy: PermissionPolicy,
  attempt: Attempt,
  clean: Redactor,
): (request: PermissionRequest) => Promise<PermissionAnswer> {
  const { run, group, member } = attempt;
  const counts = new Map<string, number>();

  /** The same use in the same place of an attempt made again is the same question. */
  const nameOf = ({ tool, input }: PermissionRequest) => {
    const text = `permission ${plainLine(clean.text(tool))} ${hashOf(JSON.stringify(input))}`;
    const count = (counts.get(text) ?? 0) + 1;
    counts.set(text, count);
    return count === 1 ? text : `${text} ${count}`;
  };
  const askedFor = async (request: PermissionRequest): Promise<PermissionAnswer> => {
    const tool = plainLine(clean.text(request.tool));
    const input = clean.json(request.input);
    const data = { tool, input: shown(input) };
    const question = `May member ${member} use ${tool}: ${asked(input)}?`;
    const { approved, note } = await attempt.gate({ name: nameOf(request), question, data });
    return { allowed: approved, ...(note === '' ? {} : { note }) };
  };

  return async (request) => {
    if (policy === 'allow') return { allowed: true };
    if (policy === 'deny') return { allowed: false, note: 'the policy of this harness is to deny' };
    try {
      if (policy === 'ask') return await askedFor(request);
      const answer = await policy(request, { run, group, member, attempt: attempt.attempt });
      return { allowed: answer.allowed === true, ...(typeof answer.note === 'string' ? { note: answer.note } : {}) };
    } catch (error) {
      return { allowed: false, note: error instanceof Error ? error.message : String(error) };
    }
  };
}

function asked(input: JsonValue): string {
  const text = JSON.stringify(input);
  return plainLine(text.length <= askedMax ? text : `${text.slice(0, askedMax - 1)}…`);
}

function shown(input: JsonValue): JsonValue {
  const text = JSON.stringify(input);
  return text.length <= shownMax ? input : `${text.slice(0, shownMax)}… (${text.length} characters in all)`;
}

/** FNV-1a, 32 bit: tells uses of one tool apart, for people and across attempts; proves nothing. */
function hashOf(text: string): string {
  let hash = 0x811c9dc5;
  for (let index = 0; index < text.length; index += 1)
    hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193) >>> 0;
  return hash.toString(16).padStart(8, '0');
}
