import { bytesSource, ElfError, parseElf } from '../../emulator/kernel/elf.js';
import { readInput } from '../input-file.js';
import { UsageError } from './errors.js';

const MAX_PROGRAM_BYTES = 512 << 20;

/** A script or a program this machine can run; the message names what is wrong with it. */
export function hostProgram(file: string): Uint8Array {
  const bytes = readInput(file, MAX_PROGRAM_BYTES, 'no device here holds such a program');
  if (bytes.subarray(0, 2).toString('latin1') === '#!') return bytes;
  const plan = parseElf(bytesSource(bytes));
  if (plan instanceof ElfError) throw new UsageError(`${file}: ${plan.message}; a static Linux program for little-endian MIPS32 (o32) is needed`);
  if (plan.interpreter !== null) throw new UsageError(`${file}: is linked dynamically (${plan.interpreter}); link it with -static, or put it and its libraries into a folder and use --rootfs`);
  return bytes;
}
