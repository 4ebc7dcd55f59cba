import { hexDigits } from '../emulator/base/index.js';
/** What goes into an archive; names without a leading slash. */
export interface CpioSource {
  name: string;
  /** File type and permission bits, as st_mode. */
  mode: number;
  uid?: number;
  gid?: number;
  mtime?: number;
  rdev?: number;
  /** A file's contents, a symbolic link's target. */
  content?: Uint8Array;
}

/**
 * Pack a cpio newc archive. The same entries give the same bytes: they are sorted by name (a directory comes
 * before what it holds), inodes are numbered in that order, times are those given or 0.
 */
export function writeCpio(sources: readonly CpioSource[]): Uint8Array {
  const sorted = [...sources].sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0));
  const parts = sorted.flatMap((source, index) => entry(source, index + 1));
  return Buffer.concat([...parts, ...entry({ name: 'TRAILER!!!', mode: 0 }, 0)]);
}

function entry(source: CpioSource, inode: number): Uint8Array[] {
  const content = source.content ?? new Uint8Array(0);
  const name = Buffer.from(`${source.name}\0`, 'latin1');
  const rdev = source.rdev ?? 0;
  const fields = [
    inode, source.mode, source.uid ?? 0, source.gid ?? 0, 1, source.mtime ?? 0, content.length, 0, 0, rdev >> 8, rdev & 0xff, name.length, 0,
  ];
  const header = Buffer.from(`070701${fields.map((field) => hexDigits(field >>> 0, 8)).join('')}`, 'latin1');
  return [header, name, padding(header.length + name.length), content, padding(content.length)];
}

function padding(length: number): Uint8Array {
  return new Uint8Array(-length & 3);
}
