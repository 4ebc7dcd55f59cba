import { Errno, failed, hex, type Fail } from '../base/index.js';
import { PAGE_MASK, PAGE_SIZE, pageEnd, pageStart, Prot, USER_END } from '../memory/index.js';

/**
 * ELF32 little-endian MIPS executables (System V ABI chapters 4 and 5; MIPS ABI supplement; fs/binfmt_elf.c and
 * arch/mips/kernel/elf.c for what Linux accepts). Every field is untrusted: the result is a checked plan
 * or one error that names the field and its file offset.
 */
export interface ByteSource {
  readonly size: number;
  /** At most `length` bytes from `offset`. */
  read(offset: number, length: number): Uint8Array | Fail;
}

export interface Segment {
  /** Before relocation by the load bias. */
  vaddr: number;
  offset: number;
  fileSize: number;
  memorySize: number;
  /** Prot bits. */
  prot: number;
}

export interface ElfPlan {
  /** A shared object may be loaded at any bias that keeps `align`; a fixed one has bias 0. */
  relocatable: boolean;
  entry: number;
  flags: number;
  /** Address of the program headers in memory, 0 when no segment holds them. */
  phdr: number;
  phnum: number;
  /** Ascending, no two on one page, at least one. */
  segments: Segment[];
  /** Whole pages from the first to the last segment. */
  start: number;
  end: number;
  align: number;
  /** Path of the program interpreter. */
  interpreter: string | null;
  /** PT_GNU_STACK does not forbid it. */
  executableStack: boolean;
}

export class ElfError {
  readonly errno: number;
  readonly message: string;

  constructor(message: string, errno: number = Errno.ENOEXEC) {
    this.errno = errno;
    this.message = message;
  }
}

const HEADER_BYTES = 52;
const PHDR_BYTES = 32;
/** Linux refuses program header tables above 64 KiB. */
const PHNUM_MAX = 65_536 / PHDR_BYTES;
const INTERPRETER_MAX = 4096;
const ALIGN_MAX = 1 << 24;

const PT_LOAD = 1;
const PT_INTERP = 3;
const PT_GNU_STACK = 0x6474_e551;

const EM_MIPS = 8;
const ET_EXEC = 2;
const ET_DYN = 3;
/** e_flags of MIPS (elf.h). */
const EF_MIPS_ABI2 = 0x20;
const EF_MIPS_FP64 = 0x200;
const EF_MIPS_NAN2008 = 0x400;
const EF_MIPS_ABI = 0xf000;
const EF_MIPS_ABI_O32 = 0x1000;
const EF_MIPS_MICROMIPS = 0x0200_0000;
const EF_MIPS_M16 = 0x0400_0000;
/** Architecture in the top four bits: I, II, 32 and 32r2 run on a MIPS32r2 core with 32-bit registers. */
const RUNNABLE_ARCHES: readonly number[] = [0, 1, 5, 7];

/** A source over bytes in hand. */
export function bytesSource(bytes: Uint8Array): ByteSource {
  return { size: bytes.length, read: (offset, length) => bytes.subarray(offset, offset + length) };
}

export function parseElf(source: ByteSource): ElfPlan | ElfError {
  const bytes = exactly(source, 0, HEADER_BYTES);
  if (!bytes) return new ElfError(`the file has ${source.size} bytes; an ELF header takes ${HEADER_BYTES}`);
  const header = view(bytes);
  const problem = checkIdentity(header) ?? checkMachine(header);
  if (problem) return problem;
  const phnum = header.getUint16(44, true);
  const phoff = header.getUint32(28, true);
  const phentsize = header.getUint16(42, true);
  if (phentsize !== PHDR_BYTES) return new ElfError(`e_phentsize at 0x2a is ${phentsize}; it must be ${PHDR_BYTES}`);
  if (phnum === 0 || phnum > PHNUM_MAX) return new ElfError(`e_phnum at 0x2c is ${phnum}; it must be 1 to ${PHNUM_MAX}`);
  const table = exactly(source, phoff, phnum * PHDR_BYTES);
  if (!table) return new ElfError(`e_phoff at 0x1c: ${phnum} program headers at ${hex(phoff)} lie past the end of the file (${hex(source.size)})`);
  return readSegments(source, header, view(table), phoff, phnum);
}

function checkIdentity(header: DataView): ElfError | null {
  if (header.getUint32(0) !== 0x7f45_4c46) return new ElfError('e_ident at 0x0: not an ELF file');
  const [elfClass, data, version] = [header.getUint8(4), header.getUint8(5), header.getUint8(6)];
  if (elfClass !== 1) return new ElfError(`EI_CLASS at 0x4 is ${elfClass}; only 32-bit files (1) run here`);
  if (data !== 1) return new ElfError(`EI_DATA at 0x5 is ${data}; only little-endian files (1) run here`);
  if (version !== 1) return new ElfError(`EI_VERSION at 0x6 is ${version}; it must be 1`);
  return null;
}

function checkMachine(header: DataView): ElfError | null {
  const [type, machine, flags] = [header.getUint16(16, true), header.getUint16(18, true), header.getUint32(36, true)];
  if (type !== ET_EXEC && type !== ET_DYN) return new ElfError(`e_type at 0x10 is ${type}; it must be ET_EXEC (2) or ET_DYN (3)`);
  if (machine !== EM_MIPS) return new ElfError(`e_machine at 0x12 is ${machine}; it must be EM_MIPS (8)`);
  const abi = flags & EF_MIPS_ABI;
  const wrongFlags = (what: string): ElfError => new ElfError(`e_flags at 0x24 is ${hex(flags)}: ${what}`);
  if (flags & EF_MIPS_ABI2 || (abi !== 0 && abi !== EF_MIPS_ABI_O32)) return wrongFlags('not the o32 ABI');
  if (!RUNNABLE_ARCHES.includes(flags >>> 28)) return wrongFlags('not for a MIPS32r2 core');
  if (flags & (EF_MIPS_MICROMIPS | EF_MIPS_M16)) return wrongFlags('microMIPS and MIPS16 code do not run here');
  if (flags & EF_MIPS_NAN2008) return wrongFlags('2008 NaN encoding; this FPU has the legacy one');
  if (flags & EF_MIPS_FP64) return wrongFlags('64-bit floating-point registers (FR=1)');
  return null;
}

function readSegments(source: ByteSource, header: DataView, table: DataView, phoff: number, phnum: number): ElfPlan | ElfError {
  const plan: ElfPlan = {
    relocatable: header.getUint16(16, true) === ET_DYN, entry: header.getUint32(24, true), flags: header.getUint32(36, true),
    phdr: 0, phnum, segments: [], start: 0, end: 0, align: PAGE_SIZE, interpreter: null, executableStack: true,
  };
  for (let i = 0; i < phnum; i++) {
    const at = i * PHDR_BYTES;
    const type = table.getUint32(at, true);
    let problem: ElfError | null = null;
    if (type === PT_LOAD) problem = addSegment(source, plan, table, i, phoff);
    else if (type === PT_INTERP) problem = addInterpreter(source, plan, table, i);
    else if (type === PT_GNU_STACK) plan.executableStack = (table.getUint32(at + 24, true) & 1) !== 0;
    if (problem) return problem;
  }
  return finish(plan);
}

function finish(plan: ElfPlan): ElfPlan | ElfError {
  if (plan.segments.length === 0) return new ElfError('no PT_LOAD segment: there is nothing to run');
  const last = plan.segments[plan.segments.length - 1];
  plan.start = pageStart(plan.segments[0].vaddr);
  plan.end = pageEnd(last.vaddr + last.memorySize);
  const inside = plan.segments.some(({ vaddr, memorySize }) => plan.entry >= vaddr && plan.entry < vaddr + memorySize);
  return inside ? plan : new ElfError(`e_entry at 0x18: ${hex(plan.entry)} lies in no segment`);
}

function addSegment(source: ByteSource, plan: ElfPlan, table: DataView, index: number, phoff: number): ElfError | null {
  const word = (field: number): number => table.getUint32(index * PHDR_BYTES + field, true);
  const [offset, vaddr, fileSize, memorySize, flags, align] = [word(4), word(8), word(16), word(20), word(24), word(28)];
  const wrong = (field: string, what: string, errno?: number): ElfError => new ElfError(`program header ${index}, ${field}: ${what}`, errno);
  if (fileSize > memorySize) return wrong('p_filesz', `${hex(fileSize)} exceeds p_memsz ${hex(memorySize)}`);
  if (memorySize === 0) return null;
  if (offset + fileSize > source.size) return wrong('p_offset', `${hex(offset)} + ${hex(fileSize)} lies past the end of the file (${hex(source.size)})`);
  if (vaddr + memorySize > USER_END) return wrong('p_memsz', `${hex(vaddr)} + ${hex(memorySize)} lies past user memory`, Errno.ENOMEM);
  if ((vaddr & PAGE_MASK) !== (offset & PAGE_MASK)) return wrong('p_vaddr', `${hex(vaddr)} and p_offset ${hex(offset)} differ modulo the page size`);
  if (align > ALIGN_MAX || (align & (align - 1)) !== 0) return wrong('p_align', `${hex(align)} is no power of two up to ${hex(ALIGN_MAX)}`);
  const before = plan.segments[plan.segments.length - 1];
  if (before && pageStart(vaddr) < pageEnd(before.vaddr + before.memorySize)) return wrong('p_vaddr', `${hex(vaddr)} overlaps or precedes the segment before it`);
  const prot = (flags & 4 ? Prot.read : 0) | (flags & 2 ? Prot.write : 0) | (flags & 1 ? Prot.exec : 0);
  plan.segments.push({ vaddr, offset, fileSize, memorySize, prot });
  plan.align = Math.max(plan.align, align);
  if (phoff >= offset && phoff < offset + fileSize) plan.phdr = vaddr + phoff - offset;
  return null;
}

function addInterpreter(source: ByteSource, plan: ElfPlan, table: DataView, index: number): ElfError | null {
  const [offset, size] = [table.getUint32(index * PHDR_BYTES + 4, true), table.getUint32(index * PHDR_BYTES + 16, true)];
  const wrong = (what: string): ElfError => new ElfError(`program header ${index}, PT_INTERP: ${what}`);
  if (plan.interpreter !== null) return wrong('a second interpreter');
  if (size < 2 || size > INTERPRETER_MAX) return wrong(`a path of ${size} bytes; 2 to ${INTERPRETER_MAX} are allowed`);
  const bytes = exactly(source, offset, size);
  if (!bytes) return wrong(`${hex(offset)} + ${hex(size)} lies past the end of the file`);
  if (bytes[size - 1] !== 0) return wrong('the path does not end in NUL');
  plan.interpreter = Buffer.from(bytes.subarray(0, bytes.indexOf(0))).toString('latin1');
  return plan.interpreter === '' ? wrong('an empty path') : null;
}

function exactly(source: ByteSource, offset: number, length: number): Uint8Array | null {
  if (offset + length > source.size) return null;
  const bytes = source.read(offset, length);
  return failed(bytes) || bytes.length < length ? null : bytes;
}

function view(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
