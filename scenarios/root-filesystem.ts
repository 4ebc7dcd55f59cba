import { existsSync, statSync } from 'node:fs';
import { gunzip, readCpio, type FlashSource } from '../ramdisk/index.js';
import { HostTree } from './host-tree.js';
import { InputError } from './input-error.js';
import { readInput } from './input-file.js';

/** No device here holds a larger one. */
const MAX_IMAGE_BYTES = 512 << 20;

/** What the user named as root filesystem: a folder is read as it is needed, an archive is unpacked into RAM. Throws InputError. */
export function rootFilesystem(path: string): { image: Uint8Array | null; flash?: FlashSource } {
  if (!existsSync(path)) throw new InputError(`${path}: no such folder or archive`);
  if (statSync(path).isDirectory()) return { image: null, flash: new HostTree(path) };
  return { image: archive(path) };
}

function archive(path: string): Uint8Array {
  const image = readInput(path, MAX_IMAGE_BYTES, 'no device here has such a root filesystem');
  const unpacked = gunzip(image);
  const error = unpacked instanceof Uint8Array ? readCpio(unpacked).error : unpacked;
  if (error) throw new InputError(`${path}: ${error.message}, at offset ${error.offset}; a root filesystem is a folder, or a cpio archive (find . | cpio -o -H newc), gzipped or not`);
  return image;
}
