import { existsSync } from 'node:fs';
import { basename, join } from 'node:path';
import { hex } from '../../emulator/base/index.js';
import { InputError } from '../input-error.js';
import { readInput } from '../input-file.js';
import { readSections, SHT_SYMTAB, textAt, viewOf } from '../verdict/elf-sections.js';

const MAX_PROGRAM_BYTES = 64 << 20;
/** What a stripped shared object keeps: the symbols others link to. */
const SHT_DYNSYM = 11;
const SYMBOL_BYTES = 16;
const STT_OBJECT = 1;
const STT_FUNC = 2;
const SHN_UNDEF = 0;

export interface Symbol {
  name: string;
  value: number;
  size: number;
}

/** Functions and objects of an unstripped ELF32 little-endian program (System V ABI, chapter 4: sections, symbol table). */
export class Symbols {
  private readonly list: Symbol[];
  private readonly file: string;

  constructor(file: string) {
    this.file = file;
    this.list = readSymbols(readInput(file, MAX_PROGRAM_BYTES, 'no firmware program is that large'), file).sort((a, b) => a.value - b.value);
  }

  /** Throws InputError when the program has no such symbol. */
  find(name: string): Symbol {
    const found = this.list.find((one) => one.name === name);
    if (!found) throw new InputError(`${this.file}: no symbol ${name}; mipsel-linux-gnu-nm lists them (a static function may have been inlined)`);
    return found;
  }

  /** "memcpy+0x24", or the bare address outside all of them. */
  describe(address: number): string {
    const at = this.list.findLast((one) => one.value <= address && address < one.value + Math.max(one.size, 4));
    if (!at) return hex(address);
    return at.value === address ? at.name : `${at.name}+${hex(address - at.value)}`;
  }
}

function readSymbols(bytes: Uint8Array, file: string): Symbol[] {
  const sections = readSections(bytes);
  if (sections.length === 0) throw new InputError(`${file}: not a whole ELF program`);
  const table = sections.find(({ type }) => type === SHT_SYMTAB) ?? sections.find(({ type }) => type === SHT_DYNSYM);
  const names = table && sections[table.link]?.bytes;
  if (!table || !names) throw new InputError(`${file}: no symbol table; the unstripped program is needed`);
  const view = viewOf(table.bytes);
  const found: Symbol[] = [];
  for (let entry = 0; entry + SYMBOL_BYTES <= table.bytes.length; entry += SYMBOL_BYTES) {
    const type = view.getUint8(entry + 12) & 15;
    const defined = view.getUint16(entry + 14, true) !== SHN_UNDEF;
    if (!defined || (type !== STT_OBJECT && type !== STT_FUNC)) continue;
    found.push({ name: textAt(names, view.getUint32(entry, true)), value: view.getUint32(entry + 4, true), size: view.getUint32(entry + 8, true) });
  }
  return found;
}

/** The unstripped build beside the firmware's own programs. Throws InputError when there is none. */
export function debugProgram(program: string): string {
  const here = import.meta.dirname ?? __dirname;
  const name = basename(program);
  const candidates = [join(here, '..', '..'), join(here, '..')].map((root) => join(root, 'router-firmware', 'debug', name));
  const found = candidates.find((file) => existsSync(file));
  if (!found) throw new InputError(`${program}: no unstripped program router-firmware/debug/${name}; build it with: npm run firmware`);
  return found;
}
