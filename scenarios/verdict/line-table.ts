import { textAt, viewOf, type Section } from './elf-sections.js';

/** From `address` on, up to the next row, code comes from this line. */
interface Row {
  address: number;
  file: string;
  line: number;
  /** The end of a sequence: no code from here on. */
  ends: boolean;
}

export interface SourceLine {
  file: string;
  line: number;
}

const MAX_ROWS = 1_000_000;

/** Forms of DWARF 5 directory and file entries (DWARF 5 section 7.5.6). */
const Form = { data2: 0x05, data4: 0x06, data8: 0x07, string: 0x08, block: 0x09, data1: 0x0b, strp: 0x0e, udata: 0x0f, data16: 0x1e, lineStrp: 0x1f } as const;
const LNCT_PATH = 1;
const LNCT_DIRECTORY = 2;

/** The table stops making sense here; what was read before stands. */
class Malformed extends Error {}

/** Reads numbers in sequence; past the end it throws Malformed, caught in `readLines`. */
class Cursor {
  private readonly view: DataView;
  readonly bytes: Uint8Array;
  at: number;
  readonly end: number;

  constructor(bytes: Uint8Array, at: number, end: number) {
    this.bytes = bytes;
    this.view = viewOf(bytes);
    this.at = at;
    this.end = Math.min(end, bytes.length);
  }

  private take(length: number): number {
    if (this.at + length > this.end) throw new Malformed();
    this.at += length;
    return this.at - length;
  }

  skip(length: number): void {
    this.take(length);
  }

  u8(): number { return this.view.getUint8(this.take(1)); }
  i8(): number { return this.view.getInt8(this.take(1)); }
  u16(): number { return this.view.getUint16(this.take(2), true); }
  u32(): number { return this.view.getUint32(this.take(4), true); }

  /** LEB128, of which the low 32 bits count. */
  leb(signed = false): number {
    let [result, shift, byte] = [0, 0, 0];
    do {
      byte = this.u8();
      if (shift < 32) result |= (byte & 0x7f) << shift;
      shift += 7;
    } while (byte & 0x80);
    if (signed && shift < 32 && byte & 0x40) result |= -1 << shift;
    return result;
  }

  text(): string {
    const text = textAt(this.bytes.subarray(0, this.end), this.at);
    this.skip(text.length + 1);
    return text;
  }
}

interface Header {
  minimumLength: number;
  lineBase: number;
  lineRange: number;
  opcodeBase: number;
  operands: number[];
  files: string[];
}

/** .debug_line of DWARF 2 to 5 in its 32-bit format. Ascending by address. */
export class LineTable {
  private readonly rows: Row[];

  constructor(sections: readonly Section[]) {
    const named = (name: string): Uint8Array => sections.find((section) => section.name === name)?.bytes ?? new Uint8Array(0);
    this.rows = readLines(named('.debug_line'), named('.debug_line_str'), named('.debug_str'));
    this.rows.sort((a, b) => a.address - b.address || Number(b.ends) - Number(a.ends));
  }

  find(address: number): SourceLine | null {
    let [low, high] = [0, this.rows.length];
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.rows[middle].address <= address) low = middle + 1;
      else high = middle;
    }
    const row = this.rows[low - 1];
    return row === undefined || row.ends || row.line === 0 ? null : { file: row.file, line: row.line };
  }
}

function readLines(bytes: Uint8Array, lineStrings: Uint8Array, strings: Uint8Array): Row[] {
  const rows: Row[] = [];
  for (let at = 0; at + 4 <= bytes.length;) {
    const end = at + 4 + viewOf(bytes).getUint32(at, true);
    try {
      readUnit(new Cursor(bytes, at + 4, end), rows, lineStrings, strings);
    } catch (problem) {
      if (!(problem instanceof Malformed)) throw problem;
    }
    at = end;
  }
  return rows;
}

function readUnit(cursor: Cursor, rows: Row[], lineStrings: Uint8Array, strings: Uint8Array): void {
  const version = cursor.u16();
  if (version < 2 || version > 5) return;
  if (version === 5) cursor.skip(2);
  const program = cursor.u32() + cursor.at;
  const minimumLength = cursor.u8();
  if (version >= 4) cursor.skip(1);
  cursor.skip(1);
  const [lineBase, lineRange, opcodeBase] = [cursor.i8(), cursor.u8(), cursor.u8()];
  const operands = Array.from({ length: Math.max(0, opcodeBase - 1) }, () => cursor.u8());
  const files = version === 5 ? filesOf5(cursor, lineStrings, strings) : filesBefore5(cursor);
  cursor.at = program;
  if (lineRange > 0) runProgram(cursor, { minimumLength, lineBase, lineRange, opcodeBase, operands, files }, rows);
}

const join = (directory: string, name: string): string => (directory === '' || directory === '.' || name.startsWith('/') ? name : `${directory}/${name}`);

/** Directories, then files, each ended by an empty name; both counted from 1. */
function filesBefore5(cursor: Cursor): string[] {
  const directories = [''];
  for (let name = cursor.text(); name !== ''; name = cursor.text()) directories.push(name);
  const files = [''];
  for (let name = cursor.text(); name !== ''; name = cursor.text()) {
    files.push(join(directories[cursor.leb()] ?? '', name));
    cursor.leb();
    cursor.leb();
  }
  return files;
}

/** Two tables, each with a description of its columns; counted from 0. Directory 0 is where the compiler ran. */
function filesOf5(cursor: Cursor, lineStrings: Uint8Array, strings: Uint8Array): string[] {
  const table = (): { path: string; directory: number }[] => {
    const columns = Array.from({ length: cursor.u8() }, () => [cursor.leb(), cursor.leb()] as const);
    const count = cursor.leb();
    if (count < 0 || count > MAX_ROWS) throw new Malformed();
    return Array.from({ length: count }, () => {
      const entry = { path: '', directory: 0 };
      for (const [content, form] of columns) {
        const value = formValue(cursor, form, lineStrings, strings);
        if (content === LNCT_PATH && typeof value === 'string') entry.path = value;
        if (content === LNCT_DIRECTORY && typeof value === 'number') entry.directory = value;
      }
      return entry;
    });
  };
  const directories = table();
  return table().map(({ path, directory }) => join(directory === 0 ? '' : (directories[directory]?.path ?? ''), path));
}

function formValue(cursor: Cursor, form: number, lineStrings: Uint8Array, strings: Uint8Array): number | string {
  switch (form) {
    case Form.string: return cursor.text();
    case Form.lineStrp: return textAt(lineStrings, cursor.u32());
    case Form.strp: return textAt(strings, cursor.u32());
    case Form.data1: return cursor.u8();
    case Form.data2: return cursor.u16();
    case Form.data4: return cursor.u32();
    case Form.udata: return cursor.leb();
    case Form.data8: cursor.skip(8); return 0;
    case Form.data16: cursor.skip(16); return 0;
    case Form.block: cursor.skip(cursor.leb()); return 0;
    default: throw new Malformed();
  }
}

/** The line number program (DWARF 5 section 6.2.5), of which address, file and line are kept. */
function runProgram(cursor: Cursor, header: Header, rows: Row[]): void {
  const { minimumLength, lineBase, lineRange, opcodeBase, files } = header;
  let [address, file, line] = [0, 1, 1];
  const add = (ends: boolean): void => {
    if (rows.length < MAX_ROWS) rows.push({ address, file: files[file] ?? '', line, ends });
  };
  const advance = (operations: number): void => { address = (address + operations * minimumLength) >>> 0; };
  while (cursor.at < cursor.end) {
    const opcode = cursor.u8();
    if (opcode >= opcodeBase) {
      advance(Math.floor((opcode - opcodeBase) / lineRange));
      line += lineBase + ((opcode - opcodeBase) % lineRange);
      add(false);
      continue;
    }
    switch (opcode) {
      case 0: {
        const length = cursor.leb();
        const next = cursor.at + length;
        const extended = cursor.u8();
        if (extended === 1) {
          add(true);
          [address, file, line] = [0, 1, 1];
        } else if (extended === 2 && length === 5) address = cursor.u32();
        cursor.at = next;
        break;
      }
      case 1: add(false); break;
      case 2: advance(cursor.leb()); break;
      case 3: line += cursor.leb(true); break;
      case 4: file = cursor.leb(); break;
      case 8: advance(Math.floor((255 - opcodeBase) / lineRange)); break;
      case 9: address = (address + cursor.u16()) >>> 0; break;
      default: for (let i = 0; i < (header.operands[opcode - 1] ?? 0); i++) cursor.leb();
    }
  }
}
