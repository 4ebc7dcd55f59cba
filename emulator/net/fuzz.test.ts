import fc from 'fast-check';
import { CLIENT, echoPacket, Exchange, frame, ROUTER_LAN, udpPacket } from '../../test/net/exchange.js';
import { arpReply } from '../../test/net/exchange.js';
import { ArpView, EthernetView, fragmentIpv4, IcmpView, Ipv4View, MAC_BROADCAST, readArp, readEthernet, readIcmp, readIpv4, readUdp, UdpView, writeArp, writeEthernet, writeIcmp, writeIpv4, writeUdp, type Ipv4Packet } from './index.js';

const u16 = fc.integer({ min: 0, max: 0xffff });
const u32 = fc.integer({ min: 0, max: 0xffffffff });
const bytes = (maxLength: number): fc.Arbitrary<Uint8Array> => fc.uint8Array({ maxLength });
const packets: fc.Arbitrary<Ipv4Packet> = fc.record({
  tos: fc.nat(255), identification: u16, dontFragment: fc.boolean(), moreFragments: fc.constant(false), fragmentOffset: fc.constant(0),
  ttl: fc.nat(255), protocol: fc.nat(255), source: u32, destination: u32,
  options: fc.nat(10).chain((words) => fc.uint8Array({ minLength: words * 4, maxLength: words * 4 })), payload: bytes(200),
});
const same = (a: Uint8Array, b: Uint8Array): boolean => Buffer.compare(a, b) === 0;

describe('records', () => {
  test('an IPv4 packet survives writing and reading', () => {
    fc.assert(fc.property(packets, (packet) => {
      const back = readIpv4(writeIpv4(packet));
      if (typeof back === 'string') return false;
      const { options, payload, ...rest } = back;
      const { options: wantedOptions, payload: wantedPayload, ...wanted } = packet;
      expect(rest).toEqual(wanted);
      return same(options, wantedOptions) && same(payload, wantedPayload);
    }), { numRuns: 300 });
  });

  test('fragments of any packet at any MTU fit it and hold the whole payload', () => {
    fc.assert(fc.property(packets, bytes(3000), fc.integer({ min: 68, max: 1500 }), (packet, payload, mtu) => {
      const pieces = fragmentIpv4({ ...packet, payload }, mtu);
      for (const piece of pieces) if (writeIpv4(piece).length > mtu) return false;
      return same(Buffer.concat(pieces.map((piece) => piece.payload)), payload) && pieces.every((piece, i) => piece.moreFragments === (i < pieces.length - 1));
    }), { numRuns: 300 });
  });

  test('UDP, ICMP and ARP survive; one changed bit is noticed', () => {
    fc.assert(fc.property(u16, fc.integer({ min: 1, max: 0xffff }), bytes(100), u32, u32, fc.nat(), (sourcePort, destinationPort, payload, source, destination, bit) => {
      const segment = writeUdp({ sourcePort, destinationPort, payload }, source, destination);
      const back = readUdp(segment, source, destination);
      if (typeof back === 'string' || !same(back.payload, payload) || back.sourcePort !== sourcePort) return false;
      const message = writeIcmp({ type: 8, code: 0, rest: source, data: payload });
      const icmp = readIcmp(message);
      if (typeof icmp === 'string' || icmp.rest !== source) return false;
      const arp = { operation: 1, senderMac: 0x020000000000 + sourcePort, senderIp: source, targetMac: destination, targetIp: destination };
      expect(readArp(writeArp(arp))).toEqual(arp);
      message[(bit >> 3) % message.length] ^= 1 << (bit & 7);
      return typeof readIcmp(message) === 'string';
    }), { numRuns: 300 });
  });
});

test('views and readers take any bytes', () => {
  fc.assert(fc.property(bytes(120), (input) => {
    for (const view of [new EthernetView(input), new ArpView(input), new Ipv4View(input), new IcmpView(input), new UdpView(input)]) {
      for (const name of Object.getOwnPropertyNames(Object.getPrototypeOf(view))) {
        const value: unknown = (view as unknown as Record<string, unknown>)[name];
        if (typeof value === 'number' && !(Number.isInteger(value) && value >= 0)) return false;
      }
    }
    for (const read of [readEthernet, readArp, readIpv4, readIcmp, (b: Uint8Array) => readUdp(b, 1, 2)]) read(input);
    return true;
  }), { numRuns: 1000 });
});

/** Every frame that comes in has one fate, and it has a name. */
function accounted({ stack: { fates, interfaces, reassembler, v6, drops } }: Exchange): boolean {
  const taken = interfaces.reduce((sum, device) => sum + device.rxPackets, 0);
  const lost = drops.get('fragment.with-another') + drops.get('fragment.evicted') + drops.get('fragment.timeout');
  return fates.get('silent') === 0 && fates.total('') === taken && fates.get('fragment.held') === reassembler.heldPieces + v6.reassembler.heldPieces + lost + reassembler.joined + v6.reassembler.joined;
}

describe('the stack under any frames', () => {
  const good = [
    frame(udpPacket('192.168.1.10', 5, '192.168.1.1', 53, 'a question')),
    frame(udpPacket('192.168.1.10', 5, '8.8.8.8', 53, 'outward', { options: Uint8Array.of(0x94, 4, 0, 0) })),
    frame(echoPacket('192.168.1.10', '192.168.1.1', 'ping')),
    frame(fragmentIpv4(udpPacket('192.168.1.10', 5, '192.168.1.1', 53, 'f'.repeat(2000), { identification: 3 }), 1500)[1]),
    arpReply(CLIENT, '192.168.1.10', ROUTER_LAN, '192.168.1.1'),
  ];

  test('mutated packets: nothing throws, nothing grows without bound, every frame is accounted for', () => {
    const net = new Exchange({}, 64);
    net.introduce();
    const socket = net.stack.udpSocket();
    socket.bind(0, 53);
    fc.assert(fc.property(fc.constantFrom(...good), fc.array(fc.tuple(fc.nat(200), fc.nat(255)), { maxLength: 5 }), fc.nat(100), fc.boolean(), (base, changes, cut, repair) => {
      const input = base.slice(0, cut > 80 ? cut : undefined);
      for (const [at, value] of changes) input[at % input.length] = value;
      if (repair) repairChecksum(input);
      net.inject(net.clock.cycles + 1000, input);
      net.run(net.clock.cycles + 1);
      net.sent('lan');
      net.sent('wan');
      return accounted(net) && net.stack.reassembler.held <= 256 * 1024 && socket.queuedBytes <= socket.receiveBuffer + 70_000;
    }), { numRuns: 3000 });
    expect(net.stack.arp.list().length).toBeLessThanOrEqual(512);
  });

  test('any bytes behind a good Ethernet or IPv4 header', () => {
    const net = new Exchange({}, 64);
    net.introduce();
    fc.assert(fc.property(fc.constantFrom(0x800, 0x806, 0x86dd), fc.boolean(), fc.nat(20), fc.constantFrom(1, 2, 6, 17, 99), bytes(150), (type, group, flags, protocol, payload) => {
      const header: Partial<Ipv4Packet> = { protocol, moreFragments: (flags & 1) === 1, fragmentOffset: (flags >> 1) * 8 };
      const room = header.moreFragments ? payload.subarray(0, payload.length & ~7) : payload;
      const inner = type === 0x800 ? writeIpv4({ ...udpPacket('192.168.1.10', 1, '192.168.1.1', 2, ''), ...header, payload: room }) : payload;
      net.inject(net.clock.cycles + 1000, writeEthernet({ destination: group ? MAC_BROADCAST : ROUTER_LAN, source: CLIENT, type, payload: inner }));
      net.run(net.clock.cycles + 1);
      net.sent('lan');
      return accounted(net) && net.stack.reassembler.held <= 256 * 1024;
    }), { numRuns: 2000 });
  });
});

/** Make the IPv4 header's checksum hold again, so that the mutation gets past it. */
function repairChecksum(input: Uint8Array): void {
  const header = (input[14] & 15) * 4;
  if (input.length < 14 + header || header < 20) return;
  input[24] = input[25] = 0;
  let sum = 0;
  for (let i = 0; i < header; i += 2) sum += (input[14 + i] << 8) | input[15 + i];
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16);
  input[24] = ~sum >>> 8;
  input[25] = ~sum;
}
