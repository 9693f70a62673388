// Draws the results of a run as an SVG: for each row two groups of bars, throughput and server
// processor time per op, each relative to memcached, whose own value is the line at 1.

import type { RowResult, SideResult } from './rounds.ts';
import type { ServerName } from './servers.ts';

const COLORS: Readonly<Record<ServerName, string>> = {
  io_uring: '#0b6e4f',
  slabcached: '#0b6e4f',
  epoll: '#3fa34d',
  node: '#b5d99c',
  memcached: '#6c757d',
  null: '#d9a441',
};
const NAME_WIDTH = 150;
const PANEL_WIDTH = 360;
const PANEL_GAP = 70;
const BAR_HEIGHT = 12;
const ROW_GAP = 16;
const TOP = 84;
/** Longer bars are cut off; the number beside them says how long they are. */
const RATIO_MAX = 2;

interface Panel {
  readonly title: string;
  readonly left: number;
  readonly of: (side: SideResult) => number | undefined;
}

const PANELS: readonly Panel[] = [
  {
    title: 'throughput, relative to memcached (more is better)',
    left: NAME_WIDTH,
    of: ({ ratios }) => ratios?.throughput,
  },
  {
    title: 'server CPU per op, relative to memcached (less is better)',
    left: NAME_WIDTH + PANEL_WIDTH + PANEL_GAP,
    of: ({ ratios }) => ratios?.cpu,
  },
];

/** The chart of all rows that were compared with memcached. `subtitle`: on what machine. */
export function chart(results: readonly RowResult[], subtitle: string): string {
  const rows = results.filter(({ row, sides }) => {
    return row.opponent === 'servers' && sides.some(({ ratios }) => ratios !== undefined);
  });
  const parts: string[] = [];
  let y = TOP;
  for (const { row, sides } of rows) {
    const compared = sides.filter(({ ratios }) => ratios !== undefined);
    const height = compared.length * BAR_HEIGHT;
    parts.push(text(NAME_WIDTH - 10, y + height / 2 + 4, row.name, 'end'));
    for (const panel of PANELS) parts.push(...bars(panel, compared, y));
    y += height + ROW_GAP;
  }
  const width = PANELS[1].left + PANEL_WIDTH + 50;
  const frame = PANELS.flatMap((panel) => [
    text(panel.left, TOP - 14, panel.title, 'start'),
    line(panel.left, TOP - 6, y),
    line(panel.left + PANEL_WIDTH / RATIO_MAX, TOP - 6, y),
    text(panel.left + PANEL_WIDTH / RATIO_MAX, y + 12, 'memcached', 'middle'),
  ]);
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${y + 24}"`,
    ` viewBox="0 0 ${width} ${y + 24}" font-family="sans-serif" font-size="12">`,
    '<rect width="100%" height="100%" fill="white"/>',
    text(10, 20, `slabcached and memcached: ${subtitle}`, 'start'),
    ...legend(rows),
    ...frame,
    ...parts,
    '</svg>',
    '',
  ].join('\n');
}

function bars(panel: Panel, sides: readonly SideResult[], top: number): string[] {
  return sides.flatMap((side, i) => {
    const value = panel.of(side);
    if (value === undefined) return [];
    const y = top + i * BAR_HEIGHT;
    const width = (Math.min(value, RATIO_MAX) / RATIO_MAX) * PANEL_WIDTH;
    const fill = COLORS[side.server];
    const size = `width="${width.toFixed(1)}" height="${BAR_HEIGHT - 2}"`;
    return [
      `<rect x="${panel.left}" y="${y}" ${size} fill="${fill}"><title>${side.name}</title></rect>`,
      text(panel.left + width + 4, y + BAR_HEIGHT - 3, value.toFixed(2), 'start', 10),
    ];
  });
}

/** One entry for each server that was compared. */
function legend(rows: readonly RowResult[]): string[] {
  const names = new Map<ServerName, string>();
  for (const { sides } of rows) {
    for (const { server, name, ratios } of sides) {
      if (ratios !== undefined) names.set(server, name.replace(/ -t \d+$/, ''));
    }
  }
  return [...names].flatMap(([server, name], i) => [
    `<rect x="${10 + i * 160}" y="34" width="12" height="12" fill="${COLORS[server]}"/>`,
    text(28 + i * 160, 44, name, 'start'),
  ]);
}

function line(x: number, from: number, to: number): string {
  return `<path d="M${x} ${from}V${to}" stroke="#495057" stroke-width="1"/>`;
}

function text(x: number, y: number, words: string, anchor: string, size = 12): string {
  const escaped = words.replaceAll('&', '&amp;').replaceAll('<', '&lt;');
  const place = `x="${x.toFixed(1)}" y="${y.toFixed(1)}" text-anchor="${anchor}"`;
  return `<text ${place} font-size="${size}">${escaped}</text>`;
}
