import type { Figure } from '../measure/figures.js';
import type { Measurement } from '../measure/session.js';
import { allTables, type TableKind, type TextTable } from '../measure/tables.js';
import { escape, table } from './html.js';
import { STYLE } from './style.js';

/** The figures' colours, for light and dark pages. */
const COLOURS = `:root { --tmpfs: #c8641c; --block: #8c1d40; --shunt: #1f6fb2; }
@media (prefers-color-scheme: dark) { :root { --tmpfs: #f0a868; --block: #f08cae; --shunt: #74b6f2; } }
body { max-width: 1180px; }`;

const HEADINGS: Record<TableKind, string> = { factorial: 'The factorial', sizes: 'Image size', map: 'Prices at which the shunt costs half', dirty: 'Pages written between freezes', carry: 'cache against persist', capacity: 'How many images fit', service: 'Service under load', native: 'This computer itself' };

/** The whole measurement as one HTML file that loads nothing. */
export function measurePage(measurement: Measurement, figures: readonly Figure[]): string {
  const results = Object.values(measurement.parts);
  const tables = allTables(results);
  const sections = [...new Set(tables.map(({ kind }) => kind))].map((kind) => `<h2>${HEADINGS[kind]}</h2>\n${tables.filter((one) => one.kind === kind).map(tableHtml).join('\n')}`);
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>What a checkpoint costs: Shuntbox</title><style>${STYLE}${COLOURS}</style></head>
<body>
<h1>What a checkpoint costs</h1>
<p class="soft">${escape(measurement.host)}; profile ${escape(String(measurement.settings.profile))}. Host times are medians over interleaved rounds, quartiles in brackets, of a freeze with its drop, or of a thaw with rewriting all pages;
ratios are to the floor of the same round. Device times are modelled: counts times the constants of the profile. They are no measurements of a device.</p>
${figures.map(({ title, caption, svg }) => `<h2>${escape(title)}</h2>\n<figure class="wide">${svg}<figcaption>${escape(caption)}</figcaption></figure>`).join('\n')}
${sections.join('\n')}
</body></html>
`;
}

function tableHtml({ title, head, rows, note }: TextTable): string {
  return `<h3>${escape(title)}</h3>\n${table(head.map(escape), rows.map((row) => row.map(escape)))}${note === undefined ? '' : `\n<p class="soft">${escape(note)}</p>`}`;
}
