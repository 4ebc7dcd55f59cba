/**
 * DNS messages (RFC 1035 section 4, EDNS0 RFC 6891) as the traffic generators need them: enough to ask, to answer and to
 * tell whether an answer fits its question. Hostile input gives null, never an exception.
 */
export const DnsType = { A: 1, NS: 2, CNAME: 5, PTR: 12, TXT: 16, AAAA: 28, OPT: 41 } as const;
export const DnsCode = { noError: 0, formErr: 1, servFail: 2, nxDomain: 3, refused: 5 } as const;

export interface DnsQuestion {
  name: string;
  type: number;
}

export interface DnsRecord extends DnsQuestion {
  ttl: number;
  data: Uint8Array;
}

export interface DnsMessage {
  id: number;
  response: boolean;
  code: number;
  questions: DnsQuestion[];
  answers: DnsRecord[];
}

export const HEADER_BYTES = 12;
const MAX_NAME = 255;
const MAX_LABEL = 63;

/** A name in wire form. Labels longer than the limit are the caller's business: the length byte is cut to 8 bits. */
export function encodeName(name: string): Uint8Array {
  const labels = name.split('.').filter((label) => label !== '');
  const bytes: number[] = [];
  for (const label of labels) {
    bytes.push(label.length & 0xff);
    for (let i = 0; i < label.length; i++) bytes.push(label.charCodeAt(i) & 0xff);
  }
  bytes.push(0);
  return Uint8Array.from(bytes);
}

/**
 * The header of RFC 1035 section 4.1.1:
 *
 *   0  id (16)
 *   2  QR(1) opcode(4) AA TC RD (3)   RA(1) Z(3) rcode(4)
 *   4  QDCOUNT   6 ANCOUNT   8 NSCOUNT   10 ARCOUNT
 */
export function encodeHeader(id: number, flags: number, counts: readonly [number, number, number, number]): Uint8Array {
  const header = new Uint8Array(HEADER_BYTES);
  const view = new DataView(header.buffer);
  view.setUint16(0, id);
  view.setUint16(2, flags);
  counts.forEach((count, i) => view.setUint16(4 + 2 * i, count));
  return header;
}

export const u16 = (value: number): Uint8Array => Uint8Array.of((value >>> 8) & 0xff, value & 0xff);
export const u32 = (value: number): Uint8Array => Uint8Array.of((value >>> 24) & 0xff, (value >>> 16) & 0xff, (value >>> 8) & 0xff, value & 0xff);

export function concat(...parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

const IN = 1;
const RECURSION_DESIRED = 0x0100;
const QUERY_RESPONSE = 0x8000;

const encodeQuestion = (question: DnsQuestion): Uint8Array => concat(encodeName(question.name), u16(question.type), u16(IN));

export function encodeQuery(id: number, name: string, type: number): Uint8Array {
  return concat(encodeHeader(id, RECURSION_DESIRED, [1, 0, 0, 0]), encodeQuestion({ name, type }));
}

/** An OPT pseudo-record (RFC 6891 section 6.1.2): root name, type 41, class = UDP size, TTL = flags, options. */
export function encodeOpt(udpSize: number, options: Uint8Array, declaredLength = options.length): Uint8Array {
  return concat(Uint8Array.of(0), u16(DnsType.OPT), u16(udpSize), u32(0), u16(declaredLength), options);
}

export function encodeResponse(message: { id: number; code: number; question: DnsQuestion; answers: readonly DnsRecord[] }): Uint8Array {
  const flags = QUERY_RESPONSE | RECURSION_DESIRED | 0x0080 | message.code;
  const records = message.answers.map((record) => concat(encodeName(record.name), u16(record.type), u16(IN), u32(record.ttl), u16(record.data.length), record.data));
  return concat(encodeHeader(message.id, flags, [1, message.answers.length, 0, 0]), encodeQuestion(message.question), ...records);
}

/** A name at `at`, following pointers; null when it runs out of the message, points forward or is too long. */
function decodeName(bytes: Uint8Array, at: number): { name: string; end: number } | null {
  const labels: string[] = [];
  let position = at;
  let limit = at;
  let end = -1;
  let length = 0;
  for (;;) {
    if (position >= bytes.length) return null;
    const size = bytes[position];
    if (size >= 0xc0) {
      if (position + 1 >= bytes.length) return null;
      const target = ((size & 0x3f) << 8) | bytes[position + 1];
      if (end < 0) end = position + 2;
      // Only strictly backwards, so that a chain of pointers ends.
      if (target >= limit) return null;
      limit = target;
      position = target;
      continue;
    }
    if (size > MAX_LABEL) return null;
    position++;
    if (size === 0) return { name: labels.join('.'), end: end < 0 ? position : end };
    if (position + size > bytes.length) return null;
    length += size + 1;
    if (length > MAX_NAME) return null;
    labels.push(String.fromCharCode(...bytes.subarray(position, position + size)).toLowerCase());
    position += size;
  }
}

const readU16 = (bytes: Uint8Array, at: number): number => (bytes[at] << 8) | bytes[at + 1];

function decodeQuestion(bytes: Uint8Array, at: number): { question: DnsQuestion; end: number } | null {
  const name = decodeName(bytes, at);
  if (!name || name.end + 4 > bytes.length) return null;
  return { question: { name: name.name, type: readU16(bytes, name.end) }, end: name.end + 4 };
}

function decodeRecord(bytes: Uint8Array, at: number): { record: DnsRecord; end: number } | null {
  const name = decodeName(bytes, at);
  if (!name || name.end + 10 > bytes.length) return null;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const start = name.end + 10;
  const size = readU16(bytes, name.end + 8);
  if (start + size > bytes.length) return null;
  const record = { name: name.name, type: readU16(bytes, name.end), ttl: view.getUint32(name.end + 4), data: bytes.slice(start, start + size) };
  return { record, end: start + size };
}

/** Header, questions and answers; null when any of them is malformed. Authority and additional records are not read. */
export function decodeMessage(bytes: Uint8Array): DnsMessage | null {
  if (bytes.length < HEADER_BYTES) return null;
  const message: DnsMessage = { id: readU16(bytes, 0), response: (bytes[2] & 0x80) !== 0, code: bytes[3] & 15, questions: [], answers: [] };
  let at = HEADER_BYTES;
  for (let i = readU16(bytes, 4); i > 0; i--) {
    const next = decodeQuestion(bytes, at);
    if (!next) return null;
    message.questions.push(next.question);
    at = next.end;
  }
  for (let i = readU16(bytes, 6); i > 0; i--) {
    const next = decodeRecord(bytes, at);
    if (!next) return null;
    message.answers.push(next.record);
    at = next.end;
  }
  return message;
}
