/** A statechart as one SVG file: the drawing of the page, with its styles in it. */
import type { ActorState } from '../model.ts';
import { headerHeight, lineHeight, pathOf, type DrawnChart, type Measure } from '../page/chart-graph.ts';

/** Widths of printable ASCII in Helvetica, thousandths of the font's size; other characters count as a wide one. */
const widths =
  '278 278 355 556 556 889 667 191 333 333 389 584 278 333 278 278 556 556 556 556 556 556 556 556 556 556 278 278 584 584 584 556 1015 667 667 722 722 667 611 778 722 278 500 667 556 833 722 778 667 778 722 667 611 722 667 944 667 667 611 278 278 278 469 556 333 556 556 500 556 556 278 556 556 222 222 500 222 833 556 556 556 556 333 500 278 556 500 722 500 500 500 334 260 334 584'
    .split(' ')
    .map(Number);

/** Measures without a screen, a little generously: whose font is wider must still fit. */
export const tableMeasure: Measure = (text, isSmall) => {
  let units = 0;
  for (const character of text) units += widths[(character.codePointAt(0) ?? 0) - 32] ?? 700;
  return (units / 1000) * (isSmall ? 11.5 : 13.5) * 1.08 + 2;
};

const escaped = (text: string) =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');

const style = `
svg{background:#fff}text{font:11.5px Helvetica,Arial,"DejaVu Sans",sans-serif;fill:#16181d}
.title{font-weight:600;font-size:13px}.line{fill:#5b6472}.state rect{fill:#f6f7f9;stroke:#b8bfca}
.parallel>rect{stroke-dasharray:7 4}.active>rect{stroke:#1d5fd1;stroke-width:2;fill:#e6efff}.inner{fill:none}
.history circle{fill:#f6f7f9;stroke:#b8bfca}.edge path{fill:none;stroke:#5b6472}.edge rect{fill:#fff}
.last path{stroke:#1d5fd1;stroke-width:2}.last text{fill:#1d5fd1}marker path{fill:#5b6472}`;

/** The file. `actor`: marks what is active and the last transition. */
export function chartSvg({ width, height, nodes, edges, initials }: DrawnChart, actor?: ActorState): string {
  const active = new Set(actor?.active ?? []);
  const last = new Set(actor?.lastTransitions ?? []);
  const parts: string[] = [];
  for (const { node, x, y, width: w, height: h, lines } of nodes) {
    if (node.type === 'history') {
      parts.push(
        `<g class="history"><circle cx="${x + w / 2}" cy="${y + h / 2}" r="${w / 2 - 1}"/><text x="${x + w / 2}" y="${y + h / 2 + 4}" text-anchor="middle">${node.history === 'deep' ? 'H*' : 'H'}</text></g>`,
      );
      continue;
    }
    const kind = `state ${node.type}${active.has(node.id) ? ' active' : ''}`;
    const inner =
      node.type === 'final'
        ? `<rect class="inner" x="${x + 3}" y="${y + 3}" width="${w - 6}" height="${h - 6}" rx="6"/>`
        : '';
    const told = lines.map(
      ({ text }, index) =>
        `<text class="line" x="${x + 12}" y="${y + headerHeight + 9 + index * lineHeight}">${escaped(text)}</text>`,
    );
    parts.push(
      `<g class="${kind}"><rect x="${x}" y="${y}" width="${w}" height="${h}" rx="8"/>${inner}<text class="title" x="${x + 12}" y="${y + 17}">${escaped(node.key)}</text>${told.join('')}</g>`,
    );
  }
  for (const { transition, points, label } of edges) {
    const isLast = last.has(transition?.id ?? '');
    const told =
      label === undefined
        ? ''
        : `<rect x="${label.x}" y="${label.y}" width="${label.width}" height="${label.height}" rx="3"/>${label.lines
            .map(
              (text, index) =>
                `<text x="${label.x + label.width / 2}" y="${label.y + 12 + index * 15}" text-anchor="middle">${escaped(text)}</text>`,
            )
            .join('')}`;
    parts.push(
      `<g class="edge${isLast ? ' last' : ''}"><path d="${pathOf(points)}" marker-end="url(#arrow)"/>${told}</g>`,
    );
  }
  for (const { x, y } of initials) parts.push(`<circle cx="${x}" cy="${y}" r="5"/>`);
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}"><style>${style}</style><defs><marker id="arrow" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" orient="auto-start-reverse"><path d="M0,0L8,4L0,8z"/></marker></defs>${parts.join('')}</svg>\n`;
}
