import { existsSync, readdirSync, readlinkSync, statSync, type Dirent } from 'node:fs';
import { join } from 'node:path';
import { writeCpio, type CpioSource } from '../ramdisk/index.js';
import { InputError } from './input-error.js';
import { readInput } from './input-file.js';

/** No device here holds a larger tree. */
const MAX_TREE_BYTES = 512 << 20;

/** A folder as a cpio archive; an archive as it is. Throws InputError. */
export function folderArchive(path: string): Uint8Array {
  if (!existsSync(path)) throw new InputError(`${path}: no such folder or archive`);
  return statSync(path).isDirectory() ? writeCpio([...entries(path, '')]) : readInput(path, MAX_TREE_BYTES, 'no device here has such a root filesystem');
}

/** What lies below a folder of the host; devices, sockets and pipes are left out. */
function* entries(root: string, below: string, total = { bytes: 0 }): Generator<CpioSource> {
  for (const entry of readdirSync(join(root, below), { withFileTypes: true })) {
    const name = below === '' ? entry.name : `${below}/${entry.name}`;
    const source = entrySource(join(root, name), name, entry);
    if (!source) continue;
    total.bytes += source.content?.length ?? 0;
    if (total.bytes > MAX_TREE_BYTES) throw new InputError(`${root}: holds more than ${MAX_TREE_BYTES >> 20} MiB`);
    yield source;
    if (entry.isDirectory()) yield* entries(root, name, total);
  }
}

function entrySource(path: string, name: string, entry: Dirent): CpioSource | null {
  if (entry.isSymbolicLink()) return { name, mode: 0o120777, content: Buffer.from(readlinkSync(path)) };
  const mode = statSync(path).mode & 0o7777;
  if (entry.isDirectory()) return { name, mode: 0o040000 | mode };
  return entry.isFile() ? { name, mode: 0o100000 | mode, content: readInput(path, MAX_TREE_BYTES, 'no device here holds such a file') } : null;
}
