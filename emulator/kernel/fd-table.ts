import { Errno, snapshotClass, type Result } from '../base/index.js';
import type { Kernel } from './kernel.js';
import { ObjectBytes, type KernelMemory } from './kernel-memory.js';
import { dropRecordLocks } from './locks.js';
import type { OpenFile } from './open-file.js';

/** Largest descriptor table a process may ask for. */
export const FD_MAX = 65_536;

/** Slots are charged in blocks; the first lies in the process itself. */
const BLOCK = 64;
const slotsFor = (fd: number): number => Math.floor(Math.max(fd, 0) / BLOCK) * BLOCK;

interface Entry {
  file: OpenFile;
  cloexec: boolean;
}

const inputOf = ({ kind, consumed }: OpenFile): number => (kind === 'vnode' ? 0 : consumed);

/** A process's descriptors. Shared by threads and by a vfork child until exec (counted in `refs`). */
export class FdTable {
  private entries: (Entry | null)[] = [];
  /** RLIMIT_NOFILE, soft. */
  limit: number;
  refs = 1;
  /** Bytes of input read through descriptors that are closed since. */
  private consumedBefore = 0;
  private readonly memory: KernelMemory;
  /** Slots charged to the kernel's memory, a multiple of BLOCK. */
  private charged = 0;
  /** Numbers a thaw brought back without their files: EBADF, and nobody is given them before the program has closed them. */
  lost = new Set<number>();

  constructor(memory: KernelMemory, limit = 1024) {
    this.memory = memory;
    this.limit = limit;
  }

  get(fd: number): OpenFile | undefined {
    return this.entries[fd]?.file;
  }

  /** The lowest free descriptor from `min` on now refers to `file` (a reference is added), or -EMFILE; -ENFILE, -ENOMEM without memory for it. */
  install(file: OpenFile, min = 0, cloexec = false): Result {
    const fd = this.lowestFree(min);
    if (fd < 0) return fd;
    if (this.memory.take(this.growth(fd)) < 0) return -Errno.ENOMEM;
    this.charged = Math.max(this.charged, slotsFor(fd));
    if (!file.charged && this.memory.take(ObjectBytes.file) < 0) return -Errno.ENFILE;
    file.charged = true;
    this.set(fd, file, cloexec);
    return fd;
  }

  /** The descriptor `install` would give. */
  lowestFree(min = 0): Result {
    let fd = min;
    while (this.entries[fd] || this.lost.has(fd)) fd++;
    return fd < Math.min(this.limit, FD_MAX) ? fd : -Errno.EMFILE;
  }

  /** Put a file at exactly `fd`, which is free. */
  put(fd: number, file: OpenFile, cloexec: boolean): void {
    this.memory.force(this.growth(fd) + (file.charged ? 0 : ObjectBytes.file));
    this.charged = Math.max(this.charged, slotsFor(fd));
    file.charged = true;
    this.set(fd, file, cloexec);
  }

  /** Bytes a table that reaches to `fd` takes more than this one. */
  private growth(fd: number): number {
    return Math.max(0, slotsFor(fd) - this.charged) * ObjectBytes.descriptor;
  }

  private set(fd: number, file: OpenFile, cloexec: boolean): void {
    while (this.entries.length <= fd) this.entries.push(null);
    this.entries[fd] = { file: file.addRef(), cloexec };
    this.lost.delete(fd);
  }

  /** As close(2): -EBADF, or the result of the last close; the descriptor is free in any case. */
  close(kernel: Kernel, fd: number, owner: object | null = null): Result {
    const entry = this.entries[fd];
    if (!entry) {
      this.lost.delete(fd);
      return -Errno.EBADF;
    }
    this.entries[fd] = null;
    this.trim();
    this.consumedBefore += inputOf(entry.file);
    dropRecordLocks(entry.file, owner ?? this);
    return entry.file.release(kernel);
  }

  /** Free a number without the consequences of close(2) for record locks; the reference passes to the caller (a thaw). */
  take(fd: number): OpenFile | undefined {
    const entry = this.entries[fd];
    if (!entry) return undefined;
    this.entries[fd] = null;
    this.trim();
    return entry.file;
  }

  /** dup2/dup3: `to` refers to what `from` does; what it was before is closed silently. */
  dup2(kernel: Kernel, from: number, to: number, cloexec = false): Result {
    const file = this.get(from);
    if (!file || to < 0 || to >= Math.min(this.limit, FD_MAX)) return -Errno.EBADF;
    if (from === to) return to;
    file.addRef();
    this.close(kernel, to);
    this.put(to, file, cloexec);
    file.refs--;
    return to;
  }

  /** Slots of the table once it grew as Linux lets it, to a power of two from 256 on (alloc_fdtable, fs/file.c). select(2) looks no further. */
  get slots(): number {
    let slots = 256;
    while (slots < this.entries.length) slots *= 2;
    return slots;
  }

  cloexec(fd: number): boolean {
    return this.entries[fd]?.cloexec ?? false;
  }

  setCloexec(fd: number, cloexec: boolean): void {
    const entry = this.entries[fd];
    if (entry) entry.cloexec = cloexec;
  }

  /** The child's copy: its own table, the same open files. */
  fork(): FdTable {
    const copy = new FdTable(this.memory, this.limit);
    copy.charged = slotsFor(this.entries.length - 1);
    this.memory.force(copy.charged * ObjectBytes.descriptor);
    copy.entries = this.entries.map((entry) => entry && { file: entry.file.addRef(), cloexec: entry.cloexec });
    copy.lost = new Set(this.lost);
    return copy;
  }

  /** exec: descriptors marked close-on-exec go. */
  closeOnExec(kernel: Kernel): void {
    for (const fd of this.list()) if (this.cloexec(fd)) this.close(kernel, fd);
    this.lost.clear();
  }

  /** The process ends. */
  closeAll(kernel: Kernel): void {
    for (const fd of this.list()) this.close(kernel, fd);
    this.memory.give(this.charged * ObjectBytes.descriptor);
    this.charged = 0;
  }

  /** Bytes a copy needs. */
  get copyBytes(): number {
    return slotsFor(this.entries.length - 1) * ObjectBytes.descriptor;
  }

  /** Another user of the same table (CLONE_FILES). */
  share(): this {
    this.refs++;
    return this;
  }

  /** A user is gone; with the last one everything is closed. */
  release(kernel: Kernel): void {
    if (--this.refs === 0) this.closeAll(kernel);
  }

  /** Open descriptors, ascending. */
  list(): number[] {
    return this.entries.flatMap((entry, fd) => (entry ? [fd] : []));
  }

  /** Bytes of input read from sockets, pipes, terminals and the like; closing one takes none away. What a file holds is no input. */
  get consumed(): number {
    return this.entries.reduce((sum, entry) => sum + (entry ? inputOf(entry.file) : 0), this.consumedBefore);
  }

  private trim(): void {
    while (this.entries.length > 0 && this.entries.at(-1) === null) this.entries.pop();
  }
}
snapshotClass('FdTable', FdTable);
