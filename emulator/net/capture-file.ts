import { hexDigits } from '../base/index.js';
import { readPcap } from './pcap.js';
import { readPcapng } from './pcapng.js';
import { read16, write16, write48, type Mac } from './wire/index.js';

/** Values of the LINKTYPE_ registry that can be read. 12 and 14 are RAW as some systems number it. */
export const LinkType = { null: 0, ethernet: 1, raw: 101, rawBsd: 12, rawOpenbsd: 14, linuxSll: 113, ipv4: 228 } as const;

export interface CapturePacket {
  /** Nanoseconds since the epoch. */
  time: bigint;
  /** As captured, with the header its link type has; a view into the file. */
  bytes: Uint8Array;
  linkType: number;
  /** On the wire; more than `bytes.length` when the capture cut the packet off. */
  originalLength: number;
  interface: number;
  comment: string;
}

export interface CaptureFile {
  format: 'pcap' | 'pcapng' | 'unknown';
  interfaces: { name: string; linkType: number }[];
  /** What could be read before `error`. */
  packets: CapturePacket[];
  /** One sentence: what is wrong, at which offset, what to do; null for a whole file. */
  error: string | null;
}

/** Reads pcap and pcapng, whatever the bytes; never throws, holds no more than the file. */
export function readCapture(file: Uint8Array): CaptureFile {
  // Of a Buffer slice() would be a view, and whoever keeps a packet takes it for a copy.
  const bytes = new Uint8Array(file.buffer, file.byteOffset, file.byteLength);
  const magic = Array.from(bytes.subarray(0, 4), (byte) => hexDigits(byte, 2)).join('');
  if (['d4c3b2a1', 'a1b2c3d4', '4d3cb2a1', 'a1b23c4d'].includes(magic)) return readPcap(bytes);
  if (magic === '0a0d0d0a') return readPcapng(bytes);
  const why = magic.startsWith('1f8b')
    ? 'the file is compressed with gzip (offset 0); unpack it first: gunzip FILE'
    : `offset 0 holds ${magic || 'nothing'}, which starts neither a pcap nor a pcapng file; convert it: editcap -F pcapng IN OUT`;
  return { format: 'unknown', interfaces: [], packets: [], error: why };
}

/** Header lengths before the IP packet, and where an EtherType or address family says that it is IPv4. */
function ipPart(packet: CapturePacket): Uint8Array | null {
  const { bytes, linkType } = packet;
  switch (linkType) {
    case LinkType.raw: case LinkType.rawBsd: case LinkType.rawOpenbsd: case LinkType.ipv4:
      return bytes;
    case LinkType.null:
      // The family is in the byte order of the machine that captured: 2 is AF_INET everywhere.
      return bytes.length >= 4 && (bytes[0] === 2 || bytes[3] === 2) ? bytes.subarray(4) : null;
    case LinkType.linuxSll:
      return bytes.length >= 16 && read16(bytes, 14) === 0x0800 ? bytes.subarray(16) : null;
    default:
      return null;
  }
}

/**
 * The packet as an Ethernet frame that can be put on a link: itself, or its IPv4 packet under a header with
 * the given addresses. Null: it is of a link type that is not read, or not IPv4.
 */
export function toEthernet(packet: CapturePacket, source: Mac, destination: Mac): Uint8Array | null {
  if (packet.linkType === LinkType.ethernet) return packet.bytes.length >= 14 ? packet.bytes : null;
  const payload = ipPart(packet);
  if (!payload || payload.length < 20 || payload[0] >>> 4 !== 4) return null;
  const frame = new Uint8Array(Math.max(60, 14 + payload.length));
  write48(frame, 0, destination);
  write48(frame, 6, source);
  write16(frame, 12, 0x0800);
  frame.set(payload, 14);
  return frame;
}
