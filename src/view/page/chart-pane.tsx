/** The statechart of one actor at the cursor: what is active, the way it came, and how often it was where. */
import { useEffect, useState } from 'preact/hooks';
import type { JSX } from 'preact';
import type { Chart } from '../chart.ts';
import { keyFor } from '../key.ts';
import type { ActorState, GroupState } from '../model.ts';
import { ArrowHead } from './arrow-head.tsx';
import { headerHeight, lineHeight, pathOf, type DrawnChart, type DrawnEdge, type DrawnNode } from './chart-graph.ts';
import type { Layouts } from './layout.ts';
import { SaveButtons } from './save-buttons.tsx';

/** Which actor is looked at. */
export interface Focus {
  readonly group: string;
  /** `''` is the coordinator. */
  readonly address: string;
}

/** The pane: a choice of actors, and the chart of the chosen one. */
export function ChartPane(props: {
  readonly groups: Readonly<Record<string, GroupState>>;
  readonly charts: Readonly<Record<string, Chart>>;
  readonly focus: Focus;
  readonly layouts: Layouts;
  readonly onFocus: (focus: Focus) => void;
}): JSX.Element {
  const { groups, charts, focus, layouts, onFocus } = props;
  const group = groups[keyFor(focus.group)] ?? Object.values(groups)[0];
  const actors = Object.values(group?.actors ?? {}).filter(({ chart }) => chart !== null);
  const actor = group?.actors[keyFor(focus.address)] ?? actors[0];
  const chart = actor?.chart === null || actor === undefined ? undefined : charts[actor.chart];
  return (
    <section class="pane chart" aria-label="Statechart">
      <header>
        <h2>Statechart</h2>
        <select
          aria-label="Group"
          value={group?.name ?? ''}
          onChange={({ currentTarget }) => onFocus({ group: currentTarget.value, address: '' })}
        >
          {Object.values(groups).map(({ name }) => (
            <option key={name} value={name}>
              {name}
            </option>
          ))}
        </select>
        {actors.length > 1 ? (
          <select
            aria-label="Actor"
            value={actor?.address ?? ''}
            onChange={({ currentTarget }) => onFocus({ group: group?.name ?? '', address: currentTarget.value })}
          >
            {actors.map(({ address }) => (
              <option key={address} value={address}>
                {address === '' ? 'coordinator' : address}
              </option>
            ))}
          </select>
        ) : null}
        {actor === undefined ? null : <span class={`status ${actor.status}`}>{actor.status}</span>}
        {chart === undefined ? null : <SaveButtons name={`statechart ${chart.id}`} />}
      </header>
      {chart === undefined || actor === undefined ? (
        <p class="empty">
          {group === undefined ? 'No group yet at this position.' : 'No machine is known for this group.'}
        </p>
      ) : (
        <ChartDrawing chart={chart} actor={actor} layouts={layouts} />
      )}
    </section>
  );
}

/** One chart; a nested list where no layout came in time. */
export function ChartDrawing({
  chart,
  actor,
  layouts,
}: {
  readonly chart: Chart;
  readonly actor?: ActorState | undefined;
  readonly layouts: Layouts;
}): JSX.Element {
  const [drawn, setDrawn] = useState<{ readonly chart: Chart; readonly drawing: DrawnChart | undefined }>();
  useEffect(() => {
    let isCurrent = true;
    void layouts.of(chart).then((drawing) => {
      if (isCurrent) setDrawn({ chart, drawing });
    });
    return () => {
      isCurrent = false;
    };
  }, [chart, layouts]);
  if (drawn === undefined || drawn.chart.id !== chart.id || drawn.chart.version !== chart.version)
    return <p class="empty">Laying out…</p>;
  if (drawn.drawing === undefined) return <ChartList chart={chart} actor={actor} />;
  return <ChartSvg drawing={drawn.drawing} actor={actor} />;
}

function ChartSvg({
  drawing,
  actor,
}: {
  readonly drawing: DrawnChart;
  readonly actor: ActorState | undefined;
}): JSX.Element {
  const active = new Set(actor?.active ?? []);
  const last = new Set(actor?.lastTransitions ?? []);
  const visits = actor?.visits ?? {};
  const most = Math.max(1, ...Object.values(visits));
  const named = `${drawing.nodes[0]?.node.key ?? ''}: ${[...active].join(', ') || 'not started'}`;
  return (
    <div class="scroll">
      <svg
        class="statechart"
        width={drawing.width}
        height={drawing.height}
        viewBox={`0 0 ${drawing.width} ${drawing.height}`}
        role="img"
        aria-label={named}
      >
        <ArrowHead id="arrow" />
        {drawing.nodes.map((one) => (
          <StateBox
            key={one.node.id}
            drawn={one}
            isActive={active.has(one.node.id)}
            heat={(visits[keyFor(one.node.id)] ?? 0) / most}
            visits={visits[keyFor(one.node.id)] ?? 0}
            last={last}
          />
        ))}
        {drawing.edges.map((edge, index) => (
          <Route key={edge.transition?.id ?? index} edge={edge} isLast={last.has(edge.transition?.id ?? '')} />
        ))}
        {drawing.initials.map(({ x, y }) => (
          <circle key={`${x} ${y}`} class="initial" cx={x} cy={y} r={5} />
        ))}
      </svg>
    </div>
  );
}

function StateBox({
  drawn: { node, x, y, width, height, lines },
  isActive,
  heat,
  visits,
  last,
}: {
  readonly drawn: DrawnNode;
  readonly isActive: boolean;
  readonly heat: number;
  readonly visits: number;
  readonly last: ReadonlySet<string>;
}): JSX.Element {
  if (node.type === 'history') {
    return (
      <g class="state history" data-id={node.id}>
        <circle cx={x + width / 2} cy={y + height / 2} r={width / 2 - 1} />
        <text x={x + width / 2} y={y + height / 2 + 4} text-anchor="middle">
          {node.history === 'deep' ? 'H*' : 'H'}
        </text>
      </g>
    );
  }
  const kind = `state ${node.type}${isActive ? ' active' : ''}${visits === 0 ? ' unvisited' : ''}`;
  return (
    <g class={kind} data-id={node.id}>
      <title>{`${node.id}${node.description === '' ? '' : ` — ${node.description}`} · entered ${visits}×`}</title>
      <rect x={x} y={y} width={width} height={height} rx={8} style={{ '--heat': String(heat) }} />
      {node.type === 'final' ? (
        <rect class="inner" x={x + 3} y={y + 3} width={width - 6} height={height - 6} rx={6} />
      ) : null}
      <text class="title" x={x + 12} y={y + 17}>
        {node.key}
      </text>
      {visits > 1 ? (
        <text class="visits" x={x + width - 8} y={y + 16} text-anchor="end">
          {`${visits}×`}
        </text>
      ) : null}
      {lines.map(({ text, transition }, index) => (
        <text
          key={text}
          class={`line${transition !== undefined && last.has(transition) ? ' last' : ''}`}
          x={x + 12}
          y={y + headerHeight + 9 + index * lineHeight}
        >
          {text}
        </text>
      ))}
    </g>
  );
}

function Route({ edge, isLast }: { readonly edge: DrawnEdge; readonly isLast: boolean }): JSX.Element {
  const { label } = edge;
  return (
    <g
      class={`edge${isLast ? ' last' : ''}${edge.transition === undefined ? ' start' : ''}`}
      data-id={edge.transition?.id}
    >
      <path d={pathOf(edge.points)} marker-end="url(#arrow)" />
      {label === undefined ? null : (
        <g class="label">
          <rect x={label.x} y={label.y} width={label.width} height={label.height} rx={3} />
          {label.lines.map((text, index) => (
            <text key={text} x={label.x + label.width / 2} y={label.y + 12 + index * 15} text-anchor="middle">
              {text}
            </text>
          ))}
        </g>
      )}
    </g>
  );
}

/** A chart as a nested list: for machines that are too large to lay out in time, and for readers who do not look. */
export function ChartList({
  chart,
  actor,
}: {
  readonly chart: Chart;
  readonly actor?: ActorState | undefined;
}): JSX.Element {
  const active = new Set(actor?.active ?? []);
  const under = (parent: string | null): JSX.Element => (
    <ul>
      {chart.nodes
        .filter((node) => node.parent === parent)
        .map((node) => (
          <li key={node.id} class={active.has(node.id) ? 'active' : ''}>
            <span class="title">{node.key}</span>
            <span class="kind">{node.type === 'atomic' || node.type === 'compound' ? '' : ` ${node.type}`}</span>
            {active.has(node.id) ? <span class="kind"> (active)</span> : null}
            {chart.transitions
              .filter(({ source }) => source === node.id)
              .map((one) => (
                <div key={one.id} class="line">
                  {one.label}
                  {one.guard === '' ? '' : ` [${one.guard}]`}
                  {one.targets.length === 0 ? '' : ` → ${one.targets.join(', ')}`}
                  {one.actions.length === 0 ? '' : ` / ${one.actions.join(', ')}`}
                </div>
              ))}
            {under(node.id)}
          </li>
        ))}
    </ul>
  );
  return <div class="scroll outline">{under(null)}</div>;
}
