import { read16, read32, write16, write32 } from './bytes.js';
import { checksum } from './checksum.js';

export const ICMP_ECHO_REPLY = 0;
export const ICMP_UNREACHABLE = 3;
export const ICMP_ECHO = 8;
export const ICMP_TIME_EXCEEDED = 11;
export const ICMP_PARAMETER = 12;
export const ICMP_HEADER = 8;

/** Codes of destination unreachable (RFC 792, RFC 1122 section 3.2.2.1, RFC 1812 section 5.2.7.1). */
export const Unreachable = { net: 0, host: 1, protocol: 2, port: 3, fragmentation: 4, prohibited: 13 } as const;

/** RFC 792:  0 type | 1 code | 2 checksum | 4 rest of the header (echo: identifier, sequence) | 8 data */
export class IcmpView {
  readonly bytes: Uint8Array;
  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
  }
  get type(): number { return this.bytes[0] | 0; }
  get code(): number { return this.bytes[1] | 0; }
  get rest(): number { return read32(this.bytes, 4); }
  get identifier(): number { return read16(this.bytes, 4); }
  get sequence(): number { return read16(this.bytes, 6); }
  get checksumHolds(): boolean { return checksum(this.bytes) === 0; }
}

export interface IcmpMessage {
  type: number;
  code: number;
  /** The second word: identifier and sequence, or (fragmentation needed) the next hop's MTU. */
  rest: number;
  data: Uint8Array;
}

export function readIcmp(bytes: Uint8Array): IcmpMessage | string {
  if (bytes.length < ICMP_HEADER) return 'icmp.short';
  const view = new IcmpView(bytes);
  if (!view.checksumHolds) return 'icmp.checksum';
  return { type: view.type, code: view.code, rest: view.rest, data: bytes.subarray(ICMP_HEADER) };
}

export function writeIcmp(message: IcmpMessage): Uint8Array {
  const bytes = new Uint8Array(ICMP_HEADER + message.data.length);
  bytes[0] = message.type;
  bytes[1] = message.code;
  write32(bytes, 4, message.rest);
  bytes.set(message.data, ICMP_HEADER);
  write16(bytes, 2, checksum(bytes));
  return bytes;
}

/** Errors are never answered with errors (RFC 1122 section 3.2.2). */
export function isIcmpError(type: number): boolean {
  return type === ICMP_UNREACHABLE || type === ICMP_TIME_EXCEEDED || type === ICMP_PARAMETER || type === 4 || type === 5;
}
