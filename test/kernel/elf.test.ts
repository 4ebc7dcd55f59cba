import fc from 'fast-check';
import { Errno } from '../../emulator/base/index.js';
import { bytesSource, ElfError, parseElf, type ElfPlan } from '../../emulator/kernel/elf.js';
import { sampleElf } from './sample-elf.js';

const parse = (bytes: Uint8Array): ElfPlan | ElfError => parseElf(bytesSource(bytes));

function changed(offset: number, size: 1 | 2 | 4, value: number): Uint8Array {
  const bytes = sampleElf();
  Buffer.from(bytes.buffer).writeUIntLE(value, offset, size);
  return bytes;
}

describe('the ELF parser', () => {
  test('plans the segments of a static executable', () => {
    expect(parse(sampleElf())).toEqual({
      relocatable: false, entry: 0x40_0100, flags: 0x7000_1007, phdr: 0x40_0034, phnum: 3, interpreter: null, executableStack: true, align: 0x1_0000,
      start: 0x40_0000, end: 0x41_4000,
      segments: [
        { vaddr: 0x40_0000, offset: 0, fileSize: 0x200, memorySize: 0x200, prot: 5 },
        { vaddr: 0x41_1200, offset: 0x200, fileSize: 0x100, memorySize: 0x2000, prot: 3 },
      ],
    });
  });

  test.each<[string, Uint8Array, string, number?]>([
    ['a shell script', Buffer.from('#!/bin/sh\n'), 'an ELF header takes 52'],
    ['other bytes', Buffer.alloc(100), 'e_ident at 0x0: not an ELF file'],
    ['a 64-bit file', changed(4, 1, 2), 'EI_CLASS at 0x4 is 2'],
    ['a big-endian file', changed(5, 1, 2), 'EI_DATA at 0x5 is 2'],
    ['a relocatable object', changed(16, 2, 1), 'e_type at 0x10 is 1'],
    ['an x86 program', changed(18, 2, 3), 'e_machine at 0x12 is 3'],
    ['an n32 program', changed(36, 4, 0x7000_0027), 'not the o32 ABI'],
    ['a MIPS64 program', changed(36, 4, 0x8000_1007), 'not for a MIPS32r2 core'],
    ['a program with 2008 NaNs', changed(36, 4, 0x7000_1407), '2008 NaN'],
    ['no program headers', changed(44, 2, 0), 'e_phnum at 0x2c is 0'],
    ['an absurd number of program headers', changed(44, 2, 0xffff), 'e_phnum at 0x2c is 65535'],
    ['a table past the end', changed(28, 4, 0xffff_fff0), 'e_phoff at 0x1c'],
    ['program headers of another size', changed(42, 2, 56), 'e_phentsize at 0x2a is 56'],
    ['a segment with more in the file than in memory', changed(52 + 16, 4, 0x201), 'program header 0, p_filesz'],
    ['a segment past the end of the file', changed(52 + 4, 4, 0x1000), 'program header 0, p_offset: 0x1000'],
    ['a segment in kernel space', changed(84 + 20, 4, 0xf000_0000), 'lies past user memory', Errno.ENOMEM],
    ['a segment that does not fit its page', changed(84 + 8, 4, 0x41_1201), 'differ modulo the page size'],
    ['overlapping segments', changed(84 + 8, 4, 0x40_0200), 'program header 1, p_vaddr: 0x400200 overlaps'],
    ['an alignment that is none', changed(52 + 28, 4, 3), 'program header 0, p_align: 0x3'],
    ['an entry outside', changed(24, 4, 0x1000), 'e_entry at 0x18: 0x1000'],
  ])('refuses %s and says where', (_, bytes, message, errno = Errno.ENOEXEC) => {
    const error = parse(bytes) as ElfError;
    expect(error).toBeInstanceOf(ElfError);
    expect([error.message.includes(message), error.message, error.errno]).toEqual([true, error.message, errno]);
  });

  test('takes any truncation and any changed bytes without throwing, and never plans outside the file or user memory', () => {
    const edit = fc.tuple(fc.nat(0x13f), fc.nat(255));
    fc.assert(fc.property(fc.array(edit, { maxLength: 6 }), fc.nat(0x300), (edits, length) => {
      const bytes = sampleElf().slice(0, edits.length % 2 ? length : undefined);
      for (const [at, value] of edits) if (at < bytes.length) bytes[at] = value;
      const plan = parse(bytes);
      if (plan instanceof ElfError) return;
      for (const { vaddr, offset, fileSize, memorySize } of plan.segments) {
        expect(offset + fileSize <= bytes.length && vaddr + memorySize <= 0x7fff_8000 && fileSize <= memorySize).toBe(true);
      }
    }), { numRuns: 2000 });
  });

  test('takes arbitrary bytes after a good identity', () => {
    fc.assert(fc.property(fc.uint8Array({ minLength: 60, maxLength: 300 }), (tail) => {
      const bytes = new Uint8Array(40 + tail.length);
      bytes.set(sampleElf().subarray(0, 40));
      bytes.set(tail, 40);
      parse(bytes);
    }), { numRuns: 1000 });
  });
});
