/** OpenTelemetry spans as OTLP JSON: the run, its groups, and each attempt; messages and checkpoints as events of their spans. */
import type { JsonValue } from '../../json.ts';
import { hashText, hashToText } from '../../group/digest.ts';
import { pairKey } from '../key.ts';
import type { Frame } from '../model.ts';
import { engineVersion } from '../../version.ts';

/** Ids are digests of names, so that the same run is the same trace whenever it is exported. */
const spanId = (name: string) => hashToText(hashText(name)).padStart(16, '0').slice(0, 16);
const traceId = (run: string) => `${spanId(`trace ${run}`)}${spanId(`run ${run}`)}`;
const nanos = (ms: number) => `${ms}000000`;

interface Span {
  readonly name: string;
  readonly spanId: string;
  readonly parentSpanId: string;
  readonly startMs: number;
  endMs: number;
  status: 0 | 1 | 2;
  readonly attributes: Record<string, boolean | number | string>;
  readonly events: { readonly name: string; readonly atMs: number; readonly attributes: Record<string, string> }[];
}

/** The trace of a run. */
export function otlp(run: string, frames: readonly Frame[]): JsonValue {
  const spans = new Map<string, Span>();
  const first = frames[0]?.atMs ?? 0;
  const last = frames.at(-1)?.atMs ?? 0;
  const open = (key: string, name: string, parent: string, startMs: number, attributes: Span['attributes']): Span => {
    const span: Span = {
      name,
      spanId: spanId(`${run} ${key}`),
      parentSpanId: parent,
      startMs,
      endMs: last,
      status: 0,
      attributes,
      events: [],
    };
    spans.set(key, span);
    return span;
  };
  const root = open('run', `run ${run}`, '', first, { 'troupe.run': run });
  const attempts = new Map<string, string>();
  for (const { stream, who, type, summary, atMs, position, seq, isOk } of frames) {
    if (!stream.startsWith('group:')) {
      if (type === 'run.ended') {
        root.endMs = atMs;
        root.status = summary.startsWith('completed') ? 1 : 2;
      } else root.events.push({ name: type, atMs, attributes: { summary } });
      continue;
    }
    const group = stream.slice('group:'.length);
    const groupSpan =
      spans.get(stream) ??
      open(stream, `group ${group}`, root.spanId, atMs, { 'troupe.run': run, 'troupe.group': group });
    if (type === 'group.ended') {
      groupSpan.endMs = atMs;
      groupSpan.status = summary.startsWith('completed') ? 1 : 2;
      continue;
    }
    const member = pairKey(stream, who);
    if (type === 'attempt.started') {
      const key = `${member} ${seq}`;
      attempts.set(member, key);
      open(key, who, groupSpan.spanId, atMs, {
        'troupe.run': run,
        'troupe.group': group,
        'troupe.member': who,
        'troupe.position': position,
        'troupe.harness': summary,
      });
      continue;
    }
    const attempt = spans.get(attempts.get(member) ?? '');
    if (attempt !== undefined && ['attempt.cancelled', 'attempt.failed', 'member.settled'].includes(type)) {
      attempt.endMs = atMs;
      attempt.status = isOk === true ? 1 : 2;
      attempt.attributes['troupe.end'] = summary;
      attempts.delete(member);
      continue;
    }
    (attempt ?? groupSpan).events.push({ name: type, atMs, attributes: { summary } });
  }
  const value = (one: boolean | number | string): JsonValue =>
    typeof one === 'string'
      ? { stringValue: one }
      : typeof one === 'number'
        ? { intValue: String(one) }
        : { boolValue: one };
  const listed = (attributes: Record<string, boolean | number | string>): JsonValue =>
    Object.entries(attributes).map(([key, one]) => ({ key, value: value(one) }));
  return {
    resourceSpans: [
      {
        resource: { attributes: listed({ 'service.name': 'troupe', 'service.version': engineVersion }) },
        scopeSpans: [
          {
            scope: { name: 'troupe', version: engineVersion },
            spans: [...spans.values()].map((span) => ({
              traceId: traceId(run),
              spanId: span.spanId,
              ...(span.parentSpanId === '' ? {} : { parentSpanId: span.parentSpanId }),
              name: span.name,
              kind: 1,
              startTimeUnixNano: nanos(span.startMs),
              endTimeUnixNano: nanos(Math.max(span.startMs, span.endMs)),
              attributes: listed(span.attributes),
              events: span.events.map(({ name, atMs, attributes }) => ({
                name,
                timeUnixNano: nanos(atMs),
                attributes: listed(attributes),
              })),
              status: { code: span.status },
            })),
          },
        ],
      },
    ],
  };
}
