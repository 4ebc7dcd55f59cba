/**
 * Messages of netlink(7), little-endian. nlmsghdr (16 bytes): 0 length | 4 type:16 | 6 flags:16 | 8 sequence | 12 port id.
 * An attribute (rtattr): 0 length:16 | 2 type:16 | 4 value, padded to 4.
 */
export const HEADER = 16;

export const Nlm = {
  REQUEST: 1, MULTI: 2, ACK: 4, ECHO: 8, DUMP_FILTERED: 0x20,
  /** For what asks. */
  ROOT: 0x100, MATCH: 0x200, DUMP: 0x300,
  /** For what makes. */
  REPLACE: 0x100, EXCL: 0x200, CREATE: 0x400, APPEND: 0x800,
  /** For what acknowledges. */
  CAPPED: 0x100, ACK_TLVS: 0x200,
} as const;

export const NlType = { NOOP: 1, ERROR: 2, DONE: 3, OVERRUN: 4 } as const;

/** NLA_F_NESTED and NLA_F_NET_BYTEORDER. */
const ATTRIBUTE_TYPE_MASK = 0x3fff;

export interface NlMessage {
  type: number;
  flags: number;
  sequence: number;
  port: number;
  /** With the header. */
  bytes: Uint8Array;
  body: Uint8Array;
}

export const align4 = (length: number): number => (length + 3) & ~3;

function view(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
}

/** The messages of a datagram, up to the first that is cut off or shorter than a header. */
export function readMessages(bytes: Uint8Array): NlMessage[] {
  const messages: NlMessage[] = [];
  for (let at = 0; at + HEADER <= bytes.length;) {
    const header = view(bytes.subarray(at));
    const length = header.getUint32(0, true);
    if (length < HEADER || at + length > bytes.length) break;
    const whole = bytes.subarray(at, at + length);
    messages.push({
      type: header.getUint16(4, true), flags: header.getUint16(6, true), sequence: header.getUint32(8, true), port: header.getUint32(12, true),
      bytes: whole, body: whole.subarray(HEADER),
    });
    at += align4(length);
  }
  return messages;
}

/** Attributes by type, the last of a type counting. What follows the last that makes sense is passed over, as Linux does unless asked to be strict; then it is null. */
export function readAttributes(bytes: Uint8Array, strict = false): Map<number, Uint8Array> | null {
  const found = new Map<number, Uint8Array>();
  let at = 0;
  while (at + 4 <= bytes.length) {
    const head = view(bytes.subarray(at));
    const length = head.getUint16(0, true);
    if (length < 4 || at + length > bytes.length) return strict ? null : found;
    found.set(head.getUint16(2, true) & ATTRIBUTE_TYPE_MASK, bytes.subarray(at + 4, at + length));
    at += align4(length);
  }
  return found;
}

/** Builds the body of one message: fixed fields, then attributes. */
export class NlBody {
  private readonly parts: Uint8Array[] = [];
  private length = 0;

  raw(bytes: Uint8Array): this {
    this.parts.push(bytes);
    this.length += bytes.length;
    const pad = align4(this.length) - this.length;
    if (pad > 0) {
      this.parts.push(new Uint8Array(pad));
      this.length += pad;
    }
    return this;
  }

  attribute(type: number, value: Uint8Array): this {
    const head = new Uint8Array(4);
    view(head).setUint16(0, 4 + value.length, true);
    view(head).setUint16(2, type, true);
    this.parts.push(head);
    this.length += 4;
    return this.raw(value);
  }

  u32(type: number, value: number): this {
    return this.attribute(type, littleEndian(value));
  }

  u8(type: number, value: number): this {
    return this.attribute(type, Uint8Array.of(value));
  }

  text(type: number, value: string): this {
    return this.attribute(type, Buffer.from(`${value}\0`, 'latin1'));
  }

  bytes(): Uint8Array {
    return Buffer.concat(this.parts, this.length);
  }
}

export function littleEndian(...words: number[]): Uint8Array {
  return new Uint8Array(Int32Array.from(words).buffer);
}

/** An address or a MAC in network order. */
export function networkOrder(value: number, length: number): Uint8Array {
  const bytes = new Uint8Array(length);
  let rest = value;
  for (let i = length - 1; i >= 0; i--) {
    bytes[i] = rest % 256;
    rest = Math.floor(rest / 256);
  }
  return bytes;
}

export function fromNetworkOrder(bytes: Uint8Array | undefined): number {
  let value = 0;
  for (const byte of bytes ?? []) value = value * 256 + byte;
  return value;
}

/** A word an attribute holds; what is missing is `otherwise`. */
export function word(bytes: Uint8Array | undefined, otherwise = 0): number {
  return bytes && bytes.length >= 4 ? view(bytes).getInt32(0, true) : otherwise;
}

export function textOfAttribute(bytes: Uint8Array | undefined): string | undefined {
  if (!bytes) return undefined;
  const end = bytes.indexOf(0);
  return Buffer.from(end < 0 ? bytes : bytes.subarray(0, end)).toString('latin1');
}

export function writeMessage(type: number, flags: number, sequence: number, port: number, body: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(align4(HEADER + body.length));
  const head = view(bytes);
  head.setUint32(0, HEADER + body.length, true);
  head.setUint16(4, type, true);
  head.setUint16(6, flags, true);
  head.setUint32(8, sequence, true);
  head.setUint32(12, port, true);
  bytes.set(body, HEADER);
  return bytes;
}
