import { crc32, hexDigits, snapshotClass } from '../emulator/base/index.js';
import type { VnodeType } from '../emulator/vfs/vnode.js';

/** One name of a directory in flash. */
export interface FlashEntry {
  name: string;
  type: Extract<VnodeType, 'reg' | 'dir' | 'lnk'>;
  /** Permission bits, 07777. */
  mode: number;
  /** Bytes of a file. */
  size: number;
  /** What a link leads to. */
  target: string;
}

/**
 * A read-only tree outside the device's RAM: what a router keeps in flash. Paths are made of names it listed itself, never of
 * names a guest chose. The same path must give the same answer for as long as a machine uses it.
 */
export interface FlashSource {
  /** Entries sorted by name; empty for what is no directory. */
  list(path: string): FlashEntry[];
  /** The whole file, in a buffer the caller may keep and change; null when it cannot be read any more. */
  read(path: string): Uint8Array | null;
}

/** What a machine read of its flash; the digest is over names, attributes and contents in the order they were read. */
export interface FlashUse {
  directories: number;
  files: number;
  bytes: number;
  /** CRC-32, hexadecimal: two runs that read the same have the same. */
  digest: string;
}

/** The reader of a flash tree, and the record of what was read: a run depends on that and on nothing else of it. */
export class Flash {
  static readonly transient = ['source'];
  private source: FlashSource | null;
  private digest = 0;
  private directories = 0;
  private files = 0;
  private bytes = 0;

  constructor(source: FlashSource) {
    this.source = source;
  }

  /** The tree does not travel in a snapshot; unread files are EIO until it is put back. */
  afterLoad(): void {
    this.source = null;
  }

  insert(source: FlashSource): void {
    this.source = source;
  }

  list(path: string): FlashEntry[] {
    const entries = this.source?.list(path) ?? [];
    this.directories++;
    this.note(Buffer.from(JSON.stringify([path, entries])));
    return entries;
  }

  read(path: string): Uint8Array | null {
    const content = this.source?.read(path) ?? null;
    if (!content) return null;
    this.files++;
    this.bytes += content.length;
    this.note(Buffer.from(path));
    this.note(content);
    return content;
  }

  use(): FlashUse {
    const { directories, files, bytes } = this;
    return { directories, files, bytes, digest: hexDigits(this.digest, 8) };
  }

  private note(bytes: Uint8Array): void {
    this.digest = crc32(bytes, this.digest);
  }
}
snapshotClass('Flash', Flash);
