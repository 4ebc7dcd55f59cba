import { concat, u16, u32 } from './dns.js';

/**
 * DHCP messages (RFC 2131 section 2, options RFC 2132): what a client sends and needs to read of the replies.
 *
 *   0  op htype hlen hops   4 xid   8 secs flags   12 ciaddr   16 yiaddr   20 siaddr   24 giaddr
 *   28 chaddr (16)   44 sname (64)   108 file (128)   236 magic cookie 63 82 53 63   240 options
 */
export const DhcpType = { discover: 1, offer: 2, request: 3, decline: 4, ack: 5, nak: 6, release: 7 } as const;
export const DhcpOption = { pad: 0, hostName: 12, requestedAddress: 50, leaseTime: 51, messageType: 53, server: 54, parameters: 55, clientId: 61, fqdn: 81, end: 255 } as const;

export interface DhcpReply {
  xid: number;
  type: number;
  /** The client's hardware address (chaddr), as hexadecimal digits. */
  client: string;
  /** The address given (yiaddr), as an unsigned 32-bit number. */
  address: number;
  server: number;
  leaseSeconds: number;
}

const OPTIONS_AT = 240;
const COOKIE = 0x63825363;
const BROADCAST_FLAG = 0x8000;

/** One option; `declared` may lie about the length. */
export function encodeOption(code: number, data: Uint8Array, declared = data.length): Uint8Array {
  return concat(Uint8Array.of(code, declared & 0xff), data);
}

export function encodeRequest(xid: number, mac: Uint8Array, options: readonly Uint8Array[]): Uint8Array {
  const fixed = concat(
    Uint8Array.of(1, 1, 6, 0), u32(xid), u16(0), u16(BROADCAST_FLAG),
    new Uint8Array(16), mac, new Uint8Array(10 + 64 + 128), u32(COOKIE),
  );
  return concat(fixed, ...options, Uint8Array.of(DhcpOption.end));
}

/** `wish` is the address the client would like, 0 = any. */
export function encodeDiscover(xid: number, mac: Uint8Array, wish = 0): Uint8Array {
  const type = encodeOption(DhcpOption.messageType, Uint8Array.of(DhcpType.discover));
  return encodeRequest(xid, mac, wish === 0 ? [type] : [type, encodeOption(DhcpOption.requestedAddress, u32(wish))]);
}

export function encodeSelect(xid: number, mac: Uint8Array, address: number, server: number): Uint8Array {
  return encodeRequest(xid, mac, [
    encodeOption(DhcpOption.messageType, Uint8Array.of(DhcpType.request)),
    encodeOption(DhcpOption.requestedAddress, u32(address)),
    encodeOption(DhcpOption.server, u32(server)),
  ]);
}

/** A client that comes back and asks whether the address it had is still its own (RFC 2131 section 4.3.2, INIT-REBOOT). */
export function encodeReboot(xid: number, mac: Uint8Array, address: number): Uint8Array {
  return encodeRequest(xid, mac, [
    encodeOption(DhcpOption.messageType, Uint8Array.of(DhcpType.request)),
    encodeOption(DhcpOption.requestedAddress, u32(address)),
  ]);
}

const BOOT_REQUEST = 1;
const BOOT_REPLY = 2;
const CLIENT_AT = 28;

/** A server's message, or null when it is no well-formed DHCP reply. */
export const decodeReply = (bytes: Uint8Array): DhcpReply | null => decode(bytes, BOOT_REPLY);

/** A client's message in the same words; `address` is the one it holds (ciaddr). Null when it is no well-formed one. */
export function decodeRequest(bytes: Uint8Array): DhcpReply | null {
  const message = decode(bytes, BOOT_REQUEST);
  return message && { ...message, address: new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength).getUint32(12) };
}

function decode(bytes: Uint8Array, operation: number): DhcpReply | null {
  if (bytes.length < OPTIONS_AT || bytes[0] !== operation) return null;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (view.getUint32(236) !== COOKIE) return null;
  const client = Buffer.from(bytes.subarray(CLIENT_AT, CLIENT_AT + 6)).toString('hex');
  const reply: DhcpReply = { xid: view.getUint32(4), type: 0, client, address: view.getUint32(16), server: 0, leaseSeconds: 0 };
  for (let at = OPTIONS_AT; at < bytes.length && bytes[at] !== DhcpOption.end;) {
    if (bytes[at] === DhcpOption.pad) {
      at++;
      continue;
    }
    if (at + 2 > bytes.length) return null;
    const size = bytes[at + 1];
    if (at + 2 + size > bytes.length) return null;
    if (bytes[at] === DhcpOption.messageType && size === 1) reply.type = bytes[at + 2];
    if (bytes[at] === DhcpOption.server && size === 4) reply.server = view.getUint32(at + 2);
    if (bytes[at] === DhcpOption.leaseTime && size === 4) reply.leaseSeconds = view.getUint32(at + 2);
    at += 2 + size;
  }
  return reply.type === 0 ? null : reply;
}
