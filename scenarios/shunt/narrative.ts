import type { Demonstration, Passage, VnodeStep } from './demonstration.js';

export interface Paint {
  strong(text: string): string;
  faint(text: string): string;
  struck(text: string): string;
}

const escape = (code: number) => (text: string): string => `\u001b[${code}m${text}\u001b[0m`;
export const ansi: Paint = { strong: escape(1), faint: escape(2), struck: (text) => `\u001b[2;9m${text}\u001b[0m` };
export const plain: Paint = { strong: String, faint: String, struck: (text) => `(not done) ${text}` };

const kib = (bytes: number): string => `${(bytes / 1024).toFixed(bytes < 10240 ? 1 : 0)} KiB`;
const ms = (cycles: number, hz: number): string => ((cycles / hz) * 1e3).toFixed(3);
const mib = (bytes: number): string => `${(bytes / 1048576).toFixed(2)} MiB`;

/** What an operation does, for people who meet vnodes for the first time. */
const meaning: Record<string, string> = {
  lookup: 'find a name in a directory', create: 'make the file', open: 'open it', allocate: 'reserve the room, so that a full ramdisk fails now',
  write: 'copy bytes into the file', fsync: 'make it last', getattr: 'read its attributes', close: 'close it', rename: 'give it its name, atomically',
  read: 'look at its bytes', inactive: 'nobody uses the vnode any more', remove: 'unlink it', setattr: 'change its attributes',
};

function stepLine({ op, detail }: VnodeStep): string {
  const what = typeof detail === 'number' ? kib(detail) : detail;
  return `VOP_${op.toUpperCase().padEnd(9)} ${what.padEnd(22)} ${meaning[op] ?? ''}`.trimEnd();
}

function sumLine(one: Passage, hz: number): string {
  const change = one.freeAfter - one.freeBefore;
  const ram = change === 0 ? 'no RAM taken or given' : `RAM free ${mib(one.freeBefore)} -> ${mib(one.freeAfter)} (${change < 0 ? '' : '+'}${kib(change)})`;
  const shared = one.sharedPages > 0 ? `, ${one.sharedPages} pages shared` : '';
  return `   = ${one.vnodeOps} vnode operations, ${kib(one.copiedBytes)} copied${shared}, ${ms(one.cycles, hz)} ms of device time, ${ram}`;
}

/** The whole demonstration as text, readable in a minute. */
export function narrate(d: Demonstration, paint: Paint): string {
  const { vnode, shunt } = d.frozen;
  const lines = [
    paint.strong(`Shunting the vnodes: ${d.subject} (pid ${d.pid}) on ${d.profile}, ${mib(d.ramBytes)} of RAM, ${d.residentPages} pages of the process in memory`),
    '',
    paint.strong(`1  Freeze through the filesystem, to ${d.path}`),
    ...vnode.steps.map((step) => `   ${stepLine(step)}`),
    sumLine(vnode, d.hz),
    '',
    paint.strong('2  Freeze past it, into buffers in RAM: the same steps, struck out'),
    ...vnode.steps.map((step) => `   ${paint.struck(stepLine(step))}`),
    `   ${shuntLine(shunt)}`,
    sumLine(shunt, d.hz),
    '',
    paint.strong('3  Ruin the process: noise over every page it may write and every register'),
    `   state ${d.digests.original.all} -> ${d.digests.corrupted.all}`,
    ...(d.breaks.pages > 0 ? [`   sharing is paid for now: ${d.breaks.pages} pages break, ${kib(d.breaks.bytes)} copied, ${ms(d.breaks.cycles, d.hz)} ms of device time for the breaks`] : []),
    '',
    paint.strong('4  Thaw it from the file; ruin it again; thaw it from RAM'),
    sumLine(d.thawed.vnode, d.hz).replace('=', 'file:'),
    sumLine(d.thawed.shunt, d.hz).replace('=', 'RAM: '),
    `   state before ${d.digests.original.all}   (registers, signals, memory map, memory, descriptors, settings)`,
    `   from file    ${d.digests.vnode.all}   ${verdict(d.digests.vnode.all === d.digests.original.all)}`,
    `   from RAM     ${d.digests.shunt.all}   ${verdict(d.digests.shunt.all === d.digests.original.all)}`,
    '',
    paint.strong('5  Would we notice? Change one byte'),
    `   in memory, 0x${d.flip.address.toString(16).padStart(8, '0')}: ${d.flip.before} -> ${d.flip.after}, state ${d.digests.flipped.all}   ${d.digests.flipped.all === d.digests.original.all ? 'NOT NOTICED' : 'differs, as it must'}`,
    `   in the file, offset ${d.damagedFile.offset}: thaw answers ${d.damagedFile.errno}, the process ${d.damagedFile.unharmed ? 'runs on unharmed' : 'WAS HARMED'}`,
    '',
    `What the shunt gives up: there is no file for gdb, NFS or another node. Export brings it back: ${kib(d.exportedBytes)} of ELF core made from the image in RAM.`,
    '',
    paint.strong(d.holds ? 'Both ways restore the same state.' : 'The demonstration FAILED: see above.'),
  ];
  return lines.join('\n') + '\n';
}

function shuntLine(shunt: Passage): string {
  return shunt.sharedPages > 0
    ? 'share the pages copy-on-write: one more reference to each frame; copy only the notes and what is shared with others'
    : 'copy the pages, frame to frame';
}

const verdict = (same: boolean): string => (same ? 'the same' : 'DIFFERENT');
