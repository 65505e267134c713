/** The bar: which run, how it stands at the cursor, and moving the cursor. */
import type { JSX } from 'preact';
import type { Frame, Mark } from '../model.ts';
import type { Player, Shown } from './player.ts';
import { count, duration, moment } from './words.ts';

/** Keys, and what they do. */
export const keys: readonly (readonly [string, string])[] = [
  ['← →', 'one entry back, on'],
  ['Shift ← →', 'ten entries'],
  ['Home End', 'first, last'],
  ['Space', 'play, stop'],
  ['m M', 'next, previous entry of the same member'],
  ['t T', 'next, previous message'],
  ['c C', 'next, previous checkpoint'],
  ['f F', 'next, previous failure or dead letter'],
  ['v V', 'next, previous violation'],
  ['p P', 'next, previous change of a property'],
  ['w', 'why?'],
  ['/', 'filter the journal'],
  ['Esc', 'not to do what is asked, or to close what was said'],
  ['?', 'these keys'],
];

/** The bar. */
export function Bar({ player, shown }: { readonly player: Player; readonly shown: Shown }): JSX.Element {
  const { overview, start, state, isFollowing, isPlaying, isLoading, trouble } = shown;
  const { position, run } = state;
  return (
    <header class="bar">
      <div class="what">
        <h1>{overview.title}</h1>
        <span class={`status ${run.status}`} aria-live="polite">
          {run.status}
        </span>
        {overview.isLive ? (
          <button type="button" aria-pressed={isFollowing} onClick={() => player.followEnd(!isFollowing)}>
            {isFollowing ? '● live' : '○ live'}
          </button>
        ) : null}
        <span class="quiet">
          {run.process === '' ? '' : `process ${run.process} · `}epoch {run.epoch}
          {run.end === '' ? '' : ` · ${run.end}`}
        </span>
      </div>
      <div class="moves">
        <button type="button" onClick={() => void player.go(0)} aria-label="First">
          |◀
        </button>
        <button type="button" onClick={() => void player.go(position - 1)} aria-label="One entry back">
          ◀
        </button>
        <button
          type="button"
          onClick={() => (isPlaying ? player.stop() : player.play(8))}
          aria-label={isPlaying ? 'Stop' : 'Play'}
        >
          {isPlaying ? 'stop' : 'play'}
        </button>
        <button type="button" onClick={() => void player.go(position + 1)} aria-label="One entry on">
          ▶
        </button>
        <button type="button" onClick={() => void player.go(overview.entries)} aria-label="Last">
          ▶|
        </button>
        <output class="where" aria-live="off">
          {count(position)} / {count(overview.entries)}
          {isLoading ? ' …' : ''}
        </output>
        <span class="quiet">
          {moment(state.atMs)}
          {state.atMs > 0 && overview.firstMs > 0 ? ` · ${duration(state.atMs - overview.firstMs)}` : ''}
        </span>
      </div>
      <div class="track">
        <Marks marks={overview.marks} start={start} entries={overview.entries} />
        <input
          type="range"
          min={start}
          max={overview.entries}
          value={position}
          aria-label="Position in the journal"
          onInput={({ currentTarget }) => void player.go(Number(currentTarget.value))}
        />
      </div>
      {trouble === '' ? null : (
        <p class="warning" role="alert">
          {trouble}
        </p>
      )}
      {overview.notices.map((notice) => (
        <p key={notice} class="warning">
          {notice}
        </p>
      ))}
    </header>
  );
}

function Marks({
  marks,
  start,
  entries,
}: {
  readonly marks: readonly Mark[];
  readonly start: number;
  readonly entries: number;
}): JSX.Element {
  const seen = new Set<string>();
  return (
    <svg class="marks" viewBox="0 0 1000 8" preserveAspectRatio="none" aria-hidden="true">
      {marks.map(({ position, kind, label }) => {
        if (position < start) return null;
        const x = Math.round(((position - start) / Math.max(1, entries - start)) * 1000);
        const key = `${kind} ${x}`;
        if (seen.has(key)) return null;
        seen.add(key);
        return (
          <rect key={key} class={kind} x={x - 1} y={0} width={2} height={8}>
            <title>{`${position} ${label}`}</title>
          </rect>
        );
      })}
    </svg>
  );
}

const failures = new Set(['attempt.failed', 'letter.dead']);
const isFailure = ({ type, summary, isOk }: Frame) =>
  failures.has(type) || isOk === false || (type.endsWith('.ended') && summary.startsWith('failed'));

/** Moves by a key; true when it was one. */
export async function moveBy(event: KeyboardEvent, player: Player, shown: Shown): Promise<void> {
  const { state, frame, overview } = shown;
  const jump = async (by: -1 | 1, passes: (one: Frame) => boolean) => {
    const found = await player.find(by, passes);
    if (found !== undefined) await player.go(found);
  };
  const markJump = (by: -1 | 1, kind: Mark['kind']) =>
    jumpAmong(
      by,
      overview.marks.filter((mark) => mark.kind === kind).map(({ position }) => position),
    );
  const jumpAmong = (by: -1 | 1, those: readonly number[]) => {
    const next = by === 1 ? those.find((at) => at > state.position) : those.findLast((at) => at < state.position);
    return next === undefined ? undefined : player.go(next);
  };
  const by = event.shiftKey ? -1 : 1;
  switch (event.key) {
    case 'ArrowLeft':
      return player.go(state.position - (event.shiftKey ? 10 : 1));
    case 'ArrowRight':
      return player.go(state.position + (event.shiftKey ? 10 : 1));
    case 'Home':
      return player.go(0);
    case 'End':
      return player.go(overview.entries);
    case ' ':
      return shown.isPlaying ? player.stop() : player.play(8);
    case 'm':
    case 'M':
      return jump(by, (one) => frame !== undefined && one.stream === frame.stream && one.who === frame.who);
    case 't':
    case 'T':
      return jump(by, ({ type }) => type === 'message' || type === 'signal');
    case 'c':
    case 'C':
      return markJump(by, 'checkpoint');
    case 'f':
    case 'F':
      return jump(by, isFailure);
    case 'v':
    case 'V':
      return markJump(by, 'violation');
    case 'p':
    case 'P':
      return jumpAmong(
        by,
        overview.lane.rows.flatMap(({ changes }) => changes.map(({ position }) => position)).sort((a, b) => a - b),
      );
    default:
      return undefined;
  }
}
