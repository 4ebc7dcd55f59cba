import { signalName } from '../../emulator/kernel/index.js';
import type { Timeline } from '../timeline.js';
import { escape } from './html.js';

const GAP = 130;
const RADIUS = 24;
const MARGIN = 60;
const BASE = 120;

interface Arc {
  from: number;
  to: number;
  label: string;
  jump: boolean;
}

/**
 * The paper's diagram of one daemon: states in a row, freezes as arcs above, thaws as arcs below, each with how often it was
 * taken. Null when there is nothing to draw.
 */
export function stateDiagramSvg(jumps: Timeline['jumps']): string | null {
  if (jumps.length === 0) return null;
  const states = [...new Set(jumps.flatMap(({ from, to }) => [from, to]))].sort((a, b) => a - b);
  const column = new Map(states.map((state, i) => [state, MARGIN + i * GAP]));
  const arcs = joined(jumps);
  const width = 2 * MARGIN + (states.length - 1) * GAP + 40;
  const x = (state: number): number => column.get(state) as number;
  const drawn = arcs.map((arc) => arcSvg(arc, x(arc.from), x(arc.to))).join('');
  const nodes = states.map((state) => `<circle cx="${x(state)}" cy="${BASE}" r="${RADIUS}" fill="var(--page)" stroke="currentColor" stroke-width="1.5"/>` +
    `<text x="${x(state)}" y="${BASE + 5}" text-anchor="middle" font-size="15" fill="currentColor">${state}</text>`).join('');
  const names = states.includes(0) ? `<text x="${x(0)}" y="${BASE + RADIUS + 15}" text-anchor="middle" font-size="11" fill="var(--soft)">start</text>` : '';
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${2 * BASE}" width="${width}" role="img" aria-label="State diagram" font-family="system-ui, sans-serif">` +
    `${drawn}${nodes}${names}</svg>`;
}

/** The head of an arrow that comes from (`fromX`, `fromY`). No marker: of markers with one name the first of a page is drawn, which may be in a part that is not shown. */
function arrowHead(x: number, y: number, fromX: number, fromY: number, colour: string): string {
  const degrees = (Math.atan2(y - fromY, x - fromX) * 180) / Math.PI;
  return `<path d="M1 0L-10 -5.5L-10 5.5z" transform="translate(${x} ${y}) rotate(${degrees.toFixed(1)})" fill="${colour}"/>`;
}

/** Arcs between the same two states share one line: "SIGSEGV 12×, SIGALRM 3×". */
function joined(jumps: Timeline['jumps']): Arc[] {
  const arcs = new Map<string, Arc>();
  for (const { from, to, label, count } of jumps) {
    const jump = label.startsWith('signal ');
    const text = `${jump ? signalName(Number(label.slice(7))) : label} ${count}×`;
    const key = `${from} ${to} ${jump}`;
    const known = arcs.get(key);
    if (known) known.label += `, ${text}`;
    else arcs.set(key, { from, to, label: text, jump });
  }
  return [...arcs.values()];
}

function arcSvg({ from, to, label, jump }: Arc, x1: number, x2: number): string {
  const side = jump ? 1 : -1;
  const colour = jump ? 'var(--jump)' : 'currentColor';
  const stroke = `fill="none" stroke="${colour}" stroke-width="1.6"`;
  if (from === to) {
    const y = BASE + side * RADIUS * 0.86;
    const top = BASE + side * 84;
    return `<path d="M${x1 - 12} ${y}C${x1 - 34} ${top} ${x1 + 34} ${top} ${x1 + 12} ${y}" ${stroke}/>` + arrowHead(x1 + 12, y, x1 + 34, top, colour) + labelSvg(x1, BASE + side * 78 + (jump ? 12 : -4), label);
  }
  const direction = x2 > x1 ? 1 : -1;
  const height = BASE + side * (46 + 16 * Math.abs(to - from));
  const y = BASE + side * RADIUS * 0.55;
  const start = x1 + direction * RADIUS * 0.83;
  const end = x2 - direction * RADIUS * 0.83;
  return `<path d="M${start} ${y}Q${(x1 + x2) / 2} ${height} ${end} ${y}" ${stroke}/>` + arrowHead(end, y, (x1 + x2) / 2, height, colour) + labelSvg((x1 + x2) / 2, (height + y) / 2 + side * 10 + 3, label);
}

const labelSvg = (x: number, y: number, text: string): string =>
  `<text x="${x}" y="${y}" text-anchor="middle" font-size="12" fill="currentColor" stroke="var(--box)" stroke-width="4" paint-order="stroke">${escape(text)}</text>`;
