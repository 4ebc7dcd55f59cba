import { hex } from '../../emulator/base/index.js';
import { readSections, SHF_EXECINSTR, viewOf, type Section } from './elf-sections.js';
import { LineTable, type SourceLine } from './line-table.js';
import { readSymbols, symbolAt, type CodeSymbol } from './symbol-table.js';

/** An address in words; what is not known is null. */
export interface Place {
  address: number;
  function: string | null;
  /** From the start of the function. */
  offset: number;
  source: SourceLine | null;
}

/** Names and lines of one program's code, and the code itself: from its unstripped file. */
export class Symboliser {
  private readonly code: Section[];
  private readonly symbols: CodeSymbol[];
  private readonly lines: LineTable;

  constructor(file: Uint8Array) {
    const sections = readSections(file);
    this.code = sections.filter(({ flags, bytes }) => (flags & SHF_EXECINSTR) !== 0 && bytes.length > 0);
    this.symbols = readSymbols(sections);
    this.lines = new LineTable(sections);
  }

  get hasSymbols(): boolean {
    return this.symbols.length > 0;
  }

  place(address: number): Place {
    const symbol = symbolAt(this.symbols, address);
    return { address, function: symbol?.name ?? null, offset: symbol ? address - symbol.start : 0, source: this.lines.find(address) };
  }

  /**
   * Where a call returns to, named after the call, which stands two words before: behind a call that never returns (abort)
   * another function may begin.
   */
  returnPlace(address: number): Place {
    const call = this.place((address - 8) >>> 0);
    if (call.function === null) return this.place(address);
    return { ...call, address, offset: call.offset + 8 };
  }

  functionAt(address: number): CodeSymbol | null {
    return symbolAt(this.symbols, address);
  }

  isCode(address: number): boolean {
    return this.word(address) !== null;
  }

  /** The instruction at an address of the program's code, or null. */
  word(address: number): number | null {
    if (address % 4 !== 0) return null;
    const section = this.code.find((one) => address >= one.address && address + 4 <= one.address + one.bytes.length);
    return section ? viewOf(section.bytes).getUint32(address - section.address, true) : null;
  }
}

/** "0x0040affc memcpy+0x2f4 (message.c:44)". */
export function placeText({ address, function: name, offset, source }: Place): string {
  const where = name === null ? '' : ` ${name}${offset > 0 ? `+${hex(offset)}` : ''}`;
  return `${hex(address, 8)}${where}${source ? ` (${source.file}:${source.line})` : ''}`;
}
