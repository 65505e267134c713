/** The space-time diagram: the entries around the cursor, a lane each for host, process, coordinator and members. */
import { useEffect, useMemo, useRef, useState } from 'preact/hooks';
import type { JSX } from 'preact';
import type { Frame, PropertyLane, ViewState } from '../model.ts';
import { ArrowHead } from './arrow-head.tsx';
import type { Player } from './player.ts';
import { PropertyLaneBlock } from './property-lane.tsx';
import { SaveButtons } from './save-buttons.tsx';
import { laneOf, spaceTime, type Arrow, type Bar } from './space-time-layout.ts';
import { duration } from './words.ts';

/** Widest and narrowest lane, px. */
const laneWidthMax = 130;
const laneWidthMin = 64;
const rowHeight = 22;
const headHeight = 6;
/** Room for the lanes' names in a drawing that is saved, px: there is no page around it that has them. */
const namesHeight = 18;
const left = 74;
/** Entries before and after the cursor that are drawn. */
const around = 120;
/** How long the cursor rests, after a long way, before the diagram follows, ms. */
const restMs = 60;
/** Lanes that are drawn; further members are counted. After so many entries it is looked anew which those are. */
const lanesMax = 40;
const laneStride = 20;
/** Letters of a message's name that are drawn between neighbouring lanes, and between others. */
const labelShort = 14;
const labelLong = 40;

/** The pane. */
export function SpaceTimePane(props: {
  readonly player: Player;
  readonly state: ViewState;
  readonly entries: number;
  readonly lane: PropertyLane;
  readonly why: readonly number[];
}): JSX.Element {
  const { player, state, entries, lane: properties, why } = props;
  const [hidesProgress, setHidesProgress] = useState(true);
  const [frames, setFrames] = useState<readonly Frame[]>([]);
  const scroller = useRef<HTMLDivElement>(null);
  const { position } = state;
  const wanted = Math.max(1, Math.floor((position - around) / 40) * 40);
  const [from, setFrom] = useState(wanted);
  useEffect(() => {
    if (wanted === from) return undefined;
    // While the cursor flies the diagram stays: it is drawn anew where it comes to rest.
    const timer = setTimeout(() => setFrom(wanted), Math.abs(wanted - from) > 2 * around ? restMs : 0);
    return () => clearTimeout(timer);
  }, [wanted, from]);
  const to = Math.min(entries, from + 2 * around + 40);
  useEffect(() => {
    let isCurrent = true;
    void player.frames(from, to).then((found) => {
      if (isCurrent) setFrames(found);
    });
    return () => {
      isCurrent = false;
    };
  }, [player, from, to]);
  const diagram = useMemo(
    () =>
      spaceTime(frames, state, {
        lanesMax,
        shows: ({ type }) => !(hidesProgress && (type === 'member.progress' || type === 'attempt.queued')),
      }),
    // Where not all lanes have room, which do changes with the stretch and now and then, not with each step.
    [frames, hidesProgress, Math.round(position / laneStride)],
  );
  const { lanes, rows, arrows, bars, crashes, lanesHidden, entriesHidden } = diagram;
  const y = (row: number) => headHeight + 16 + row * rowHeight;
  const [room, setRoom] = useState(600);
  useEffect(() => {
    const box = scroller.current;
    if (box === null) return undefined;
    const observer = new ResizeObserver(() => setRoom(box.clientWidth));
    observer.observe(box);
    return () => observer.disconnect();
  }, []);
  const laneWidth = Math.max(
    laneWidthMin,
    Math.min(laneWidthMax, Math.floor((room - left - 10) / Math.max(1, lanes.length))),
  );
  const x = (lane: number) => left + laneWidth / 2 + lane * laneWidth;
  const current = rows.findIndex((row) => row.position >= position);
  const cursorRow = current === -1 ? rows.length - 1 : current;
  useEffect(() => {
    const box = scroller.current;
    if (box === null) return;
    const at = y(cursorRow);
    if (at < box.scrollTop + headHeight + 40 || at > box.scrollTop + box.clientHeight - 60)
      box.scrollTop = at - box.clientHeight / 2;
  }, [cursorRow, rows]);
  const width = left + lanes.length * laneWidth + 10;
  const height = y(rows.length) + 10;
  const slice = new Set(why);
  const hidden = [
    lanesHidden > 0 ? `${lanesHidden} lanes hidden` : '',
    entriesHidden > 0 ? `${entriesHidden} entries hidden` : '',
  ].filter((one) => one !== '');
  return (
    <section class="pane space-time" aria-label="Space-time diagram">
      <header>
        <h2>Messages in time</h2>
        <span class="hidden-count">{hidden.join(', ')}</span>
        <label>
          <input
            type="checkbox"
            checked={hidesProgress}
            onChange={({ currentTarget }) => setHidesProgress(currentTarget.checked)}
          />{' '}
          hide progress
        </label>
        <SaveButtons name="messages" />
      </header>
      <div class="scroll" ref={scroller}>
        <div class="heads" style={{ width: `${width}px`, paddingLeft: `${left}px` }}>
          {lanes.map((lane) => (
            <span key={lane.key} class={lane.kind} style={{ width: `${laneWidth}px` }} title={lane.title}>
              {lane.title}
            </span>
          ))}
        </div>
        <svg
          class="spacetime"
          width={width}
          height={height}
          role="img"
          aria-label={`entries ${from} to ${to}`}
          data-above={namesHeight}
        >
          <ArrowHead id="message-arrow" />
          {rows.map(({ position: at, frame, idleMs }, row) => (
            <g
              key={at}
              class={`row${at === position ? ' current' : ''}${slice.has(at) ? ' cause' : ''}${frame.fault === undefined ? '' : ' fault'}`}
              onClick={() => void player.go(at)}
            >
              <rect class="hit" x={0} y={y(row) - rowHeight / 2} width={width} height={rowHeight} />
              <text class="position" x={6} y={y(row) + 4}>
                {at}
              </text>
              {idleMs > 0 ? (
                <text class="idle" x={left - 4} y={y(row) - rowHeight / 2 + 3} text-anchor="end">
                  ⋮ {duration(idleMs)}
                </text>
              ) : null}
              <title>{`${at} ${frame.type} ${frame.summary}`}</title>
            </g>
          ))}
          {crashes.map(({ from: a, to: b }) => (
            <rect key={a} class="crash" x={left} y={y(a)} width={width - left} height={y(b) - y(a)}>
              <title>the host died here; another took over</title>
            </rect>
          ))}
          {lanes.map((lane, at) => (
            <g key={lane.key} class={`lane ${lane.kind}`}>
              <line x1={x(at)} x2={x(at)} y1={headHeight} y2={height} />
              <text x={x(at)} y={-6} text-anchor="middle">
                {cut(lane.title, Math.floor(laneWidth / letterWidth))}
              </text>
            </g>
          ))}
          {bars.map((bar) => (
            <AttemptBar
              key={`${bar.lane} ${bar.from}`}
              bar={bar}
              x={x(bar.lane)}
              top={bar.from < 0 ? headHeight : y(bar.from)}
              bottom={bar.to === undefined ? height : y(bar.to)}
            />
          ))}
          {arrows.map((arrow, index) => (
            <MessageArrow key={index} arrow={arrow} x={x} y={y} />
          ))}
          {rows.map(({ position: at, frame }, row) => {
            if (frame.type.startsWith('check.'))
              return <Annotation key={at} frame={frame} x={left} y={y(row)} width={width - left} />;
            const lane = lanes.findIndex(({ key }) => key === keyOf(frame));
            return lane === -1 ? null : (
              <circle
                key={at}
                class={`event ${frame.type.replaceAll('.', '-')}${frame.isOk === false ? ' failed' : ''}`}
                cx={x(lane)}
                cy={y(row)}
                r={3.5}
              >
                <title>{`${frame.type} ${frame.summary}`}</title>
              </circle>
            );
          })}
        </svg>
      </div>
      <PropertyLaneBlock
        lane={properties}
        judged={state.judged}
        position={position}
        entries={entries}
        onGo={(at) => void player.go(at)}
      />
    </section>
  );
}

function keyOf({ stream, who, type }: Frame): string {
  if (!stream.startsWith('group:')) return type === 'epoch.taken' || type === 'journal.repaired' ? 'host' : 'process';
  const group = stream.slice('group:'.length);
  return laneOf(group, type === 'signal' || who === 'process' || who === 'outside' ? '' : who);
}

/** Signs of what the check kit says. */
const signs: Readonly<Record<string, string>> = { 'check.loop': '↻', 'check.properties': '◆' };
/** Room that a letter takes, px. */
const letterWidth = 5.9;

/** What the check kit says of this place: a fault, the violation, what properties come to. */
function Annotation(props: {
  readonly frame: Frame;
  readonly x: number;
  readonly y: number;
  readonly width: number;
}): JSX.Element {
  const { frame, x, y, width } = props;
  const text = `${signs[frame.type] ?? '✗'} ${frame.summary}`;
  return (
    <text class={`annotation${frame.fault === undefined ? '' : ' fault'}`} x={x} y={y + 4}>
      {cut(text, Math.floor(width / letterWidth))}
    </text>
  );
}

/** At most `most` UTF-16 units, no character cut in half. */
function cut(text: string, most: number): string {
  return text.length > most ? `${text.slice(0, most - 1).replace(/[\ud800-\udbff]$/, '')}…` : text;
}

function AttemptBar({
  bar,
  x,
  top,
  bottom,
}: {
  readonly bar: Bar;
  readonly x: number;
  readonly top: number;
  readonly bottom: number;
}): JSX.Element {
  return (
    <rect class={`bar ${bar.end}`} x={x - 7} y={top} width={14} height={Math.max(3, bottom - top)} rx={3}>
      <title>{`${bar.label} — ${bar.end}`}</title>
    </rect>
  );
}

function MessageArrow({
  arrow,
  x,
  y,
}: {
  readonly arrow: Arrow;
  readonly x: (lane: number) => number;
  readonly y: (row: number) => number;
}): JSX.Element {
  const { from, to, kind, label } = arrow;
  const ends = { x1: x(from.lane), y1: y(from.row), x2: x(to.lane), y2: y(to.row) };
  if (kind === 'read') {
    return (
      <path class="arrow read" d={`M${ends.x1 + 7},${ends.y1}q14,${(ends.y2 - ends.y1) / 2} 0,${ends.y2 - ends.y1}`} />
    );
  }
  if (kind === 'lost') {
    return (
      <g class="arrow lost">
        <title>{label}</title>
        <text x={ends.x1 + 10} y={ends.y1 + 4}>
          ✕ dead letter
        </text>
      </g>
    );
  }
  const isShort = Math.abs(to.lane - from.lane) < 2;
  return (
    <g class={`arrow ${kind}`}>
      <title>{label}</title>
      <line {...ends} marker-end="url(#message-arrow)" />
      <text x={(ends.x1 + ends.x2) / 2} y={ends.y1 - 3} text-anchor="middle">
        {cut(label, isShort ? labelShort : labelLong)}
      </text>
    </g>
  );
}
