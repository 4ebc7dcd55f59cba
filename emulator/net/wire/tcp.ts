import { invariant } from '../../base/index.js';
import type { Address } from './address6.js';
import { read16, read32, write16, write32 } from './bytes.js';
import { foldSum, onesSum, pseudoSum } from './checksum.js';
import { IP_TCP } from './ipv4.js';

export const TCP_HEADER = 20;
/** Most bytes of options: the header length counts words in four bits. */
export const TCP_OPTIONS_MAX = 40;

export const TcpFlag = { FIN: 1, SYN: 2, RST: 4, PSH: 8, ACK: 0x10, URG: 0x20, ECE: 0x40, CWR: 0x80 } as const;

/**
 * RFC 9293 section 3.1:
 *   0 source port | 2 destination port | 4 sequence | 8 acknowledgment | 12 header words:4 reserved:4 | 13 flags
 *   14 window | 16 checksum | 18 urgent pointer | 20 options | data
 */
export class TcpView {
  readonly bytes: Uint8Array;
  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
  }
  get sourcePort(): number { return read16(this.bytes, 0); }
  get destinationPort(): number { return read16(this.bytes, 2); }
  get sequence(): number { return read32(this.bytes, 4); }
  get acknowledgment(): number { return read32(this.bytes, 8); }
  get headerLength(): number { return (this.bytes[12] >>> 4) * 4; }
  get flags(): number { return this.bytes[13] | 0; }
  get window(): number { return read16(this.bytes, 14); }
  get checksum(): number { return read16(this.bytes, 16); }
  get urgent(): number { return read16(this.bytes, 18); }
}

/** The options this stack knows; what is absent has the value named here. */
export interface TcpOptions {
  /** 0: none. */
  mss: number;
  /** -1: none (RFC 7323). */
  windowScale: number;
  /** RFC 2018. */
  sackPermitted: boolean;
  /** Blocks as start, end, start, end, … */
  sack: readonly number[];
  /** RFC 7323. */
  timestamp: { value: number; echo: number } | null;
}

export interface TcpSegment {
  sourcePort: number;
  destinationPort: number;
  sequence: number;
  acknowledgment: number;
  /** TcpFlag bits. */
  flags: number;
  /** As it stands in the header, unscaled. */
  window: number;
  /** Offset of the octet after the urgent data; meaningful with URG. */
  urgent: number;
  options: TcpOptions;
  payload: Uint8Array;
}

const NO_BLOCKS: readonly number[] = [];
export const NO_TCP_OPTIONS: TcpOptions = { mss: 0, windowScale: -1, sackPermitted: false, sack: NO_BLOCKS, timestamp: null };

/** The segment in an IP packet's payload, or why it is none. */
export function readTcp(bytes: Uint8Array, source: Address, destination: Address): TcpSegment | string {
  if (bytes.length < TCP_HEADER) return 'tcp.short';
  const view = new TcpView(bytes);
  const { headerLength, sourcePort, destinationPort, sequence, acknowledgment, flags, window, urgent } = view;
  if (headerLength < TCP_HEADER || headerLength > bytes.length) return 'tcp.header-length';
  if (tcpChecksum(bytes, source, destination) !== 0) return 'tcp.checksum';
  const options = headerLength === TCP_HEADER ? NO_TCP_OPTIONS : readTcpOptions(bytes.subarray(TCP_HEADER, headerLength));
  return { sourcePort, destinationPort, sequence, acknowledgment, flags, window, urgent, options, payload: bytes.subarray(headerLength) };
}

const Kind = { end: 0, none: 1, mss: 2, scale: 3, sackPermitted: 4, sack: 5, timestamp: 8 } as const;

/** Unknown options are passed over; a malformed list ends where it stops making sense (RFC 9293 section 3.1, MUST-7). */
export function readTcpOptions(bytes: Uint8Array): TcpOptions {
  const options: TcpOptions = { ...NO_TCP_OPTIONS };
  for (let at = 0; at < bytes.length && bytes[at] !== Kind.end;) {
    if (bytes[at] === Kind.none) {
      at++;
      continue;
    }
    const length = bytes[at + 1] ?? 0;
    if (length < 2 || at + length > bytes.length) break;
    readOption(options, bytes, at, length);
    at += length;
  }
  return options;
}

function readOption(options: TcpOptions, bytes: Uint8Array, at: number, length: number): void {
  switch (bytes[at]) {
    case Kind.mss: if (length === 4) options.mss = read16(bytes, at + 2); break;
    case Kind.scale: if (length === 3) options.windowScale = bytes[at + 2]; break;
    case Kind.sackPermitted: if (length === 2) options.sackPermitted = true; break;
    case Kind.timestamp: if (length === 10) options.timestamp = { value: read32(bytes, at + 2), echo: read32(bytes, at + 6) }; break;
    case Kind.sack:
      if ((length - 2) % 8 === 0) options.sack = Array.from({ length: (length - 2) / 4 }, (_, i) => read32(bytes, at + 2 + 4 * i));
      break;
  }
}

/** Bytes the options take, padded to a multiple of four. */
export function tcpOptionsLength(options: TcpOptions): number {
  return (options.mss > 0 ? 4 : 0) + (options.timestamp ? 12 : options.sackPermitted ? 4 : 0) + (options.windowScale >= 0 ? 4 : 0)
    + (options.sack.length > 0 ? 4 + options.sack.length * 4 : 0);
}

/** In the order and with the padding Linux uses, so that captures compare. */
function writeTcpOptions(options: TcpOptions, bytes: Uint8Array, start: number): void {
  let at = start;
  const put = (a: number, b: number, c: number, d: number): void => {
    bytes[at++] = a;
    bytes[at++] = b;
    bytes[at++] = c;
    bytes[at++] = d;
  };
  if (options.mss > 0) put(Kind.mss, 4, options.mss >>> 8, options.mss & 0xff);
  if (options.timestamp) {
    if (options.sackPermitted) put(Kind.sackPermitted, 2, Kind.timestamp, 10);
    else put(Kind.none, Kind.none, Kind.timestamp, 10);
    write32(bytes, at, options.timestamp.value);
    write32(bytes, at + 4, options.timestamp.echo);
    at += 8;
  } else if (options.sackPermitted) {
    put(Kind.none, Kind.none, Kind.sackPermitted, 2);
  }
  if (options.windowScale >= 0) put(Kind.none, Kind.scale, 3, options.windowScale);
  if (options.sack.length === 0) return;
  put(Kind.none, Kind.none, Kind.sack, 2 + options.sack.length * 4);
  for (const edge of options.sack) {
    write32(bytes, at, edge);
    at += 4;
  }
}

function tcpChecksum(bytes: Uint8Array, source: Address, destination: Address): number {
  return foldSum(onesSum(bytes, 0, bytes.length, pseudoSum(source, destination, IP_TCP, bytes.length)));
}

export function writeTcp(segment: TcpSegment, source: Address, destination: Address): Uint8Array {
  const optionsLength = tcpOptionsLength(segment.options);
  invariant(optionsLength <= TCP_OPTIONS_MAX, 'TCP options have at most 40 bytes');
  const headerLength = TCP_HEADER + optionsLength;
  const bytes = new Uint8Array(headerLength + segment.payload.length);
  write16(bytes, 0, segment.sourcePort);
  write16(bytes, 2, segment.destinationPort);
  write32(bytes, 4, segment.sequence);
  write32(bytes, 8, segment.acknowledgment);
  bytes[12] = (headerLength / 4) << 4;
  bytes[13] = segment.flags;
  write16(bytes, 14, segment.window);
  write16(bytes, 18, segment.urgent);
  writeTcpOptions(segment.options, bytes, TCP_HEADER);
  bytes.set(segment.payload, headerLength);
  write16(bytes, 16, tcpChecksum(bytes, source, destination));
  return bytes;
}
