import { isIPv6 } from 'node:net';
import fc from 'fast-check';
import {
  commonPrefix6, formatIp6, fragmentIpv6, hashAddress, inPrefix6, ip6, ipv6, isMapped, network6, readIcmp6, readIp6, readIpv6, readNdOptions, readRouterAdvertisement, readTcp, readUdp, solicitedNode,
  tryIp6, walk, withInterfaceId, writeIcmp6, writeIp6, writeIpv6, writeTcp, writeUdp, NO_TCP_OPTIONS, mac, type Ipv6Packet,
} from './index.js';

/** With runs of zeros, as addresses have. */
const addresses = fc.array(fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 0xffff })), { minLength: 8, maxLength: 8 }).map((groups) => groups.map((group) => group.toString(16).padStart(4, '0')).join(''));
const unicast = addresses.filter((address) => !address.startsWith('ff'));
const bytes = (maxLength: number): fc.Arbitrary<Uint8Array> => fc.uint8Array({ maxLength });
const same = (a: Uint8Array, b: Uint8Array): boolean => Buffer.compare(a, b) === 0;

test('addresses are written as the WHATWG URL writes them, and read back', () => {
  fc.assert(fc.property(addresses, (address) => {
    const text = formatIp6(address);
    expect(isIPv6(text)).toBe(true);
    expect(tryIp6(text)).toBe(address);
    if (!isMapped(address)) expect(new URL(`http://[${text}]/`).hostname).toBe(`[${text}]`);
  }), { numRuns: 300 });
});

test.each([
  ['::', '0'.repeat(32)], ['::1', `${'0'.repeat(31)}1`], ['2001:DB8::', '20010db8'.padEnd(32, '0')], ['1:2:3:4:5:6:7:8', '00010002000300040005000600070008'],
  ['::ffff:192.0.2.1', '00000000000000000000ffffc0000201'], ['1:2:3:4:5:6:1.2.3.4', '00010002000300040005000601020304'],
])('%s is read', (text, address) => expect(tryIp6(text)).toBe(address));

test.each(['', ':', ':::', '1:2:3:4:5:6:7', '1:2:3:4:5:6:7:8:9', '1::2::3', '12345::', 'g::', '1:2:3:4:5:6:7::8', '::1.2.3', '::256.0.0.1', 'fe80::1%eth0', '1:', ':1'])('%j is none', (text) => {
  expect(tryIp6(text)).toBeNull();
  expect(isIPv6(text) && !text.includes('%')).toBe(false);
});

test('prefixes of any length cut and compare as bits do', () => {
  const bits = (address: string): string => Array.from(address, (digit) => parseInt(digit, 16).toString(2).padStart(4, '0')).join('');
  fc.assert(fc.property(addresses, addresses, fc.integer({ min: 0, max: 128 }), (a, b, prefix) => {
    expect(bits(network6(a, prefix))).toBe(bits(a).slice(0, prefix).padEnd(128, '0'));
    expect(inPrefix6(b, a, prefix)).toBe(bits(a).slice(0, prefix) === bits(b).slice(0, prefix));
    const common = commonPrefix6(a, b);
    expect(bits(a).slice(0, common)).toBe(bits(b).slice(0, common));
    expect(common === 128 || bits(a)[common] !== bits(b)[common]).toBe(true);
  }), { numRuns: 300 });
});

test('addresses that are made of others', () => {
  expect(formatIp6(solicitedNode(ip6('2001:db8::1234:5678')))).toBe('ff02::1:ff34:5678');
  expect(formatIp6(withInterfaceId(ip6('2001:db8:1::'), mac('34:56:78:9a:bc:de')))).toBe('2001:db8:1:0:3656:78ff:fe9a:bcde');
  expect(new Set(Array.from({ length: 1000 }, (_, i) => hashAddress(ip6(`2001:db8::${i.toString(16)}`)) & 1023)).size).toBeGreaterThan(500);
});

test('addresses stand in bytes at any offset, and what is missing is zero', () => {
  fc.assert(fc.property(addresses, fc.nat(20), (address, at) => {
    const room = new Uint8Array(at + 16);
    writeIp6(room, at, address);
    expect(readIp6(room, at)).toBe(address);
    expect(readIp6(room.subarray(0, at + 8), at)).toBe(address.slice(0, 16).padEnd(32, '0'));
  }), { numRuns: 100 });
});

const packets: fc.Arbitrary<Ipv6Packet> = fc.record({ tos: fc.nat(255), flow: fc.nat(0xfffff), ttl: fc.nat(255), source: unicast, destination: addresses, protocol: fc.constantFrom(6, 17, 58, 59, 200), payload: bytes(200) }).map((fields) => ipv6(fields));

test('a packet survives writing and reading; padding behind it is cut off', () => {
  fc.assert(fc.property(packets, bytes(20), (packet, padding) => {
    const back = readIpv6(Buffer.concat([writeIpv6(packet), padding]));
    if (typeof back === 'string' || !('payload' in back)) return false;
    const { payload, options, ...rest } = back;
    const { payload: wantedPayload, options: none, ...wanted } = packet;
    expect(rest).toEqual(wanted);
    return same(payload, wantedPayload) && options.length === 0 && none.length === 0;
  }), { numRuns: 200 });
});

test('pieces of any packet at any MTU fit it and are read as pieces of the whole', () => {
  fc.assert(fc.property(packets, bytes(5000), fc.integer({ min: 1280, max: 1500 }), (packet, payload, mtu) => {
    const pieces = fragmentIpv6({ ...packet, payload, identification: 77 }, mtu).map(writeIpv6);
    const read = pieces.map((piece) => readIpv6(piece)).filter((piece): piece is Ipv6Packet => typeof piece === 'object' && 'payload' in piece);
    expect(pieces.every((piece) => piece.length <= mtu) && read.length === pieces.length).toBe(true);
    expect(read.every((piece, i) => piece.fragment && piece.identification === 77 && piece.protocol === packet.protocol && piece.moreFragments === i < read.length - 1)).toBe(true);
    return same(Buffer.concat(read.map((piece) => piece.payload)), payload);
  }), { numRuns: 100 });
});

test('UDP, TCP and ICMPv6 survive; one changed bit is noticed', () => {
  fc.assert(fc.property(unicast, addresses, fc.integer({ min: 1, max: 0xffff }), bytes(100), fc.nat(), (source, destination, port, payload, bit) => {
    const spoil = (made: Uint8Array): Uint8Array => {
      const copy = made.slice();
      copy[(bit >> 3) % copy.length] ^= 1 << (bit & 7);
      return copy;
    };
    const udp = writeUdp({ sourcePort: port, destinationPort: port, payload }, source, destination);
    const tcp = writeTcp({ sourcePort: port, destinationPort: port, sequence: 1, acknowledgment: 2, flags: 16, window: 3, urgent: 0, options: NO_TCP_OPTIONS, payload }, source, destination);
    const icmp = writeIcmp6({ type: 128, code: 0, rest: port, data: payload }, source, destination);
    expect([readUdp(udp, source, destination), readTcp(tcp, source, destination), readIcmp6(icmp, source, destination)].map((read) => typeof read)).toEqual(['object', 'object', 'object']);
    expect([readUdp(spoil(udp), source, destination), readTcp(spoil(tcp), source, destination), readIcmp6(spoil(icmp), source, destination)].map((read) => typeof read)).toEqual(['string', 'string', 'string']);
    // The pseudo header counts.
    const other = `${(parseInt(source[0], 16) ^ 8).toString(16)}${source.slice(1)}`;
    expect(typeof readUdp(udp, other, destination)).toBe('string');
  }), { numRuns: 200 });
});

test('readers take any bytes', () => {
  fc.assert(fc.property(bytes(120), fc.constantFrom(0, 43, 44, 60, 17), (input, first) => {
    const packet = Buffer.concat([writeIpv6(ipv6({ source: ip6('fe80::1'), destination: ip6('fe80::2'), protocol: first, payload: input }))]);
    readIpv6(input);
    const read = readIpv6(packet);
    if (typeof read === 'object' && 'payload' in read) walk(read);
    readNdOptions(input);
    readRouterAdvertisement({ type: 134, code: 0, rest: 0, data: input });
    return true;
  }), { numRuns: 1000 });
});
