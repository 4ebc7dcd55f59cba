import { Link, Node, Superblock } from '@jsonjoy.com/fs-core';
import type { Gather } from '../emulator/vfs/vnode.js';
import type { BufferPool } from './buffer-pool.js';
import type { RamdiskContents } from './ramdisk-contents.js';

/** What memfs 4.80.1 keeps per file and declares private: capacity bytes allocated, the first `size` of them valid. */
interface Storage {
  buf: Buffer;
  capacity: number;
  size: number;
}

const FORMAT: Record<string, number> = { fifo: 0o010000, chr: 0o020000, dir: 0o040000, blk: 0o060000, reg: 0o100000, lnk: 0o120000, sock: 0o140000 };

/** Above this, capacity is given out by need and not doubled from nothing. */
const WHOLE = 65_536;

/**
 * An inode of memfs: the bytes of one file. Owners, modes, times and link counts are the vnode's; memfs's own
 * are left at fixed values, and its change events and host-clock times are switched off.
 */
export class StoreNode extends Node {
  readonly vnode: RamdiskContents;

  constructor(vnode: RamdiskContents) {
    super(vnode.ino, FORMAT[vnode.type] | 0o777, 0, 0);
    this.vnode = vnode;
    this.rdev = vnode.rdev;
  }

  override touch(): void {}

  private get storage(): Storage {
    return this as unknown as Storage;
  }

  get capacityBytes(): number {
    return this.storage.capacity;
  }

  view(offset: number, length: number): Uint8Array {
    const size = this.getSize();
    return this.buf.subarray(Math.min(offset, size), Math.min(offset + length, size));
  }

  /** As many bytes as asked for: zeros past the end. */
  viewPadded(offset: number, length: number): Uint8Array {
    const bytes = this.view(offset, length);
    if (bytes.length === length) return bytes;
    const padded = new Uint8Array(length);
    padded.set(bytes);
    return padded;
  }

  /** Take over a loaded content without copying it. */
  adopt(content: Uint8Array): void {
    const buffer = Buffer.from(content.buffer, content.byteOffset, content.byteLength);
    Object.assign(this.storage, { buf: buffer, capacity: buffer.length, size: buffer.length });
  }

  /** Write at `offset`; capacity was reserved, so memfs copies each part once and moves nothing. */
  store(offset: number, bytes: Gather, length: number): void {
    if (bytes instanceof Uint8Array) {
      this.write(asBuffer(bytes), 0, length, offset);
      return;
    }
    let at = 0;
    for (const part of bytes) {
      const take = Math.min(part.length, length - at);
      if (take > 0) this.write(asBuffer(part), 0, take, offset + at);
      at += take;
    }
  }

  /**
   * Make the buffer at least `needed` bytes. memfs alone would double from 64 bytes and copy each time; here a
   * first large need is met exactly, growth is geometric, and buffers of deleted files are used again.
   */
  reserve(needed: number, pool: BufferPool): void {
    const { storage } = this;
    if (needed <= storage.capacity || needed <= WHOLE / 2) return;
    const wanted = Math.max(Math.ceil(needed / WHOLE) * WHOLE, storage.capacity >= WHOLE ? storage.capacity * 2 : 0);
    const buffer = pool.take(wanted);
    if (storage.size > 0) storage.buf.copy(buffer, 0, 0, storage.size);
    pool.put(storage.buf);
    storage.buf = buffer;
    storage.capacity = buffer.length;
  }

  /** Cut or extend with zeros; a buffer much too large afterwards is exchanged, so that the host holds little more than the device. */
  resize(size: number, pool: BufferPool): void {
    const { storage } = this;
    if (size === 0) {
      const old = storage.buf;
      this.truncate(0);
      pool.put(old);
      return;
    }
    if (size > storage.size) this.reserve(size, pool);
    this.truncate(size);
    if (storage.capacity > WHOLE && storage.capacity > 4 * size) this.shrink(pool);
  }

  private shrink(pool: BufferPool): void {
    const { storage } = this;
    const old = storage.buf;
    storage.buf = Buffer.from(old.subarray(0, storage.size));
    storage.capacity = storage.size;
    pool.put(old);
  }
}

function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** A name in a directory. `cookie` grows with every entry made, so that readdir can go on where it stopped. */
export class NameLink extends Link {
  readonly cookie: number;

  constructor(superblock: Superblock, parent: Link | undefined, name: string, cookie: number) {
    super(superblock, parent, name);
    this.cookie = cookie;
  }

  /** memfs would keep the whole path in every link: a chain of directories would cost the square of its length. */
  override get steps(): string[] {
    const steps: string[] = [];
    for (let at = this.parent; at; at = at.parent) steps.unshift(at.name);
    steps.push(this.name);
    return steps;
  }

  override set steps(_steps: string[]) {}
  override syncSteps(): void {}

  override getName(): string {
    return this.name;
  }
}

/** Enter `node` under `name`; memfs then finds it by path as well. */
export function enterName(directory: Link, name: string, node: Node, cookie: number): NameLink {
  const link = new NameLink(directory.vol, directory, name, cookie);
  link.setNode(node);
  if (node.isDirectory()) link.children.set('.', link);
  directory.setChild(name, link);
  return link;
}

/** Move a directory's link, with everything below it, under another name. */
export function moveName(link: Link, from: Link, to: Link, name: string, cookie: number): void {
  from.deleteChild(link);
  link.name = name;
  Object.assign(link, { cookie });
  to.setChild(name, link);
}

const noHost = { getuid: () => 0, getgid: () => 0, cwd: () => '/', platform: 'linux', emitWarning: () => undefined, env: {} };

export function newSuperblock(): Superblock {
  return new Superblock({ process: noHost });
}
