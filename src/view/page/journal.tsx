/** The journal as a list: only what is in sight is drawn, and only what is drawn is fetched. */
import { useEffect, useMemo, useRef, useState } from 'preact/hooks';
import type { JSX } from 'preact';
import type { Frame } from '../model.ts';
import { longList, rowHeight } from './long-list.ts';
import type { Player } from './player.ts';
import { count, moment } from './words.ts';

/** Entries around the cursor that a filter looks through, and by how many that stretch moves with the cursor. */
const searchedMax = 20_000;
const searchedStride = 5_000;

/** The pane. */
export function JournalPane({
  player,
  start,
  entries,
  position,
  why,
}: {
  readonly player: Player;
  /** Position before the first entry that is here. */
  readonly start: number;
  readonly entries: number;
  readonly position: number;
  readonly why: readonly number[];
}): JSX.Element {
  const scroller = useRef<HTMLDivElement>(null);
  const [top, setTop] = useState(0);
  const [size, setSize] = useState(600);
  const [filter, setFilter] = useState('');
  const [found, setFound] = useState<{ readonly filter: string; readonly frames: readonly Frame[] }>();
  const [, setLoaded] = useState(0);
  const matches = useMemo(() => matcher(filter), [filter]);
  // The whole of a large run would be a long wait for little.
  const middle = Math.round(position / searchedStride) * searchedStride;
  const from = Math.max(start, middle - searchedMax / 2) + 1;
  const to = Math.min(entries, middle + searchedMax / 2);
  useEffect(() => {
    if (filter === '') {
      setFound(undefined);
      return undefined;
    }
    let isCurrent = true;
    const timer = setTimeout(() => {
      void player.frames(from, to).then((frames) => {
        if (isCurrent) setFound({ filter, frames: frames.filter(matches) });
      });
    }, 150);
    return () => {
      isCurrent = false;
      clearTimeout(timer);
    };
  }, [filter, player, from, to]);
  const list = filter === '' ? undefined : (found?.frames ?? []);
  const length = list?.length ?? entries - start;
  const { height, first, last, offset } = longList({ length, size, top });
  useEffect(() => {
    if (list !== undefined || length === 0) return;
    void player.frames(start + first + 1, start + last).then(() => setLoaded((times) => times + 1));
  }, [first, last, list, length]);
  useEffect(() => {
    const box = scroller.current;
    if (box === null) return;
    setSize(box.clientHeight);
    // Before the first entry the list stands at it.
    const row =
      list === undefined ? Math.max(0, position - start - 1) : list.findIndex((frame) => frame.position >= position);
    if (row < 0) return;
    const wanted = longList({ length, size: box.clientHeight, top: box.scrollTop }).topFor(row);
    if (wanted !== undefined) box.scrollTop = wanted;
  }, [position, list === undefined]);
  const slice = useMemo(() => new Set(why), [why]);
  const shown: { readonly at: number; readonly frame: Frame | undefined }[] = [];
  for (let row = first; row < last; row += 1) {
    const frame = list === undefined ? player.frameAt(start + row + 1) : list[row];
    shown.push({ at: row, frame });
  }
  return (
    <section class="pane journal" aria-label="Journal">
      <header>
        <h2>Journal</h2>
        <input
          type="search"
          placeholder="filter: member, type, text"
          aria-label="Filter entries"
          value={filter}
          onInput={({ currentTarget }) => setFilter(currentTarget.value)}
        />
        {list === undefined ? null : (
          <span class="hidden-count">
            {found === undefined
              ? '…'
              : `${count(list.length)} of ${to - from + 1 < entries ? `the ${count(to - from + 1)} around the cursor` : count(entries)}`}
          </span>
        )}
      </header>
      <div
        class="scroll"
        ref={scroller}
        onScroll={({ currentTarget }) => {
          setTop(currentTarget.scrollTop);
          setSize(currentTarget.clientHeight);
        }}
      >
        <div class="tall" style={{ height: `${height}px` }}>
          <ol style={{ transform: `translateY(${offset}px)` }}>
            {shown.map(({ at, frame }) => (
              <li
                key={frame?.position ?? -at}
                class={
                  frame === undefined
                    ? 'loading'
                    : `${frame.position === position ? 'current' : ''} ${slice.has(frame.position) ? 'cause' : ''} ${frame.fault === undefined ? '' : 'fault'}`
                }
                style={{ height: `${rowHeight}px` }}
              >
                {frame === undefined ? (
                  '…'
                ) : (
                  <button type="button" onClick={() => void player.go(frame.position)} tabIndex={-1}>
                    <span class="position">{frame.position}</span>
                    <span class="time">{moment(frame.atMs)}</span>
                    <span class="stream">{frame.stream.replace(/^group:/, '')}</span>
                    <span class="type">{frame.type}</span>
                    <span class="summary">{frame.summary}</span>
                  </button>
                )}
              </li>
            ))}
          </ol>
        </div>
      </div>
    </section>
  );
}

/** All words of the filter, each anywhere in an entry's line. */
function matcher(filter: string): (frame: Frame) => boolean {
  const words = filter
    .toLowerCase()
    .split(/\s+/)
    .filter((word) => word !== '');
  return ({ stream, type, who, summary }) => {
    const line = `${stream} ${type} ${who} ${summary}`.toLowerCase();
    return words.every((word) => line.includes(word));
  };
}
