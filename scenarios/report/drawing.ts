import { arms, type ArmName } from '../arms.js';
import { armStyles } from './arm-style.js';
import { escape } from './html.js';

/** How a drawing is used: in a page that sets its colours, or as a file of its own on white. */
export type Use = 'page' | 'alone';

interface Element {
  setAttribute(name: string, value: string): void;
  outerHTML: string;
}

/** A document for Observable Plot where there is no browser; of no type, for Plot wants a browser's. */
export async function drawingDocument(): Promise<never> {
  const { parseHTML } = await import('linkedom');
  return parseHTML('<!doctype html><html><body></body></html>').document as never;
}

/** The text of a drawing that Plot made, and of what is drawn over it; `label` is what a screen reader says. */
export function svgText(plot: unknown, label: string, use: Use, over = ''): string {
  const svg = plot as Element;
  svg.setAttribute('xmlns', 'http://www.w3.org/2000/svg');
  svg.setAttribute('role', 'img');
  svg.setAttribute('aria-label', label);
  if (use === 'alone') svg.setAttribute('style', 'background: #ffffff; color: #1c1c22; font: 13px system-ui, sans-serif');
  return svg.outerHTML.replace(/<\/svg>$/, `${over}</svg>`);
}

export const PLOT_STYLE = { background: 'none', color: 'currentColor', fontSize: '13px', fontFamily: 'system-ui, sans-serif' } as const;

const A_ROW = 4;
export const LEGEND_ROW = 20;
export const legendRows = (present: readonly ArmName[]): number => Math.ceil(present.length / A_ROW);

/** The lines of the arms beside their names, at the top; in rows of four, so that the longest name fits. */
export function legend(present: readonly ArmName[], width: number): string {
  const column = width / Math.min(A_ROW, present.length);
  return present.map((arm, i) => {
    const { colour, width: stroke, dash } = armStyles[arm];
    const x = 16 + (i % A_ROW) * column;
    const y = 16 + Math.floor(i / A_ROW) * LEGEND_ROW;
    return `<line x1="${x}" x2="${x + 24}" y1="${y}" y2="${y}" stroke="${colour}" stroke-width="${stroke}" stroke-dasharray="${dash}"/><text x="${x + 30}" y="${y + 4}" text-anchor="start" fill="currentColor">${escape(arms[arm].title)}</text>`;
  }).join('');
}
