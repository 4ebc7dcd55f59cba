import type { Process } from '../kernel/index.js';
import type { OpenFile } from '../kernel/open-file.js';
import { PAGE_SIZE, type Region } from '../memory/index.js';
import { VnodePager } from '../vfs/vnode-pager.js';
import { failed, hexDigits } from '../base/index.js';
import { checksum } from './checksum.js';
import { threadRecord } from './process-image.js';

/**
 * The restorable state of a process, in parts, each as hexadecimal digits: two processes, or one at two times, are alike
 * exactly if these are. Pages are compared by contents: untouched memory is the same as zeros, an untouched page of
 * a file the same as its bytes. Taking it changes and charges nothing.
 */
export interface StateDigest {
  registers: string;
  signals: string;
  map: string;
  memory: string;
  descriptors: string;
  settings: string;
  all: string;
}

/** Two CRCs of differently keyed text: 64 bits, enough to tell states apart that nobody forges. */
function hash(text: string): string {
  const bytes = Buffer.from(text, 'latin1');
  return hexDigits(checksum(bytes, 0x5343_4b50), 8) + hexDigits(checksum(bytes.toReversed(), bytes.length), 8);
}

export function stateDigest(process: Process): StateDigest {
  const parts = {
    registers: hash(registers(process)), signals: hash(signals(process)), map: hash(map(process)), memory: hash(memory(process)),
    descriptors: hash(descriptors(process)), settings: hash(settings(process)),
  };
  return { ...parts, all: hash(Object.values(parts).join()) };
}

function registers(process: Process): string {
  return process.threads.filter((thread) => thread.state !== 'dead').map((thread) => {
    const { tid, gpr, hi, lo, pc, fpr, fcsr, userLocal, clearTid, robustList } = threadRecord(process.kernel, thread);
    return [tid, ...gpr, hi | 0, lo | 0, pc, ...fpr, fcsr, userLocal | 0, clearTid, robustList].join();
  }).sort().join(';');
}

function signals(process: Process): string {
  const masks = process.threads.map(({ tid, sigmask, savedMask, altStack }) => [tid, ...sigmask, ...(savedMask ?? []), altStack.sp >>> 0, altStack.size >>> 0, altStack.flags].join());
  const actions = process.actions.slice(1).map(({ handler, flags, mask }) => [handler >>> 0, flags | 0, ...mask].join());
  return [...masks.sort(), ...actions].join(';');
}

function map(process: Process): string {
  return process.space.regions.map(({ start, end, prot, maxProt, shared, flags, pageOffset, name }) => [start, end, prot, maxProt, shared, flags, pageOffset, name].join()).join(';');
}

function settings(process: Process): string {
  const { space, umask, limits } = process;
  return [space.brkStart, space.brk, space.mapTop, umask, ...limits.map((limit) => limit.soft)].join();
}

const zeros = new Uint8Array(PAGE_SIZE);
const zeroCrc = checksum(zeros);

/** address:checksum of every page that is not zero. */
function memory(process: Process): string {
  const pages: string[] = [];
  for (const region of process.space.regions) {
    for (let va = region.start; va < region.end; va += PAGE_SIZE) {
      const crc = pageChecksum(process, region, va);
      if (crc !== zeroCrc) pages.push(`${va.toString(16)}:${crc}`);
    }
  }
  return pages.join();
}

function pageChecksum(process: Process, region: Region, va: number): number {
  const { ram } = process.space;
  const mapped = process.space.frameAt(va);
  const frame = mapped >= 0 ? mapped : region.pager?.resident(region.index(va)) ?? -1;
  if (frame >= 0) return checksum(ram.page(frame));
  return region.pager instanceof VnodePager ? filePage(region.pager, region.index(va)) : zeroCrc;
}

function filePage(pager: VnodePager, index: number): number {
  const bytes = pager.vnode.peek(index * PAGE_SIZE, PAGE_SIZE);
  if (failed(bytes) || bytes.length === 0) return zeroCrc;
  return checksum(zeros.subarray(bytes.length), checksum(bytes));
}

function descriptors(process: Process): string {
  const { fds } = process;
  const numbers = new Map<OpenFile, number>();
  return fds.list().map((fd) => {
    const file = fds.get(fd) as OpenFile;
    if (!numbers.has(file)) numbers.set(file, fd);
    return [fd, numbers.get(file), fds.cloexec(fd), file.kind, file.flags, file.position, file.describe()].join();
  }).join(';');
}
