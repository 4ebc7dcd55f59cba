import { concat, DnsType, encodeHeader, HEADER_BYTES, u16, u32 } from '../codecs/dns.js';

/** A DNS query taken apart as far as forms are made of it; unlike a decoder it keeps what is malformed. */
export interface DnsParts {
  id: number;
  flags: number;
  /** The question's name as it stands there, compression pointer included. */
  name: Uint8Array;
  type: number;
  class: number;
  /** Records before the OPT, in wire form. */
  before: Uint8Array[];
  opt: OptParts | null;
  after: Uint8Array[];
  /** Behind the last record. */
  tail: Uint8Array;
}

export interface OptParts {
  udpSize: number;
  /** Extended rcode, version, flags (RFC 6891 section 6.1.3). */
  ttl: number;
  options: OptionParts[];
}

export interface OptionParts {
  code: number;
  data: Uint8Array;
}

export const POINTER = 0xc0;
export const NAME_AT = HEADER_BYTES;

const word = (bytes: Uint8Array, at: number): number => ((bytes[at] ?? 0) << 8) | (bytes[at + 1] ?? 0);

/** Bytes a name takes where it stands: up to its root or its pointer. */
function nameLength(bytes: Uint8Array, start: number): number {
  let at = start;
  while (at < bytes.length && bytes[at] !== 0 && bytes[at] < 64) at += bytes[at] + 1;
  return Math.min(at + (bytes[at] >= POINTER ? 2 : 1), bytes.length) - start;
}

/** Null for anything too short to hold a question. */
export function takeApart(bytes: Uint8Array): DnsParts | null {
  if (bytes.length < HEADER_BYTES + 5) return null;
  const end = NAME_AT + nameLength(bytes, NAME_AT);
  const parts: DnsParts = {
    id: word(bytes, 0), flags: word(bytes, 2), name: bytes.slice(NAME_AT, end), type: word(bytes, end), class: word(bytes, end + 2),
    before: [], opt: null, after: [], tail: new Uint8Array(0),
  };
  const rest = bytes.subarray(end + 4);
  const hasOpt = rest.length >= 11 && rest[0] === 0 && word(rest, 1) === DnsType.OPT;
  if (!hasOpt) return { ...parts, tail: rest.slice() };
  const size = word(rest, 9);
  parts.opt = { udpSize: word(rest, 3), ttl: word(rest, 5) * 65536 + word(rest, 7), options: options(rest.subarray(11, 11 + size)) };
  parts.tail = rest.slice(11 + size);
  return parts;
}

function options(bytes: Uint8Array): OptionParts[] {
  const found: OptionParts[] = [];
  for (let at = 0; at + 4 <= bytes.length;) {
    const size = word(bytes, at + 2);
    found.push({ code: word(bytes, at), data: bytes.slice(at + 4, at + 4 + size) });
    at += 4 + size;
  }
  return found;
}

export const encodeOptions = (list: readonly OptionParts[]): Uint8Array => concat(...list.map(({ code, data }) => concat(u16(code), u16(data.length), data)));

export function record(name: Uint8Array, type: number, data: Uint8Array, ttl = 60): Uint8Array {
  return concat(name, u16(type), u16(1), u32(ttl), u16(data.length), data);
}

/** The counts are those of the parts, unless told otherwise. */
export function putTogether(parts: DnsParts, counts?: readonly [number, number, number, number]): Uint8Array {
  const { id, flags, name, before, opt, after, tail } = parts;
  const additional = before.length + after.length + (opt ? 1 : 0);
  const data = opt ? encodeOptions(opt.options) : new Uint8Array(0);
  const optRecord = opt ? concat(Uint8Array.of(0), u16(DnsType.OPT), u16(opt.udpSize), u32(opt.ttl >>> 0), u16(data.length), data) : new Uint8Array(0);
  return concat(encodeHeader(id, flags, counts ?? [1, 0, 0, additional]), name, u16(parts.type), u16(parts.class), ...before, optRecord, ...after, tail);
}
