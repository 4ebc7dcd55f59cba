import { Errno, failed, type Fail, type Random, type Result } from '../base/index.js';
import { PAGE_SIZE, Prot, RegionFlag, type AddressSpace } from '../memory/index.js';

/** Address above the first stack page; between it and the signal page one page stays unmapped. */
export const STACK_TOP = 0x7fff_6000;
/** MAX_ARG_STRLEN of Linux. */
const STRING_MAX = 32 * PAGE_SIZE;
/** Arguments and environment take at most a quarter of the stack limit, and three quarters of 8 MiB. */
const ARGUMENTS_MAX = 6 << 20;
const ARGUMENTS_MIN = STRING_MAX;

const PLATFORM = 'mips32r2';

/** Auxiliary vector types (uapi/linux/auxvec.h). */
export const AuxType = {
  NULL: 0, PHDR: 3, PHENT: 4, PHNUM: 5, PAGESZ: 6, BASE: 7, FLAGS: 8, ENTRY: 9, UID: 11, EUID: 12, GID: 13, EGID: 14,
  PLATFORM: 15, HWCAP: 16, CLKTCK: 17, SECURE: 23, BASE_PLATFORM: 24, RANDOM: 25, EXECFN: 31,
} as const;

export type AuxVector = [type: number, value: number][];

export interface StackRequest {
  argv: string[];
  envp: string[];
  execfn: string;
  executable: boolean;
  stackLimit: number;
  phdr: number;
  phnum: number;
  /** Load bias of the program interpreter. */
  base: number;
  entry: number;
  uid: number;
  euid: number;
  gid: number;
  egid: number;
}

/**
 * The initial stack (System V ABI MIPS supplement, "Process Stack and Registers"; fs/binfmt_elf.c). Upward from sp:
 *
 *   argc | argv[0..argc-1], 0 | envp[...], 0 | auxv pairs ..., AT_NULL 0 | gap | 16 random bytes, platform |
 *   argument strings | environment strings | execfn | 0 word | STACK_TOP
 */
export function buildStack(space: AddressSpace, random: Random, request: StackRequest): { sp: number; auxv: AuxVector } | Fail {
  const size = stringBytes(request);
  if (failed(size)) return size;
  const mapped = mapStack(space, size, request);
  if (failed(mapped)) return mapped;
  const seed = new Uint8Array(16);
  random.fill(seed);
  const strings = new Strings(STACK_TOP - 4, size + PLATFORM.length + 1 + seed.length);
  const execfn = strings.push(request.execfn);
  const envp = strings.pushAll(request.envp);
  const argv = strings.pushAll(request.argv);
  const platform = strings.push(PLATFORM);
  const randomAt = strings.pushBytes(seed);
  const auxv = auxiliary(request, execfn, platform, randomAt);
  const words = [argv.length, ...argv, 0, ...envp, 0, ...auxv.flat()];
  const sp = Math.floor((strings.bottom - words.length * 4) / 16) * 16;
  const written = space.writeWords(sp, words) || strings.write(space);
  return failed(written) ? written : { sp, auxv };
}

/** Bytes of all strings and pointers, or -E2BIG. */
function stringBytes(request: StackRequest): number {
  const most = Math.max(ARGUMENTS_MIN, Math.min(request.stackLimit / 4, ARGUMENTS_MAX));
  let bytes = 0;
  for (const strings of [request.argv, request.envp, [request.execfn]]) {
    for (const text of strings) {
      if (text.length >= STRING_MAX) return -Errno.E2BIG;
      bytes += text.length + 1 + 4;
    }
  }
  return bytes > most ? -Errno.E2BIG : bytes;
}

/** Linux leaves 128 KiB below the arguments mapped at once; the rest grows on access. */
function mapStack(space: AddressSpace, argumentBytes: number, request: StackRequest): Result {
  const length = Math.ceil(argumentBytes / PAGE_SIZE) * PAGE_SIZE + 33 * PAGE_SIZE;
  const result = space.map({
    addr: STACK_TOP - length, length, fixed: true, noreplace: true, name: '[stack]', flags: RegionFlag.growsdown,
    prot: Prot.read | Prot.write | (request.executable ? Prot.exec : 0),
  });
  return failed(result) ? result : 0;
}

function auxiliary(request: StackRequest, execfn: number, platform: number, random: number): AuxVector {
  const secure = request.uid !== request.euid || request.gid !== request.egid ? 1 : 0;
  return [
    [AuxType.HWCAP, 0], [AuxType.PAGESZ, PAGE_SIZE], [AuxType.CLKTCK, 100],
    [AuxType.PHDR, request.phdr], [AuxType.PHENT, 32], [AuxType.PHNUM, request.phnum], [AuxType.BASE, request.base],
    [AuxType.FLAGS, 0], [AuxType.ENTRY, request.entry],
    [AuxType.UID, request.uid], [AuxType.EUID, request.euid], [AuxType.GID, request.gid], [AuxType.EGID, request.egid],
    [AuxType.SECURE, secure], [AuxType.RANDOM, random], [AuxType.EXECFN, execfn], [AuxType.BASE_PLATFORM, platform],
    [AuxType.NULL, 0],
  ];
}

/** Strings stacked downward from `top` in a buffer of `capacity` bytes, written in one go. */
class Strings {
  private readonly top: number;
  private readonly buffer: Buffer;
  /** Where in the buffer the lowest string begins. */
  private at: number;

  constructor(top: number, capacity: number) {
    this.top = top;
    this.buffer = Buffer.alloc(capacity);
    this.at = capacity;
  }

  get bottom(): number {
    return this.top - this.buffer.length + this.at;
  }

  /** The address it will have. */
  push(text: string): number {
    this.at -= text.length + 1;
    this.buffer.write(text, this.at, 'latin1');
    return this.bottom;
  }

  pushBytes(bytes: Uint8Array): number {
    this.at -= bytes.length;
    this.buffer.set(bytes, this.at);
    return this.bottom;
  }

  /** Addresses in the order given; the first string has the lowest. */
  pushAll(texts: readonly string[]): number[] {
    const addresses = new Array<number>(texts.length);
    for (let i = texts.length - 1; i >= 0; i--) addresses[i] = this.push(texts[i]);
    return addresses;
  }

  write(space: AddressSpace): Result {
    return space.copyout(this.bottom, this.buffer.subarray(this.at));
  }
}
