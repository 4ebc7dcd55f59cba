import { hex, hexDigits } from '../../emulator/base/index.js';
import { arms, type ArmName } from '../arms.js';
import type { ArmResult } from '../replay.js';
import { culpritText, faultName, fieldText, type Fault } from '../verdict/fault.js';
import type { Culprit } from '../verdict/culprit.js';
import { placeText } from '../verdict/symboliser.js';
import { escape } from './html.js';
import { stateDiagramSvg } from './state-diagram.js';

/** Faults of an arm that get a panel of their own: a page must stay of a size to send around. */
export const MAX_PANELS = 40;
const ROW = 16;
const SHOWN_BYTES = 1024;

export const faultId = (arm: ArmName, index: number): string => `fault-${arm}-${index + 1}`;

/**
 * Everything about each fault, shown when its mark in the timeline, a plain link, is followed: no script. Then the list of all
 * faults, for those who do not use a mouse.
 */
export function faultPanels(results: readonly ArmResult[], command: string): string {
  if (!results.some(({ faults }) => faults.length > 0)) return '<p>No daemon under test faulted.</p>';
  const lists = results.filter(({ faults }) => faults.length > 0).map((one) => `<li>${escape(arms[one.arm].title)}: ${links(one)}</li>`).join('');
  const panels = results.flatMap((one) => one.faults.slice(0, MAX_PANELS).map((fault, i) => panel(one, fault, i, command))).join('\n');
  return `<nav class="faults" aria-label="Faults"><p>Follow a red cross in the timeline, or a number here, for the packet, the backtrace, the states and the command that shows it again.</p><ul>${lists}</ul></nav>\n${panels}`;
}

function links({ arm, faults }: ArmResult): string {
  const numbers = faults.slice(0, MAX_PANELS).map((fault, i) => `<a href="#${faultId(arm, i)}" title="${escape(`${faultName(fault)} at ${fault.at.toFixed(2)} s`)}">${i + 1}</a>`).join(' ');
  return faults.length > MAX_PANELS ? `${numbers} and more` : numbers;
}

function panel(result: ArmResult, fault: Fault, index: number, command: string): string {
  const { arm, faults } = result;
  const last = Math.min(faults.length, MAX_PANELS) - 1;
  const step = (to: number, words: string): string => (to < 0 || to > last ? '' : `<a href="#${faultId(arm, to)}">${words}</a>`);
  const title = `Fault ${index + 1} under ${arms[arm].title}: ${faultName(fault)} in ${fault.daemon}, ${fault.at.toFixed(3)} s`;
  return `<section class="fault" id="${faultId(arm, index)}" tabindex="-1" aria-label="${escape(title)}">
<div class="bar"><h3>${escape(title)}</h3><span>${step(index - 1, '← previous')} ${step(index + 1, 'next →')} <a href="#timeline">close ✕</a></span></div>
<div class="halves"><div><h4>The input it took last</h4>${fault.culprit ? packet(fault.culprit, result.files.pcap ?? null) : '<p>It had taken no datagram.</p>'}</div>
<div><h4>Where it stood</h4>${cause(fault)}${stack(fault)}</div></div>
<h4>States and jumps of this arm</h4>${states(result)}
<h4>See it again</h4><pre class="command">${escape(commandLines(result, command))}</pre>
</section>`;
}

function packet(culprit: Culprit, capture: string | null): string {
  const field = fieldText(culprit);
  const note = field === null
    ? '<p class="soft">Which of its bytes do the harm is not declared, so none is marked.</p>'
    : `<p><mark>${escape(field)}</mark></p>`;
  return `<p>${escape(culpritText(culprit, capture))}</p>${note}<pre class="hex">${hexDump(culprit)}</pre><p class="soft">Offsets are those of the UDP payload.</p>`;
}

/** Sixteen bytes a row, in hexadecimal and as text; those of the field marked in both. */
function hexDump({ bytes, field }: Culprit): string {
  const data = Buffer.from(bytes, 'hex');
  const marked = (at: number): boolean => field !== null && at >= field.offset && at < field.offset + field.length;
  const rows: string[] = [];
  for (let row = 0; row < Math.min(data.length, SHOWN_BYTES); row += ROW) {
    const columns = Array.from({ length: Math.min(ROW, data.length - row) }, (_, i) => row + i);
    const digits = joinMarked(columns, marked, (at) => hexDigits(data[at], 2), ' ');
    const text = joinMarked(columns, marked, (at) => (data[at] >= 0x20 && data[at] < 0x7f ? String.fromCharCode(data[at]) : '·'), '');
    rows.push(`<i>${hexDigits(row, 4)}</i>  ${digits}${' '.repeat(3 * (ROW - columns.length))}  ${text}`);
  }
  if (data.length > SHOWN_BYTES) rows.push(`<i>… ${data.length - SHOWN_BYTES} more bytes</i>`);
  return rows.join('\n');
}

/** Neighbours that are both marked share one mark, with what stands between them. */
function joinMarked(columns: readonly number[], marked: (at: number) => boolean, cell: (at: number) => string, between: string): string {
  let text = '';
  columns.forEach((at, i) => {
    const [before, here] = [i > 0 && marked(columns[i - 1]), marked(at)];
    if (before && !here) text += '</mark>';
    if (i > 0) text += between;
    if (here && !before) text += '<mark>';
    text += escape(cell(at));
  });
  return columns.length > 0 && marked(columns[columns.length - 1]) ? `${text}</mark>` : text;
}

const cause = ({ injected }: Fault): string => (injected === null ? '' : `<p><strong>${escape(injected)}</strong></p>`);

function stack({ where, returnTo, address, trace, signal }: Fault): string {
  const frames = trace.frames.map((place, i) => `<li value="${i}">${escape(placeText(place))}</li>`).join('');
  const found = trace.onStack.length === 0 ? '' : `<p>Further return addresses on the stack, of callers perhaps, or left over:</p><ul class="frames">${trace.onStack.map((place) => `<li>${escape(placeText(place))}</li>`).join('')}</ul>`;
  return `<p>pc <code>${escape(placeText(where))}</code><br>ra <code>${escape(placeText(returnTo))}</code>${signal === 0 ? '' : `<br>address <code>${hex(address, 8)}</code>`}</p>
<ol class="frames">${frames}</ol><p class="soft">Frames ${escape(trace.method)}; inlined functions are part of their caller.</p>${found}`;
}

function states({ timeline }: ArmResult): string {
  const svg = stateDiagramSvg(timeline.jumps);
  return svg === null ? '<p>It takes no checkpoints here: its one state is its start, and each new process begins there.</p>' : `<figure>${svg}</figure>`;
}

function commandLines({ arm, files }: ArmResult, command: string): string {
  const lines = [`${command} --arm ${arm} --core cores --pcap captures`];
  if (files.core !== undefined) lines.push(`gdb-multiarch -ex bt ${files.program ?? '-c'} ${files.core}     # the core of fault 1`);
  return lines.join('\n');
}
