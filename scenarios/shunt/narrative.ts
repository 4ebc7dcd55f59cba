import { hex } from '../../emulator/base/index.js';
import type { Capacity } from './capacity.js';
import type { Demonstration } from './demonstration.js';
import type { Cost, Passage, VnodeStep } from './passage.js';

export interface Paint {
  strong(text: string): string;
  faint(text: string): string;
  struck(text: string): string;
}

const escape = (code: number) => (text: string): string => `\u001b[${code}m${text}\u001b[0m`;
export const ansi: Paint = { strong: escape(1), faint: escape(2), struck: (text) => `\u001b[2;9m${text}\u001b[0m` };
export const plain: Paint = { strong: String, faint: String, struck: (text) => `(not done) ${text}` };

/** One part of the demonstration. The question can be put to a class before the lines are shown. */
export interface Stage {
  title: string;
  question: string;
  lines: string[];
}

const kib = (bytes: number): string => `${(bytes / 1024).toFixed(bytes < 10240 ? 1 : 0)} KiB`;
const ms = (cycles: number, hz: number): string => ((cycles / hz) * 1e3).toFixed(3);
const us = (cycles: number, hz: number): string => `${((cycles / hz) * 1e6).toFixed(cycles / hz < 1e-5 ? 1 : 0)} µs`;
const mib = (bytes: number): string => `${(bytes / 1048576).toFixed(2)} MiB`;
const percent = (share: number): string => `${Number((share * 100).toFixed(1))} %`;
const pagesBreak = (pages: number): string => (pages === 1 ? '1 page breaks' : `${pages} pages break`);

/** What an operation does, for people who meet vnodes for the first time. */
const meaning: Record<string, string> = {
  lookup: 'find a name in a directory', create: 'make the file', open: 'open it', allocate: 'reserve the room, so that a full ramdisk fails now',
  write: 'copy bytes into the file', fsync: 'make it last', getattr: 'read its attributes', close: 'close it', rename: 'give it its name, atomically',
  read: 'look at its bytes', inactive: 'nobody uses the vnode any more', remove: 'unlink it', setattr: 'change its attributes',
};

function operation({ op, detail }: VnodeStep): string {
  return `VOP_${op.toUpperCase().padEnd(9)} ${(typeof detail === 'number' ? kib(detail) : detail).padEnd(22)}`;
}

function costColumns({ copiedBytes, cycles, free }: Cost, hz: number): string {
  return `${(copiedBytes === 0 ? '-' : kib(copiedBytes)).padStart(9)} ${us(cycles, hz).padStart(9)} ${cycles.toLocaleString('en-US').padStart(10)} ${mib(free).padStart(10)}`;
}

const WIDTH = 44;
const HEAD = `${''.padEnd(WIDTH)} ${'copied'.padStart(9)} ${'time'.padStart(9)} ${'cycles'.padStart(10)} ${'RAM free'.padStart(10)}`;

function passageLines(one: Passage, hz: number, after: string): string[] {
  const line = (what: string, cost: Cost, words = ''): string => `${what.padEnd(WIDTH)} ${costColumns(cost, hz)}   ${words}`.trimEnd();
  return [
    HEAD,
    ...(one.before.cycles > 0 ? [line('collect registers, map and list of pages', one.before)] : []),
    ...one.steps.map((step) => line(operation(step), step, meaning[step.op])),
    ...(one.after.cycles > 0 ? [line(after, one.after)] : []),
    ...(one.checksumCycles > 0 ? [line('checksum over the image', { copiedBytes: 0, cycles: one.checksumCycles, free: one.freeAfter })] : []),
  ];
}

function sum(one: Passage, hz: number): string {
  const change = one.freeAfter - one.freeBefore;
  const ram = change === 0 ? 'no RAM taken or given' : `RAM free ${mib(one.freeBefore)} -> ${mib(one.freeAfter)} (${change < 0 ? '' : '+'}${kib(change)})`;
  const shared = one.sharedPages > 0 ? `, ${one.sharedPages} pages shared` : '';
  const sums = one.checksumCycles > 0 ? ` (${ms(one.checksumCycles, hz)} of it for the checksum)` : '';
  return `= vnode operations ${one.vnodeOps}, ${kib(one.copiedBytes)} copied${shared}, ${ms(one.cycles, hz)} ms of device time${sums}, ${ram}`;
}

/** The demonstration in parts. */
export function stages(d: Demonstration, paint: Paint): Stage[] {
  return [vnodeStage(d), shuntStage(d, paint), dirtyStage(d), capacityStage(d), ruinStage(d), thawStage(d), flipStage(d), giveUpStage(d)];
}

function vnodeStage(d: Demonstration): Stage {
  return {
    title: `Freeze through the filesystem, to ${d.path}`,
    question: 'Which operations on vnodes does it take to save a process in a file? Which of them copy bytes?',
    lines: [...passageLines(d.frozen.vnode, d.hz, 'keep what gives rights'), sum(d.frozen.vnode, d.hz)],
  };
}

function shuntStage(d: Demonstration, paint: Paint): Stage {
  const { vnode, shunt } = d.frozen;
  return {
    title: 'Freeze past it, into buffers in RAM: the same steps, struck out',
    question: 'Which of these lines are still needed when the image goes straight into RAM? How many bytes have to be copied?',
    lines: [
      ...vnode.steps.map((step) => paint.struck(operation(step).trimEnd())),
      ...(shunt.sharedPages > 0
        ? ['share the pages copy-on-write: one more reference to each frame;', 'copy only the notes and what is shared with others']
        : ['copy the pages, frame to frame']),
      sum(shunt, d.hz),
    ],
  };
}

function dirtyStage({ dirtied, hz, frozen }: Demonstration): Stage {
  const { breaks, again } = dirtied;
  const before = frozen.shunt.cycles + breaks.cycles;
  return {
    title: `The process goes on and writes ${percent(dirtied.share)} of its writable pages; then it is frozen again`,
    question: 'The pages are shared with the image. What happens at the first write to one of them, and who pays?',
    lines: [
      `${dirtied.pages} of ${dirtied.of} pages written`,
      breaks.pages > 0
        ? `sharing is paid for now: ${pagesBreak(breaks.pages)}, ${kib(breaks.bytes)} copied, ${us(breaks.cycles, hz)}`
        : 'nothing was shared: writing costs nothing more',
      `freeze and breaks together: ${us(before, hz)} past the vnodes, ${us(frozen.vnode.cycles, hz)} through them`,
      `again, through vnodes: ${sum(again.vnode, hz).slice(2)}`,
      `again, past them:      ${sum(again.shunt, hz).slice(2)}`,
    ],
  };
}

function fit({ images, stoppedBy, held }: Capacity): string {
  const each = held > 0 ? `${mib(held)} of RAM held, ${kib(held / Math.max(1, images))} each` : 'in frames set aside at boot';
  return stoppedBy === 'limit' ? `more than ${images}, where counting stopped; ${each}` : `${images}, then ${stoppedBy}; ${each}`;
}

function capacityStage(d: Demonstration): Stage {
  return {
    title: `How many checkpoints fit, with ${percent(d.dirtied.share)} of the pages written between them?`,
    question: `This device has ${mib(d.ramBytes)} of RAM. How many images of this process fit each way, and which error comes at the end?`,
    lines: [
      `through vnodes  ${fit(d.capacity.vnode)}`,
      `past them       ${fit(d.capacity.shunt)}`,
      'ENOSPC: the ramdisk, which may take half of the RAM, or the pool is full; ENOMEM: there is no frame left',
    ],
  };
}

function ruinStage(d: Demonstration): Stage {
  return {
    title: 'Ruin the process: noise over every page it may write and every register',
    question: 'Which parts of a process would you have to compare to prove that it came back?',
    lines: [
      `state ${d.digests.original.all} -> ${d.digests.corrupted.all}`,
      ...(d.breaks.pages > 0 ? [`${pagesBreak(d.breaks.pages)}, ${kib(d.breaks.bytes)} copied, ${ms(d.breaks.cycles, d.hz)} ms of device time for the breaks`] : []),
    ],
  };
}

function thawStage(d: Demonstration): Stage {
  return {
    title: 'Thaw it from the file; ruin it again; thaw it from RAM',
    question: 'Which way back is cheaper, and why is the difference not the one of the freeze?',
    lines: [
      ...passageLines(d.thawed.vnode, d.hz, 'overlay the process'),
      sum(d.thawed.vnode, d.hz).replace('=', 'file:'),
      sum(d.thawed.shunt, d.hz).replace('=', 'RAM: '),
      ...(d.sharedAgain.pages > 0 ? [`      its pages are shared again, which is paid for later: if all are written ${d.sharedAgain.pages} pages break, ${kib(d.sharedAgain.bytes)} copied, ${us(d.sharedAgain.cycles, d.hz)}`] : []),
      `state before ${d.digests.original.all}   (registers, signals, memory map, memory, descriptors, settings)`,
      `from file    ${d.digests.vnode.all}   ${verdict(d.digests.vnode.all === d.digests.original.all)}`,
      `from RAM     ${d.digests.shunt.all}   ${verdict(d.digests.shunt.all === d.digests.original.all)}`,
    ],
  };
}

function flipStage(d: Demonstration): Stage {
  return {
    title: 'Would we notice? Change one byte',
    question: 'A proof that cannot fail proves nothing. What must happen when one byte is changed, in memory and in the file?',
    lines: [
      `in memory, ${hex(d.flip.address, 8)}: ${d.flip.before} -> ${d.flip.after}, state ${d.digests.flipped.all}   ${d.digests.flipped.all === d.digests.original.all ? 'NOT NOTICED' : 'differs, as it must'}`,
      `in the file, offset ${d.damagedFile.offset}: thaw answers ${d.damagedFile.errno}, the process ${d.damagedFile.unharmed ? 'runs on unharmed' : 'WAS HARMED'}`,
    ],
  };
}

function giveUpStage(d: Demonstration): Stage {
  return {
    title: 'What the shunt gives up',
    question: 'What can one do with the file that one cannot do with an image in RAM?',
    lines: [
      'no file: gdb and readelf have nothing to open, NFS nothing to serve, another node nothing to read; the image dies with the process',
      `export brings it back: ${kib(d.exportedBytes)} of ELF core made from the image in RAM (--core DIR writes it beside the file of the vnode path)`,
    ],
  };
}

const verdict = (same: boolean): string => (same ? 'the same' : 'DIFFERENT');

export const heading = (d: Demonstration): string =>
  `Shunting the vnodes: ${d.subject} (pid ${d.pid}) on ${d.profile}, ${mib(d.ramBytes)} of RAM, ${d.residentPages} pages of the process in memory`;

export const conclusion = (d: Demonstration): string => (d.holds ? 'Both ways restore the same state.' : 'The demonstration FAILED: see above.');

export function stageText(stage: Stage, number: number, paint: Paint): string {
  return [paint.strong(`${number}  ${stage.title}`), ...stage.lines.map((line) => `   ${line}`), ''].join('\n') + '\n';
}

/** The whole demonstration as text, readable in a minute. */
export function narrate(d: Demonstration, paint: Paint): string {
  const parts = stages(d, paint).map((stage, i) => stageText(stage, i + 1, paint));
  return `${paint.strong(heading(d))}\n\n${parts.join('')}${paint.strong(conclusion(d))}\n`;
}
