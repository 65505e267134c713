/**
 * A run directory of babysitter as a journal to look at: read-only, made anew with each reading. Effects are members of a group
 * `effects`, groups are groups; what has no counterpart is a note of the run.
 */
import { momentMs } from '../clock.ts';
import { TroupeError } from '../error.ts';
import { defaultBounds } from '../group/bounds.ts';
import { plainError } from '../harness/plain-error.ts';
import type { JsonValue } from '../json.ts';
import type { Entry, Journal } from '../journal/port.ts';
import { onDisk } from './run/disk-error.ts';
import { outputFrom, readResult } from './run/effect-files.ts';
import { readEvents, readRunFacts, type RunEvent } from './run/read-run.ts';
import { unspill } from './run/spill.ts';

/** The group that stands for all effects; one that the process calls so is shown under another name. */
const effectsGroup = 'effects';
const shownAs = (group: string) => (group === effectsGroup ? `${group} (group)` : group);

/** Opens a run directory to be looked at. Codes: RUN_UNKNOWN, JOURNAL_FORMAT, JOURNAL_CORRUPT; of `lease` and `append`: BAD_INPUT. */
export function journalOfRunDir(runDir: string): Journal {
  const { runId } = readRunFacts(runDir);
  const readOnly = async (): Promise<never> => {
    throw new TroupeError(
      'BAD_INPUT',
      `run ${runId} is babysitter's: it is looked at here, and driven with troupe babysit ${runDir}.`,
    );
  };
  return {
    run: runId,
    lease: readOnly,
    append: readOnly,
    async *read(stream, fromSeq = 1) {
      const all = onDisk(runDir, () => entriesOf(runDir, readEvents(runDir)));
      const entries = all.filter((one) => stream === undefined || one.stream === stream);
      if (entries.length > 0) yield entries.filter(({ seq }) => seq >= fromSeq || stream === undefined);
    },
    saveSnapshot: async () => false,
    loadSnapshot: async () => undefined,
    notices: () => [],
    sideFile: async () => undefined,
    close: async () => {},
  };
}

/** The entries that a run's events stand for, in order. */
export function entriesOf(runDir: string, events: readonly RunEvent[]): readonly Entry[] {
  const entries: Entry[] = [];
  const seqs = new Map<string, number>();
  const names = new Map<string, string>();
  const began = new Set<string>();
  const taken = new Set<string>();
  let atMs = 0;
  const add = (stream: string, type: string, data: unknown) => {
    const seq = (seqs.get(stream) ?? 0) + 1;
    seqs.set(stream, seq);
    entries.push({ v: 1, stream, seq, at: atMs, epoch: 1, type, data: data as JsonValue });
  };
  const created = (name: string, id: string) => {
    if (began.has(name)) return;
    began.add(name);
    const machine = { id, version: '' };
    add(`group:${name}`, 'group.created', { name, machine, input: null, concurrency: 256, bounds: defaultBounds });
  };

  for (const { type, data, recordedAt, seq } of events) {
    atMs = momentMs(recordedAt) || atMs;
    const text = (field: string) => (typeof data[field] === 'string' ? data[field] : '');
    const effect = `group:${effectsGroup}`;
    const attempt = { member: names.get(text('effectId')) ?? text('effectId'), incarnation: 1, attempt: 1 };
    const name = shownAs(text('group'));
    const group = `group:${name}`;
    const note = () => add('run', 'log', { id: String(seq), message: type, data });
    switch (type) {
      case 'RUN_CREATED':
        add('run', 'run.created', { process: text('processId'), input: null, engine: 'babysitter' });
        break;
      case 'EFFECT_REQUESTED': {
        created(effectsGroup, 'babysitter');
        const label = text('label') || text('taskId');
        // Labels repeat; members do not.
        names.set(text('effectId'), taken.has(label) ? `${label} ${text('effectId').slice(-6)}` : label);
        const member = names.get(text('effectId')) ?? '';
        taken.add(member);
        add(effect, 'attempt.started', { member, incarnation: 1, attempt: 1, harness: text('kind') });
        break;
      }
      case 'EFFECT_RESOLVED':
        add(effect, 'member.settled', { ...attempt, outcome: outcomeOf(runDir, text('effectId'), data['error']) });
        break;
      case 'EFFECT_CANCELLED':
        add(effect, 'attempt.cancelled', { ...attempt, reason: text('reason') });
        break;
      case 'GROUP_CREATED':
        created(name, (data['machine'] as { readonly id?: string } | undefined)?.id ?? '');
        break;
      case 'GROUP_MEMBER_SETTLED': {
        const { member = '', incarnation = 1, attempt: tried = 1 } = data;
        const outcome = unspill(runDir, data['outcome']) ?? { status: 'ok', output: null };
        if (typeof member !== 'string' || !isEnd(outcome)) note();
        else add(group, 'member.settled', { member, incarnation, attempt: tried, outcome });
        break;
      }
      case 'GROUP_CHECKPOINT':
        add(group, 'checkpoint', data);
        break;
      case 'GROUP_MESSAGE': {
        const [id, from, to, kind] = [text('messageId'), text('from'), text('to'), text('type')];
        add(group, 'message', { id, from, to: to === 'coordinator' ? '' : to, type: kind, body: data['body'] ?? null });
        break;
      }
      case 'GROUP_ENDED': {
        const end = unspill(runDir, data['end']) ?? { status: 'completed', output: null };
        if (isEnd(end)) add(group, 'group.ended', end);
        else note();
        break;
      }
      case 'RUN_COMPLETED':
        add('run', 'run.ended', { status: 'completed', output: outputFrom(runDir, text('outputRef'), null) });
        break;
      case 'RUN_FAILED':
        add('run', 'run.ended', { status: 'failed', error: plainError(data['error']) });
        break;
      default:
        note();
    }
  }
  return entries;
}

const withoutError = new Set<unknown>(['ok', 'completed', 'cancelled']);

/** What an outcome, or the end of a group, looks like: somebody may have written another thing there. */
function isEnd(value: JsonValue): boolean {
  const { status, error } = (value ?? {}) as {
    readonly status?: unknown;
    readonly error?: { message?: unknown } | null;
  };
  return withoutError.has(status) || typeof error?.message === 'string';
}

function outcomeOf(runDir: string, effectId: string, error: JsonValue | undefined): JsonValue {
  if (error === undefined) return { status: 'ok', output: readResult(runDir, effectId)?.value ?? null };
  return { status: 'error', class: 'failed', error: plainError(error) as unknown as JsonValue };
}
