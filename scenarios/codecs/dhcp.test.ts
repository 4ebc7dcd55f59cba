import fc from 'fast-check';
import { decodeReply, decodeRequest, DhcpOption, DhcpType, encodeDiscover, encodeOption, encodeSelect } from './dhcp.js';
import { concat, u32 } from './dns.js';

const MAC = Uint8Array.of(2, 0, 0, 0, 0, 9);

/** What a server would send: the client's message turned round. */
function reply(type: number): Uint8Array {
  const bytes = concat(encodeDiscover(0x01020304, MAC).subarray(0, 240),
    encodeOption(DhcpOption.messageType, Uint8Array.of(type)), encodeOption(DhcpOption.server, u32(0xc0a80101)),
    Uint8Array.of(DhcpOption.pad), encodeOption(DhcpOption.leaseTime, u32(3600)), Uint8Array.of(DhcpOption.end));
  bytes[0] = 2;
  bytes.set(u32(0xc0a80164), 16);
  return bytes;
}

describe('DHCP messages of the generators', () => {
  test('a DISCOVER has the fixed part of RFC 2131, the cookie and its type', () => {
    const bytes = encodeDiscover(0xdeadbeef, MAC);
    expect([...bytes.subarray(0, 8)]).toEqual([1, 1, 6, 0, 0xde, 0xad, 0xbe, 0xef]);
    expect([...bytes.subarray(28, 34)]).toEqual([...MAC]);
    expect([...bytes.subarray(236)]).toEqual([0x63, 0x82, 0x53, 0x63, 53, 1, 1, 255]);
  });

  test('a REQUEST names the address and the server', () => {
    const bytes = encodeSelect(1, MAC, 0xc0a80164, 0xc0a80101);
    expect([...bytes.subarray(240)]).toEqual([53, 1, 3, 50, 4, 192, 168, 1, 100, 54, 4, 192, 168, 1, 1, 255]);
  });

  test('a reply gives its type, address, server and lease', () => {
    expect(decodeReply(reply(DhcpType.offer))).toEqual({ xid: 0x01020304, type: DhcpType.offer, client: '020000000009', address: 0xc0a80164, server: 0xc0a80101, leaseSeconds: 3600 });
  });

  test('a client\'s message gives its type and its sender; a reply is none', () => {
    expect(decodeRequest(encodeSelect(7, MAC, 0xc0a80164, 0xc0a80101))).toMatchObject({ xid: 7, type: DhcpType.request, client: '020000000009', address: 0 });
    expect(decodeRequest(reply(DhcpType.ack))).toBeNull();
  });

  test('a request, a message without type and whatever bytes give null', () => {
    expect(decodeReply(encodeDiscover(1, MAC))).toBeNull();
    fc.assert(fc.property(fc.uint8Array({ maxLength: 40 }), (tail) => {
      const bytes = concat(reply(DhcpType.ack).subarray(0, 240), tail);
      const read = decodeReply(bytes);
      expect(read === null || read.type > 0).toBe(true);
    }), { numRuns: 300 });
  });
});
