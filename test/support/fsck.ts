import { readInode, readSuperblock, BLOCK_SIZE, DIRECT, geometryOf, INODES_PER_BLOCK, POINTERS, ROOT_INODE, SHORT_LINK, viewOf, type Inode } from '../../ramdisk/block/layout.js';
import type { MemoryDisk } from '../../ramdisk/block/memory-disk.js';

/**
 * Is what lies on a disk a sound file system? Reads the medium alone, in the order of fsck(8): blocks and sizes, names,
 * connectivity, link counts, bitmaps. One line for everything that is wrong.
 */
export function fsck(disk: MemoryDisk): string[] {
  return new Checker(disk).check();
}

class Checker {
  private readonly disk: MemoryDisk;
  private readonly faults: string[] = [];
  private readonly inodes = new Map<number, Inode>();
  /** Block -> the inode that holds it. */
  private readonly owners = new Map<number, number>();
  private readonly links = new Map<number, number>();

  constructor(disk: MemoryDisk) {
    this.disk = disk;
  }

  check(): string[] {
    const superblock = readSuperblock(this.disk.peek(0));
    if (!superblock || superblock.blocks !== this.disk.blocks) return ['no superblock'];
    const geometry = geometryOf(this.disk.blocks);
    for (let ino = ROOT_INODE; ino < geometry.inodes; ino++) {
      const inode = readInode(this.disk.peek(geometry.inodeTable + Math.floor(ino / INODES_PER_BLOCK)), ino);
      if (inode) this.inodes.set(ino, inode);
    }
    for (const [ino, inode] of this.inodes) this.claimBlocks(ino, inode, geometry.data);
    this.walk(ROOT_INODE, ROOT_INODE);
    for (const [ino, { nlink }] of this.inodes) if (nlink !== (this.links.get(ino) ?? 0)) this.faults.push(`inode ${ino}: ${nlink} links, ${this.links.get(ino) ?? 0} found`);
    this.compareBitmap('block', geometry.blockBitmap, geometry.blocks, (block) => block < geometry.data || this.owners.has(block), superblock.freeBlocks);
    this.compareBitmap('inode', geometry.inodeBitmap, geometry.inodes, (ino) => ino < ROOT_INODE || this.inodes.has(ino), superblock.freeInodes);
    return this.faults;
  }

  private claimBlocks(ino: number, inode: Inode, data: number): void {
    if (inode.type === 'lnk' && inode.size <= SHORT_LINK) return;
    let held = 0;
    const claim = (block: number, level: number): void => {
      if (block === 0) return;
      held++;
      if (block < data || block >= this.disk.blocks) this.faults.push(`inode ${ino}: block ${block} is outside the data`);
      else if (this.owners.has(block)) this.faults.push(`inode ${ino}: block ${block} is inode ${this.owners.get(block)}'s too`);
      else {
        this.owners.set(block, ino);
        if (level > 0) for (let i = 0; i < POINTERS; i++) claim(viewOf(this.disk.peek(block)).getUint32(4 * i, true), level - 1);
      }
    };
    inode.addresses.forEach((block, slot) => claim(block, Math.max(0, slot - DIRECT + 1)));
    if (held !== inode.blocks) this.faults.push(`inode ${ino}: ${inode.blocks} blocks, ${held} found`);
  }

  /** Directories are small enough here to need direct blocks and the single indirect one. */
  private directoryBlocks(inode: Inode): number[] {
    return Array.from({ length: inode.size / BLOCK_SIZE }, (_, index) => (index < DIRECT
      ? inode.addresses[index] : viewOf(this.disk.peek(inode.addresses[DIRECT])).getUint32(4 * (index - DIRECT), true)));
  }

  private walk(ino: number, parent: number): void {
    const pending: [number, number][] = [[ino, parent]];
    for (let next = pending.pop(); next; next = pending.pop()) pending.push(...this.readDirectory(...next));
  }

  private readDirectory(ino: number, parent: number): [number, number][] {
    const below: [number, number][] = [];
    const inode = this.inodes.get(ino);
    if (inode?.type !== 'dir') {
      this.faults.push(`inode ${ino} is no directory`);
      return below;
    }
    for (const block of this.directoryBlocks(inode)) {
      const bytes = this.disk.peek(block);
      for (let at = 0; at < BLOCK_SIZE;) {
        const [child, length] = [viewOf(bytes).getUint32(at, true), viewOf(bytes).getUint16(at + 4, true)];
        const name = Buffer.from(bytes.subarray(at + 8, at + 8 + bytes[at + 7])).toString('latin1');
        if (child !== 0) this.enter(ino, parent, name, child, below);
        if (length < 8 || at + length > BLOCK_SIZE) this.faults.push(`inode ${ino}: an entry of ${length} bytes`);
        at += Math.max(8, length);
      }
    }
    return below;
  }

  private enter(ino: number, parent: number, name: string, child: number, below: [number, number][]): void {
    this.links.set(child, (this.links.get(child) ?? 0) + 1);
    const inode = this.inodes.get(child);
    if (!inode) this.faults.push(`inode ${ino}: ${name} leads to free inode ${child}`);
    else if (name === '.' || name === '..') {
      if (child !== (name === '.' ? ino : parent)) this.faults.push(`inode ${ino}: ${name} leads to inode ${child}`);
    } else if (inode.type === 'dir') below.push([child, ino]);
  }

  private compareBitmap(what: string, first: number, bits: number, used: (bit: number) => boolean, free: number): void {
    let found = 0;
    for (let bit = 0; bit < bits; bit++) {
      const byte = this.disk.peek(first + Math.floor(bit / (8 * BLOCK_SIZE)))[Math.floor(bit / 8) % BLOCK_SIZE];
      const marked = (byte & (1 << (bit & 7))) !== 0;
      if (!marked) found++;
      if (marked !== used(bit)) this.faults.push(`${what} ${bit} is ${marked ? 'marked, but free' : 'used, but not marked'}`);
    }
    if (found !== free) this.faults.push(`${free} free ${what}s, ${found} found`);
  }
}
