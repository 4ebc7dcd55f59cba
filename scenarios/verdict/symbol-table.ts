import { SHF_EXECINSTR, SHT_SYMTAB, textAt, viewOf, type Section } from './elf-sections.js';

/** A function or label of a program: [start, end) of its code. */
export interface CodeSymbol {
  name: string;
  start: number;
  end: number;
}

const SYM_BYTES = 16;
const STT_NOTYPE = 0;
const STT_FUNC = 2;
const STB_LOCAL = 0;
const SHN_UNDEF = 0;
const SHN_LORESERVE = 0xff00;

/** The code symbols of .symtab, ascending. A function without a size reaches to the next symbol, or to the end of its section. */
export function readSymbols(sections: readonly Section[]): CodeSymbol[] {
  const table = sections.find(({ type }) => type === SHT_SYMTAB);
  const strings = table && sections[table.link]?.bytes;
  if (!table || !strings) return [];
  const view = viewOf(table.bytes);
  const found: (CodeSymbol & { rank: number; limit: number })[] = [];
  for (let at = 0; at + SYM_BYTES <= table.bytes.length; at += SYM_BYTES) {
    const [type, binding] = [view.getUint8(at + 12) & 15, view.getUint8(at + 12) >>> 4];
    const index = view.getUint16(at + 14, true);
    const section = index === SHN_UNDEF || index >= SHN_LORESERVE ? undefined : sections[index];
    if ((type !== STT_FUNC && type !== STT_NOTYPE) || !section || !(section.flags & SHF_EXECINSTR)) continue;
    const name = textAt(strings, view.getUint32(at, true));
    // The compiler's own labels ($L12, .L3) and the mapping symbols of the assembler name no function.
    if (name === '' || name.startsWith('$') || name.startsWith('.L')) continue;
    const start = view.getUint32(at + 4, true);
    const rank = (type === STT_FUNC ? 0 : 2) + (binding === STB_LOCAL ? 1 : 0);
    found.push({ name, start, end: start + view.getUint32(at + 8, true), rank, limit: section.address + section.bytes.length });
  }
  // Of several names for one address (aliases of the C library) the global function with the shortest name is shown.
  found.sort((a, b) => a.start - b.start || a.rank - b.rank || a.name.length - b.name.length || (a.name < b.name ? -1 : 1));
  const distinct = found.filter((symbol, i) => i === 0 || symbol.start !== found[i - 1].start);
  return distinct.map(({ name, start, end, limit }, i) => ({ name, start, end: end > start ? end : Math.min(limit, distinct[i + 1]?.start ?? limit) }));
}

/** The symbol that holds the address, or null. */
export function symbolAt(symbols: readonly CodeSymbol[], address: number): CodeSymbol | null {
  let [low, high] = [0, symbols.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (symbols[middle].start <= address) low = middle + 1;
    else high = middle;
  }
  const candidate = symbols[low - 1];
  return candidate !== undefined && address < candidate.end ? candidate : null;
}
