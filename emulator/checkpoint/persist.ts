import { Errno, failed, type Fail, type Result } from '../base/index.js';
import { PAGE_SIZE, Prot, USER_END, type AddressSpace } from '../memory/index.js';
import { checksum } from './checksum.js';

/** persist(2): ranges whose current bytes survive a thaw. */
export interface PersistRange {
  addr: number;
  size: number;
  /** What must hold at the thaw for the bytes to be carried over. */
  check: PersistCheck | null;
}

/** words: every signed word in [low, high]. crc: the last word is the CRC-32 of the bytes before it. */
export interface PersistCheck {
  kind: number;
  low: number;
  high: number;
}

export const CheckKind = { words: 1, crc: 2 } as const;
const MAX_RANGES = 256;

/** Register a range, replacing one at the same address; size 0 forgets it. EFAULT: not user memory; ENOMEM: too many, or more than the device has memory in all. */
export function registerRange(space: AddressSpace, ranges: PersistRange[], addr: number, size: number, check: PersistCheck | null): Result {
  const start = addr >>> 0;
  const known = ranges.findIndex((range) => range.addr === start);
  if (size === 0) {
    if (known < 0) return -Errno.EINVAL;
    ranges.splice(known, 1);
    return 0;
  }
  if (size < 0 || (check && !isCheck(check, start, size))) return -Errno.EINVAL;
  if (start + size > USER_END || !space.covers(start, size)) return -Errno.EFAULT;
  if (known < 0 && ranges.length >= MAX_RANGES) return -Errno.ENOMEM;
  const others = ranges.reduce((sum, range, i) => (i === known ? sum : sum + range.size), 0);
  if (others + size > space.ram.bytes) return -Errno.ENOMEM;
  ranges.splice(known < 0 ? ranges.length : known, known < 0 ? 0 : 1, { addr: start, size, check });
  return 0;
}

function isCheck(check: PersistCheck, addr: number, size: number): boolean {
  if (check.kind === CheckKind.words) return size % 4 === 0 && addr % 4 === 0 && check.low <= check.high;
  return check.kind === CheckKind.crc && size > 4;
}

export function checkHolds(check: PersistCheck, bytes: Uint8Array): boolean {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  if (check.kind === CheckKind.crc) return view.getUint32(bytes.length - 4, true) === checksum(bytes.subarray(0, -4));
  for (let at = 0; at < bytes.length; at += 4) {
    const word = view.getInt32(at, true);
    if (word < check.low || word > check.high) return false;
  }
  return true;
}

/** Calls `visit(va, offset, length)` for each page's share of a range. */
export function eachPage(addr: number, size: number, visit: (va: number, offset: number, length: number) => void): void {
  for (let offset = 0; offset < size;) {
    const va = addr + offset;
    const length = Math.min(size - offset, PAGE_SIZE - (va % PAGE_SIZE));
    visit(va, offset, length);
    offset += length;
  }
}

/** The current bytes of a range as they lie in memory; -EFAULT when part of it is no longer mapped readable, or was never touched in a file. */
export function peekRange(space: AddressSpace, range: PersistRange): Uint8Array | Fail {
  const bytes = new Uint8Array(range.size);
  let result: Result = 0;
  eachPage(range.addr, range.size, (va, offset, length) => {
    const region = space.find(va);
    const frame = space.frameAt(va);
    if (!region || region.prot === Prot.none) result = -Errno.EFAULT;
    else if (frame >= 0) {
      const at = space.ram.address(frame) + (va % PAGE_SIZE);
      bytes.set(space.ram.u8.subarray(at, at + length), offset);
    } else if (region.pager) result = -Errno.EFAULT;
  });
  return failed(result) ? result : bytes;
}
