/** An entry in one line, for `troupe log` and for progress without a terminal. */
import { isoText } from '../clock.ts';
import type { Entry } from '../journal/port.ts';
import { plainLine } from '../harness/program/last-line.ts';

/** An entry as `--json` prints it. */
export interface EntryJson {
  readonly stream: string;
  readonly seq: number;
  readonly at: number;
  readonly type: string;
  readonly data: Entry['data'];
}

/** What of an entry is everybody's business: `{stream,seq,at,type,data}`. */
export function entryJson({ stream, seq, at, type, data }: Entry): EntryJson {
  return { stream, seq, at, type, data };
}

type Data = Readonly<Record<string, unknown>>;

const text = (value: unknown) => (typeof value === 'string' ? value : (JSON.stringify(value) ?? ''));
const inner = (value: unknown): Data => (typeof value === 'object' && value !== null ? (value as Data) : {});
const attempt = (data: Data) => {
  const incarnation = Number(data['incarnation'] ?? 1);
  return `${text(data['member'])}${incarnation > 1 ? `#${incarnation}` : ''}${Number(data['attempt'] ?? 1) > 1 ? ` attempt ${text(data['attempt'])}` : ''}`;
};
const message = (error: unknown) => {
  const { message: said, code } = inner(error);
  const lines = text(said).split('\n');
  return text(code).startsWith('EXIT_') ? `exit code ${text(code).slice(5)}: ${lines.at(-1)}` : text(said);
};

function outcome(value: unknown): string {
  const { status, output, error } = inner(value);
  if (status !== 'ok') return `${text(status)} ${message(error)}`;
  // Of a command, its last line says more than the beginning of its JSON.
  const { exitCode, stdout } = inner(output);
  if (typeof exitCode !== 'number' || typeof stdout !== 'string') return `ok ${text(output)}`;
  return `ok ${stdout.trimEnd().split('\n').at(-1) ?? ''}`;
}

function end({ status, output, error, reason }: Data): string {
  if (status === 'completed') return `completed ${text(output)}`;
  return status === 'failed' ? `failed: ${message(error)}` : `${text(status)}: ${text(reason)}`;
}

const amount = (value: unknown) => (typeof value === 'number' ? String(Number(value.toFixed(4))) : text(value));
const ids = (value: unknown) =>
  Array.isArray(value) && value.length > 3 ? `${value.length} messages` : (value as readonly string[]).join(', ');
/** A dead letter's own type, if it was a message. */
const letter = (value: unknown) => (typeof inner(value)['type'] === 'string' ? `, ${text(inner(value)['type'])}` : '');
const goesWithoutSaying = new Set(['', 'is pinned', 'is the default', 'performs commands']);
/** Why this harness, unless it goes without saying; and why not the others. */
const routing = (data: Data) => {
  const why = text(data['why'] ?? '');
  const rejected = Array.isArray(data['rejected'])
    ? (data['rejected'] as readonly Data[]).map((one) => `${text(one['harness'])} ${text(one['reason'])}`)
    : [];
  const said = goesWithoutSaying.has(why) ? rejected : [why, ...rejected];
  return said.length === 0 ? '' : ` (${said.join('; ')})`;
};

/** By what they come to: `violated a; holds b, c`. */
const judged = (states: unknown) => {
  const names = new Map<string, string[]>();
  for (const { property, state } of (Array.isArray(states) ? states : []).map(inner))
    names.set(text(state), [...(names.get(text(state)) ?? []), text(property)]);
  const violated = [...names].sort(([a], [b]) => Number(b === 'violated') - Number(a === 'violated'));
  return violated.map(([state, all]) => `${state} ${all.join(', ')}`).join('; ');
};

const summaries: Readonly<Record<string, (data: Data) => string>> = {
  'run.created': (data) => `process ${text(data['process'])}, input ${text(data['input'])}`,
  'run.cancelled': (data) => text(data['reason']),
  'run.ended': end,
  'epoch.taken': (data) =>
    `epoch ${text(data['epoch'])}${data['takenFrom'] === undefined ? '' : `, from process ${text(inner(data['takenFrom'])['pid'])} which died`}`,
  'journal.repaired': (data) => text(data['message']),
  'sleep.ended': (data) => `until ${isoText(Number(data['until']))}`,
  'log': (data) => `${text(data['message'])}${data['data'] === undefined ? '' : ` ${text(data['data'])}`}`,
  'group.created': (data) => `machine ${text(inner(data['machine'])['id'])}, input ${text(data['input'])}`,
  'signal': (data) =>
    `${text(inner(data['event'])['type'])} from ${text(data['from'])}${data['to'] === undefined ? '' : ` to ${text(inner(data['to'])['address'])}`}`,
  'member.settled': (data) => `${attempt(data)} ${outcome(data['outcome'])}`,
  'member.progress': (data) => `${attempt(data)} ${text(inner(data['progress'])['line'])}`,
  'timer.fired': (data) => `${text(data['timer'])} of ${text(data['address']) || 'the coordinator'}`,
  'group.cancelled': (data) => text(data['reason']),
  'group.migrated': (data) =>
    `from version ${text(inner(data['from'])['version'])} to ${text(inner(data['to'])['version'])}, by ${text(data['how'])}`,
  'attempt.queued': (data) => `${attempt(data)} on ${text(data['harness'])}${routing(data)}`,
  'attempt.started': (data) => `${attempt(data)} on ${text(data['harness'])}${routing(data)}`,
  'attempt.session': (data) => {
    const { mailbox } = inner(data['data']);
    return `${attempt(data)} in session ${text(data['session'])}${mailbox === undefined ? '' : `; ${text(mailbox)}`}`;
  },
  'budget.warned': (data) =>
    `${text(data['whose'])}: ${amount(data['spent'])} of ${amount(data['limit'])} ${text(data['what'])} spent`,
  'message': (data) =>
    `${text(data['from'])} → ${text(data['to']) || 'coordinator'}: ${text(data['type'])}${data['mode'] === undefined ? '' : ` (${text(data['mode'])})`}${data['body'] === null ? '' : ` ${text(data['body'])}`}`,
  'message.read': (data) =>
    `${attempt(data)} read ${ids(data['ids'])}${data['as'] === 'queue' ? '' : ` (${text(data['as'])})`}`,
  'gate.opened': (data) => `${text(data['name'])}: ${text(data['question'])}`,
  'gate.answered': (data) =>
    `${text(data['name'])} ${data['approved'] === true ? 'approved' : 'rejected'} by ${text(data['by'])}${data['note'] === '' ? '' : `: ${text(data['note'])}`}`,
  'gate.withdrawn': (data) => `${text(data['name'])}: who asked there, ${text(data['by'])}, is gone`,
  'request.refused': (data) => message(data['error']),
  'attempt.failed': (data) =>
    `${attempt(data)} ${message(data['error'])}; again at ${isoText(Number(data['retryAt']))}`,
  'attempt.cancelled': (data) =>
    `${attempt(data)} ${text(data['reason'])}${data['again'] === true ? '; goes on after a resume' : ''}`,
  'worktree.opened': (data) => `${attempt(data)} in ${text(data['path'])} on branch ${text(data['branch'])}`,
  'worktree.closed': (data) => `${attempt(data)} ${data['kept'] === true ? 'kept' : 'removed'}: ${text(data['why'])}`,
  'emitted': (data) => text(data['event']),
  'checkpoint': (data) => `${text(data['name'])} (${text(data['settled'])} of ${text(data['total'])})`,
  'letter.dead': (data) =>
    `from ${text(data['from']) || 'the coordinator'} to ${text(data['to']) || 'the coordinator'}${letter(data['letter'])}: ${text(data['reason'])}`,
  'group.ended': end,
  'check.fault': (data) => text(data['text']),
  'check.properties': (data) => judged(data['states']),
  'check.loop': (data) => `from here on again and again: the ${text(data['steps'])} steps up to the end`,
  'check.violated': (data) => `${text(data['kind'])} ${text(data['property'])}: ${text(data['message'])}`,
};

/** What the entry says, without its stream, seq and time; at most 200 characters, no control characters. */
export function summaryOf(entry: Entry): string {
  const data = inner(entry.data);
  return plainLine(Object.hasOwn(summaries, entry.type) ? (summaries[entry.type]?.(data) ?? '') : text(entry.data));
}
