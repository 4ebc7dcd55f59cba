import { Errno, failed, type Fail, type Result } from '../base/index.js';
import { AddressSpace, PAGE_SIZE, pageEnd, pageStart, Prot, type Pager } from '../memory/index.js';
import { OpenFlag } from '../vfs/open-flags.js';
import type { NameContext } from '../vfs/lookup.js';
import type { Attr, Vnode } from '../vfs/vnode.js';
import { VOP_CLOSE, VOP_GETATTR, VOP_OPEN, VOP_READ } from '../vfs/vop.js';
import { ElfError, parseElf, type ByteSource, type ElfPlan, type Segment } from './elf.js';
import { buildStack, type AuxVector } from './exec-stack.js';
import { releaseMemory } from './exit.js';
import { capabilitiesAfterExec } from './capabilities.js';
import type { Kernel } from './kernel.js';
import { Rlimit } from './limits.js';
import type { Process } from './process.js';
import { mapSigpage } from './sigpage.js';
import type { Thread } from './thread.js';

/** execve(2) up to the new image: ELF programs, their interpreter, and #! scripts. */

/** Interpreters of interpreters (fs/exec.c allows four rewrites). */
const SCRIPT_DEPTH = 4;
const SCRIPT_LINE = 256;
/** ELF_ET_DYN_BASE of MIPS: two thirds of user memory; the heap of a static PIE begins there too. */
const DYN_BASE = 0x5555_0000;
const COMM_MAX = 15;
/** Register numbers. */
const T9 = 25;
const SP = 29;

export { AuxType } from './exec-stack.js';

/** A program loaded into a space of its own, before anything of the caller is touched. */
export interface Program {
  space: AddressSpace;
  entry: number;
  sp: number;
  auxv: AuxVector;
  argv: string[];
  envp: string[];
  /** Absolute path of the file whose code runs. */
  exe: string;
  comm: string;
  /** Effective ids after the set-id bits. */
  euid: number;
  egid: number;
}

interface Request {
  vnode: Vnode;
  /** Absolute path of the vnode. */
  exe: string;
  /** As the caller wrote it: AT_EXECFN, and what a script is called by. */
  path: string;
  argv: string[];
  envp: string[];
}

/** A vnode and its absolute path, links resolved. */
export interface Executable {
  vnode: Vnode;
  path: string;
}

export function findExecutable(kernel: Kernel, context: NameContext, path: string): Executable | Fail {
  const found = kernel.vfs.namei(context, path, { follow: true });
  if (failed(found)) return found;
  if (!found.vnode) return -Errno.ENOENT;
  const directory = kernel.vfs.pathOf(found.parent, context.root);
  return { vnode: found.vnode, path: failed(directory) ? path : `${directory === '/' ? '' : directory}/${found.name}` };
}

/**
 * Replace the program of a process that has one thread. On failure nothing has changed; the point of no
 * return lies between prepareProgram, which may fail, and commitProgram, which cannot.
 */
export function loadProgram(kernel: Kernel, process: Process, file: Executable, path: string, argv: string[], envp: string[]): Result {
  const program = prepareProgram(kernel, process, file, path, argv, envp);
  if (failed(program)) return program;
  commitProgram(process.threads[0], program);
  return 0;
}

/** `path` as the caller wrote it. */
export function prepareProgram(kernel: Kernel, process: Process, file: Executable, path: string, argv: string[], envp: string[]): Program | Fail {
  return prepare(kernel, process, { vnode: file.vnode, exe: file.path, path, argv, envp }, path, 0);
}

/** Give the program to the thread's process: space, registers, names and ids. Signals, descriptors and other threads are the caller's. */
export function commitProgram(thread: Thread, program: Program): void {
  const { process } = thread;
  releaseMemory(process);
  process.space = program.space;
  const { argv, envp, auxv, exe, comm } = program;
  Object.assign(process, { argv, envp, auxv, exe, comm });
  const { cred } = process;
  cred.euid = cred.suid = cred.fsuid = program.euid;
  cred.egid = cred.sgid = cred.fsgid = program.egid;
  capabilitiesAfterExec(cred);
  process.keepCapabilities = false;
  const { ctx } = thread;
  ctx.gpr.fill(0);
  ctx.fpr.fill(0);
  ctx.hi = ctx.lo = ctx.fcsr = ctx.userLocal = ctx.llbit = ctx.lladdr = 0;
  ctx.pc = program.entry;
  ctx.gpr[T9] = program.entry;
  ctx.gpr[SP] = program.sp;
}

/** Hand the resource limits that bind memory to the space; after exec and setrlimit. */
export function applyMemoryLimits(process: Process, space: AddressSpace = process.space): void {
  space.limit = process.limits[Rlimit.AS].soft;
  space.stackLimit = process.limits[Rlimit.STACK].soft;
  space.dataLimit = process.limits[Rlimit.DATA].soft;
}

function prepare(kernel: Kernel, process: Process, request: Request, execfn: string, depth: number): Program | Fail {
  const attr = checkExecutable(kernel, process, request.vnode);
  if (failed(attr)) return attr;
  const opened = VOP_OPEN(request.vnode, OpenFlag.RDONLY);
  if (failed(opened)) return opened;
  const program = prepareOpened(kernel, process, request, execfn, depth, attr);
  VOP_CLOSE(request.vnode);
  return program;
}

function checkExecutable(kernel: Kernel, process: Process, vnode: Vnode): Attr | Fail {
  if (vnode.type !== 'reg') return -Errno.EACCES;
  const refused = kernel.vfs.checkAccess(vnode, 1, process.cred);
  return failed(refused) ? refused : VOP_GETATTR(vnode);
}

function prepareOpened(kernel: Kernel, process: Process, request: Request, execfn: string, depth: number, attr: Attr): Program | Fail {
  const head = VOP_READ(request.vnode, 0, SCRIPT_LINE);
  if (failed(head)) return head;
  if (head[0] === 0x23 && head[1] === 0x21) return prepareScript(kernel, process, request, execfn, depth, Buffer.from(head).toString('latin1'));
  const plan = parseElf({ size: attr.size, read: (offset, length) => VOP_READ(request.vnode, offset, length) });
  if (plan instanceof ElfError) return refuse(kernel, process, request.path, plan);
  const space = new AddressSpace(kernel.ram, kernel.meter);
  const program = build(kernel, process, request, execfn, attr, plan, space);
  if (failed(program)) space.destroy();
  return program;
}

function refuse(kernel: Kernel, process: Process, path: string, error: ElfError): Fail {
  kernel.log.add('exec.refused', { pid: process.pid, path, reason: error.message });
  return -error.errno;
}

/** "#! interpreter [argument]": the interpreter runs with the argument, the script's path and the rest of argv. */
function prepareScript(kernel: Kernel, process: Process, request: Request, execfn: string, depth: number, head: string): Program | Fail {
  if (depth > SCRIPT_DEPTH) return -Errno.ELOOP;
  const newline = head.indexOf('\n');
  const line = head.slice(2, newline < 0 ? undefined : newline).replace(/\0.*$/s, '').trim();
  const [, path, argument] = /^(\S*)\s*(.*)$/.exec(line) as RegExpExecArray;
  // Without a newline the kernel takes the empty name for the interpreter's, which is a directory (load_script, fs/binfmt_script.c).
  if (path === '' && newline < 0 && head.length < SCRIPT_LINE) return -Errno.EACCES;
  if (path === '' || (newline < 0 && head.length === SCRIPT_LINE && argument === '')) return -Errno.ENOEXEC;
  const file = findExecutable(kernel, process, path);
  if (failed(file)) return file;
  const argv = [path, ...(argument ? [argument] : []), request.path, ...request.argv.slice(1)];
  return prepare(kernel, process, { vnode: file.vnode, exe: file.path, path, argv, envp: request.envp }, execfn, depth + 1);
}

function build(kernel: Kernel, process: Process, request: Request, execfn: string, attr: Attr, plan: ElfPlan, space: AddressSpace): Program | Fail {
  applyMemoryLimits(process, space);
  const { exe } = request;
  const bias = mapImage(space, request.vnode, plan, exe, plan.interpreter === null ? 0 : DYN_BASE);
  if (failed(bias)) return bias;
  space.brk = space.brkStart = plan.relocatable && plan.interpreter === null ? DYN_BASE : bias + plan.end;
  const interpreter = plan.interpreter === null ? null : mapInterpreter(kernel, process, space, plan.interpreter);
  if (failed(interpreter)) return interpreter;
  const trampolines = mapSigpage(kernel, space);
  if (failed(trampolines)) return trampolines;
  const ids = newIds(process, attr);
  const stack = buildStack(space, kernel.random, {
    argv: request.argv, envp: request.envp, execfn, executable: plan.executableStack, stackLimit: space.stackLimit,
    phdr: plan.phdr ? plan.phdr + bias : 0, phnum: plan.phnum, base: interpreter?.bias ?? 0, entry: plan.entry + bias,
    uid: process.cred.uid, gid: process.cred.gid, ...ids,
  });
  if (failed(stack)) return stack;
  return {
    space, sp: stack.sp, auxv: stack.auxv, argv: request.argv, envp: request.envp, exe, ...ids,
    entry: interpreter?.entry ?? plan.entry + bias, comm: commOf(execfn),
  };
}

function commOf(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1).slice(0, COMM_MAX);
}

/** Set-user-id and set-group-id of the file (credentials(7)). */
function newIds(process: Process, attr: Attr): { euid: number; egid: number } {
  const { cred } = process;
  const honoured = !process.noNewPrivileges;
  return {
    euid: honoured && attr.mode & 0o4000 ? attr.uid : cred.euid,
    egid: honoured && (attr.mode & 0o2010) === 0o2010 ? attr.gid : cred.egid,
  };
}

function mapInterpreter(kernel: Kernel, process: Process, space: AddressSpace, path: string): { bias: number; entry: number } | Fail {
  const vnode = kernel.vfs.find(process, path);
  if (failed(vnode)) return vnode;
  const attr = checkExecutable(kernel, process, vnode);
  if (failed(attr)) return attr;
  const source: ByteSource = { size: attr.size, read: (offset, length) => VOP_READ(vnode, offset, length) };
  const plan = parseElf(source);
  if (plan instanceof ElfError) return refuse(kernel, process, path, plan);
  if (plan.interpreter !== null) return -Errno.ELOOP;
  const bias = mapImage(space, vnode, plan, path, 0);
  return failed(bias) ? bias : { bias, entry: plan.entry + bias };
}

/** Map all segments; the load bias. A relocatable image goes to `base`, or with 0 where mmap would put it. */
function mapImage(space: AddressSpace, vnode: Vnode, plan: ElfPlan, name: string, base: number): number {
  const bias = chooseBias(space, plan, base);
  if (failed(bias)) return bias;
  const pager = vnode.pager();
  if (failed(pager)) return -Errno.ENOEXEC;
  pager.addRef();
  let result: Result = 0;
  for (const segment of plan.segments) {
    result = mapSegment(space, pager, segment, bias, name);
    if (failed(result)) break;
  }
  pager.release();
  return failed(result) ? result : bias;
}

/** The span is searched with room to align it. */
function chooseBias(space: AddressSpace, plan: ElfPlan, base: number): number {
  if (!plan.relocatable) return 0;
  if (base !== 0) return base - (base % plan.align) - (plan.start - (plan.start % plan.align));
  const length = plan.end - plan.start;
  const room = space.map({ length: length + plan.align, prot: Prot.none, flags: 0 });
  if (failed(room)) return room;
  space.unmap(room, length + plan.align);
  const top = room + plan.align;
  const bias = top - plan.start - ((top - plan.start) % plan.align);
  return bias < 0 ? -Errno.ENOMEM : bias;
}

function mapSegment(space: AddressSpace, pager: Pager, segment: Segment, bias: number, name: string): Result {
  const start = pageStart(segment.vaddr) + bias;
  const fileEnd = segment.vaddr + segment.fileSize + bias;
  const end = pageEnd(segment.vaddr + segment.memorySize + bias);
  const mappedEnd = segment.fileSize > 0 ? pageEnd(fileEnd) : start;
  const place = { prot: segment.prot, fixed: true, noreplace: true };
  if (mappedEnd > start) {
    const pageOffset = pageStart(segment.offset) / PAGE_SIZE;
    const result = space.map({ ...place, addr: start, length: mappedEnd - start, pager, pageOffset, name });
    if (failed(result)) return result;
  }
  if (end > mappedEnd) {
    const result = space.map({ ...place, addr: mappedEnd, length: end - mappedEnd });
    if (failed(result)) return result;
  }
  const zeroed = segment.memorySize > segment.fileSize && segment.fileSize > 0 && segment.prot & Prot.write;
  return zeroed ? space.zero(fileEnd, mappedEnd - fileEnd) : 0;
}
