/** What a run's journal says of its effects, and whether the run has ended: a fold over its events, by babysitter's rules. */
import { corrupt } from './corrupt.ts';
import type { RunEvent } from './read-run.ts';

/** An effect of a run. */
export interface EffectRecord {
  readonly effectId: string;
  readonly invocationKey: string;
  readonly taskId: string;
  readonly kind: string;
  readonly label: string;
  /** Place and ISO time of its request. */
  readonly seq: number;
  readonly requestedAt: string;
  /** `cancelled`: newer versions only. */
  readonly status: 'cancelled' | 'error' | 'ok' | 'pending';
}

/** A run's effects and end. Owned by whoever folds: {@link foldEvent} changes it in place. */
export interface EffectIndex {
  readonly effects: Map<string, EffectRecord>;
  /** The last event that ended the run. */
  end: RunEvent | undefined;
  /** Place of the last event folded. */
  seq: number;
}

/** Of no events yet. */
export function emptyIndex(): EffectIndex {
  return { effects: new Map(), end: undefined, seq: 0 };
}

/** Folds the next event. Codes: JOURNAL_CORRUPT. */
export function foldEvent(index: EffectIndex, event: RunEvent): void {
  const { type, data, seq } = event;
  const text = (field: string) => (typeof data[field] === 'string' ? data[field] : '');
  const effectId = text('effectId');
  const known = index.effects.get(effectId);
  const refuse = (why: string): never => {
    throw corrupt(`journal/${event.file}: ${why}; babysitter refuses to replay that.`, { seq });
  };
  if (type === 'EFFECT_REQUESTED') {
    if (effectId === '' || known !== undefined) refuse(`effect \`${effectId}\` is requested a second time`);
    index.effects.set(effectId, {
      effectId,
      invocationKey: text('invocationKey'),
      taskId: text('taskId'),
      kind: text('kind'),
      label: text('label'),
      seq,
      requestedAt: event.recordedAt,
      status: 'pending',
    });
  } else if (type === 'EFFECT_RESOLVED') {
    const status = data['status'];
    if (known === undefined) return refuse(`effect \`${effectId}\` is resolved, and was never requested`);
    if (known.status === 'ok' || known.status === 'error') refuse(`effect \`${effectId}\` is resolved a second time`);
    if (status !== 'ok' && status !== 'error')
      return refuse(`effect \`${effectId}\` is resolved as ${JSON.stringify(status)}`);
    index.effects.set(effectId, { ...known, status });
  } else if (type === 'EFFECT_CANCELLED' && known?.status === 'pending') {
    index.effects.set(effectId, { ...known, status: 'cancelled' });
  } else if (type === 'RUN_COMPLETED' || type === 'RUN_FAILED') {
    index.end = event;
  }
  index.seq = seq;
}
