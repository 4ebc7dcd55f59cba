import { readFileSync, statSync } from 'node:fs';
import { InputError } from './input-error.js';

/** The contents of a file the user named. Only plain files of bounded size are read: a FIFO or a device would never end. Throws InputError. */
export function readInput(path: string, maxBytes: number, remedy: string): Buffer {
  const stat = statSync(path);
  if (!stat.isFile()) throw new InputError(`${path}: is ${stat.isDirectory() ? 'a folder' : 'a device or pipe'}, a plain file was expected`);
  if (stat.size > maxBytes) throw new InputError(`${path}: larger than ${maxBytes >> 20} MiB; ${remedy}`);
  return readFileSync(path);
}
