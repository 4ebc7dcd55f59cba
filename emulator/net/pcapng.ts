import type { CaptureFile } from './capture-file.js';
import { MAX_PACKET } from './pcap.js';

/*
 * pcapng (draft-ietf-opsawg-pcapng). Every block:
 *   0 type | 4 total length | 8 body, padded to 4 | total length again
 *   SHB 0a0d0d0a: 8 byte-order magic 1a2b3c4d | 12 version 1.0 | 16 section length (64 bits, -1 unknown) | 24 options
 *   IDB 1: 8 link type:16 reserved:16 | 12 snaplen | 16 options
 *   SPB 3: 8 original length | 12 data                (interface 0, no time)
 *   EPB 6: 8 interface | 12 time high | 16 time low | 20 captured length | 24 original length | 28 data, options
 * Option: code:16 length:16 value padded to 4; code 0 ends.
 */
const SHB = 0x0a0d0d0a;
const IDB = 1;
const SPB = 3;
const EPB = 6;
const BYTE_ORDER = 0x1a2b3c4d;
const OPT_COMMENT = 1;
const SHB_HARDWARE = 2;
const SHB_USERAPPL = 4;
const IF_NAME = 2;
const IF_DESCRIPTION = 3;
const IF_TSRESOL = 9;
const IF_TSOFFSET = 14;
const EPB_FLAGS = 2;
const LINKTYPE_ETHERNET = 1;

// ---- reading

interface Described {
  linkType: number;
  snaplen: number;
  /** Time units a second. */
  resolution: bigint;
  /** Nanoseconds to add. */
  offset: bigint;
  /** Index in the file's list of interfaces, which runs on over sections. */
  index: number;
}

/** What is wrong, at which offset, what to do. Caught at the edge of `readPcapng`. */
class Broken {
  readonly message: string;
  constructor(message: string) {
    this.message = message;
  }
}

export function readPcapng(bytes: Uint8Array): CaptureFile {
  const reader = new PcapngReader(bytes);
  try {
    reader.read();
  } catch (problem) {
    if (!(problem instanceof Broken)) throw problem;
    reader.file.error = problem.message;
  }
  return reader.file;
}

class PcapngReader {
  readonly file: CaptureFile = { format: 'pcapng', interfaces: [], packets: [], error: null };
  private readonly bytes: Uint8Array;
  private readonly view: DataView;
  private little = true;
  private described: Described[] = [];

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  read(): void {
    for (let at = 0; at < this.bytes.length;) at += this.block(at);
  }

  private u16(at: number): number {
    return this.view.getUint16(at, this.little);
  }

  private u32(at: number): number {
    return this.view.getUint32(at, this.little);
  }

  /** Reads one block; its length. */
  private block(at: number): number {
    if (at + 12 > this.bytes.length) throw new Broken(`the file ends inside the block at offset ${at}; copy it again`);
    if (this.view.getUint32(at, true) === SHB) this.section(at);
    const length = this.u32(at + 4);
    if (length < 12 || length % 4 !== 0) throw new Broken(`offset ${at + 4}: a block length of ${length}; the file is damaged from here on`);
    if (at + length > this.bytes.length) throw new Broken(`the file ends inside the block at offset ${at} (${length} bytes long); copy it again`);
    if (this.u32(at + length - 4) !== length) throw new Broken(`offset ${at + length - 4}: the block's two lengths differ; the file is damaged from here on`);
    switch (this.u32(at)) {
      case IDB: this.interface(at, at + length - 4); break;
      case SPB: this.simplePacket(at, at + length - 4); break;
      case EPB: this.packet(at, at + length - 4); break;
    }
    return length;
  }

  /** A new section may have another byte order and describes its own interfaces. */
  private section(at: number): void {
    if (at + 28 > this.bytes.length) throw new Broken(`the file ends inside the section header at offset ${at}; copy it again`);
    this.little = this.view.getUint32(at + 8, true) === BYTE_ORDER;
    if (this.u32(at + 8) !== BYTE_ORDER) throw new Broken(`offset ${at + 8}: no byte-order magic; this is no pcapng section`);
    if (this.u32(at + 4) < 28) throw new Broken(`offset ${at + 4}: a section header of ${this.u32(at + 4)} bytes; the file is damaged`);
    const major = this.u16(at + 12);
    if (major !== 1) throw new Broken(`offset ${at + 12}: pcapng version ${major}; only version 1 is known, convert the file with editcap`);
    this.described = [];
  }

  private interface(at: number, end: number): void {
    this.need(at, end, 16);
    const entry: Described = { linkType: this.u16(at + 8), snaplen: this.u32(at + 12), resolution: 1_000_000n, offset: 0n, index: this.file.interfaces.length };
    let name = '';
    this.options(at + 16, end, (code, start, length) => {
      if (code === IF_NAME) name = text(this.bytes, start, length);
      else if (code === IF_TSRESOL && length >= 1) entry.resolution = this.resolution(start);
      else if (code === IF_TSOFFSET && length >= 8) entry.offset = this.view.getBigInt64(start, this.little) * 1_000_000_000n;
    });
    this.described.push(entry);
    this.file.interfaces.push({ name, linkType: entry.linkType });
  }

  /** if_tsresol: a power of ten, or (high bit) of two. */
  private resolution(at: number): bigint {
    const exponent = this.bytes[at] & 0x7f;
    const limit = this.bytes[at] & 0x80 ? 63 : 18;
    if (exponent > limit) throw new Broken(`offset ${at}: a time resolution of ${this.bytes[at] & 0x80 ? 2 : 10}^-${exponent}; the file is damaged`);
    return (this.bytes[at] & 0x80 ? 2n : 10n) ** BigInt(exponent);
  }

  private packet(at: number, end: number): void {
    this.need(at, end, 28);
    const entry = this.on(this.u32(at + 8), at + 8);
    const length = this.u32(at + 20);
    this.need(at, end, 28 + length);
    if (length > MAX_PACKET) throw new Broken(`offset ${at + 20}: a packet of ${length} bytes; no link has such packets`);
    const units = (BigInt(this.u32(at + 12)) << 32n) | BigInt(this.u32(at + 16));
    const time = (units * 1_000_000_000n) / entry.resolution + entry.offset;
    const comments: string[] = [];
    this.options(at + 28 + length + (-length & 3), end, (code, start, size) => {
      if (code === OPT_COMMENT) comments.push(text(this.bytes, start, size));
    });
    this.add(entry, at + 28, length, this.u32(at + 24), time, comments.join('; '));
  }

  private simplePacket(at: number, end: number): void {
    this.need(at, end, 12);
    const entry = this.on(0, at);
    const original = this.u32(at + 8);
    const length = Math.min(original, entry.snaplen || Infinity, end - at - 12);
    if (length > MAX_PACKET) throw new Broken(`offset ${at + 8}: a packet of ${length} bytes; no link has such packets`);
    this.add(entry, at + 12, length, original, this.file.packets.at(-1)?.time ?? 0n, '');
  }

  private add(entry: Described, start: number, length: number, originalLength: number, time: bigint, comment: string): void {
    const bytes = this.bytes.subarray(start, start + length);
    this.file.packets.push({ time, bytes, linkType: entry.linkType, originalLength, interface: entry.index, comment });
  }

  private on(index: number, at: number): Described {
    const entry = this.described[index];
    if (!entry) throw new Broken(`offset ${at}: a packet of interface ${index}, which the file does not describe`);
    return entry;
  }

  private need(at: number, end: number, length: number): void {
    if (at + length > end) throw new Broken(`offset ${at + 4}: the block is too short for what it holds; the file is damaged from here on`);
  }

  /** Options that do not fit end the list. */
  private options(from: number, end: number, each: (code: number, start: number, length: number) => void): void {
    for (let at = from; at + 4 <= end;) {
      const code = this.u16(at);
      const length = this.u16(at + 2);
      if (code === 0) return;
      if (at + 4 + length > end) throw new Broken(`offset ${at + 2}: an option of ${length} bytes leaves its block; the file is damaged from here on`);
      each(code, at + 4, length);
      at += 4 + length + (-length & 3);
    }
  }
}

function text(bytes: Uint8Array, start: number, length: number): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset + start, length).toString('utf8');
}

// ---- writing

export interface PcapngPacket {
  /** Index in `interfaces`. */
  interface: number;
  /** Nanoseconds since the epoch. */
  time: bigint;
  bytes: Uint8Array;
  comment: string;
  direction: 'in' | 'out' | null;
}

export interface PcapngFile {
  interfaces: { name: string; description: string }[];
  packets: PcapngPacket[];
  comment: string;
  hardware: string;
  application: string;
  /** Of the time stamps; nanoseconds when left out. */
  resolution?: 'ns' | 'us';
}

/** A little-endian pcapng file of Ethernet interfaces. */
export function writePcapng(file: PcapngFile): Uint8Array {
  const micro = file.resolution === 'us';
  const blocks = [sectionBlock(file)];
  for (const entry of file.interfaces) blocks.push(interfaceBlock(entry, micro ? 6 : 9));
  for (const packet of file.packets) blocks.push(packetBlock(packet, micro ? packet.time / 1000n : packet.time));
  return Buffer.concat(blocks);
}

function sectionBlock(file: PcapngFile): Buffer {
  const body = Buffer.alloc(16);
  body.writeUInt32LE(BYTE_ORDER, 0);
  body.writeUInt16LE(1, 4);
  body.writeBigInt64LE(-1n, 8);
  return block(SHB, [body, ...textOption(OPT_COMMENT, file.comment), ...textOption(SHB_HARDWARE, file.hardware), ...textOption(SHB_USERAPPL, file.application)]);
}

function interfaceBlock(entry: { name: string; description: string }, resolution: number): Buffer {
  const body = Buffer.alloc(8);
  body.writeUInt16LE(LINKTYPE_ETHERNET, 0);
  body.writeUInt32LE(MAX_PACKET, 4);
  return block(IDB, [body, ...textOption(IF_NAME, entry.name), ...textOption(IF_DESCRIPTION, entry.description), option(IF_TSRESOL, Buffer.from([resolution]))]);
}

function packetBlock(packet: PcapngPacket, units: bigint): Buffer {
  const body = Buffer.alloc(20);
  body.writeUInt32LE(packet.interface, 0);
  body.writeUInt32LE(Number(units >> 32n), 4);
  body.writeUInt32LE(Number(units & 0xffffffffn), 8);
  body.writeUInt32LE(packet.bytes.length, 12);
  body.writeUInt32LE(packet.bytes.length, 16);
  const parts = [body, padded(packet.bytes), ...textOption(OPT_COMMENT, packet.comment)];
  if (packet.direction) parts.push(option(EPB_FLAGS, Buffer.from([packet.direction === 'in' ? 1 : 2, 0, 0, 0])));
  return block(EPB, parts);
}

/** The end-of-options mark is written whenever there are options. */
function block(type: number, parts: Buffer[]): Buffer {
  const hasOptions = parts.length > (type === EPB ? 2 : 1);
  const body = Buffer.concat(hasOptions ? [...parts, Buffer.alloc(4)] : parts);
  const whole = Buffer.alloc(body.length + 12);
  whole.writeUInt32LE(type, 0);
  whole.writeUInt32LE(whole.length, 4);
  body.copy(whole, 8);
  whole.writeUInt32LE(whole.length, whole.length - 4);
  return whole;
}

function textOption(code: number, value: string): Buffer[] {
  if (value === '') return [];
  return [option(code, Buffer.from(value).subarray(0, 0xffff))];
}

function option(code: number, value: Uint8Array): Buffer {
  const header = Buffer.alloc(4);
  header.writeUInt16LE(code, 0);
  header.writeUInt16LE(value.length, 2);
  return Buffer.concat([header, padded(value)]);
}

function padded(bytes: Uint8Array): Buffer {
  const whole = Buffer.alloc((bytes.length + 3) & ~3);
  whole.set(bytes);
  return whole;
}
