import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadGraph, saveGraph } from '../../base/index.js';
import { boundSocket, Link6, linkLocal } from '../../../test/net/link6.js';
import { Pump } from '../../../test/net/tcp-pair.js';
import { joinGroup, leaveGroup } from '../memberships.js';
import {
  ALL_NODES, ANY6, capturesToPcapng, formatIp6, Icmp6, IP_ICMPV6, ip6, ipv6, LOOPBACK6, mac, multicastMac6, PmtuDiscovery, read48, readIcmp6, readIpv6, solicitedNode, write16, write32,
  writeEthernet, writeIcmp6, writeIp6, writeIpv6, writeUdp, type Ipv6Packet, type NetInterface, type NetStack, type TcpConnection,
} from '../index.js';

const eth = (stack: NetStack): NetInterface => stack.interface('eth0') as NetInterface;
const text = (bytes: Uint8Array | undefined): string => Buffer.from(bytes ?? []).toString();

/** A frame of one packet from the MAC `from` to all of the group or to `to`. */
function frameOf(packet: Ipv6Packet, from = '02:00:00:00:00:77', to = multicastMac6(packet.destination)): Uint8Array {
  return writeEthernet({ destination: to, source: mac(from), type: 0x86dd, payload: writeIpv6(packet) });
}

function icmpFrame(type: number, rest: number, data: Uint8Array, fields: Partial<Ipv6Packet> = {}): Uint8Array {
  const source = fields.source ?? linkLocal(77);
  const destination = fields.destination ?? ALL_NODES;
  const payload = writeIcmp6({ type, code: 0, rest, data }, source, destination);
  return frameOf(ipv6({ source, destination, protocol: IP_ICMPV6, payload, ttl: 255, ...fields }));
}

/** RFC 4861 section 4.2 with one prefix option (section 4.6.2). */
function advertisement(lifetime: number, prefix: string, valid: number, preferred = valid, flags = 0xc0): Uint8Array {
  const data = new Uint8Array(8 + 32);
  data.set([3, 4, 64, flags], 8);
  write32(data, 12, valid);
  write32(data, 16, preferred);
  writeIp6(data, 24, ip6(prefix));
  return icmpFrame(Icmp6.ROUTER_ADVERT, lifetime, data);
}

function addressesOf(stack: NetStack): string[] {
  return eth(stack).v6.addresses.map(({ address }) => formatIp6(address));
}

/** What the captures hold, told by tshark: one line a frame of the given fields. */
function tshark(net: Link6, ...fields: string[]): string[] {
  const folder = mkdtempSync(join(tmpdir(), 'ipv6-'));
  const file = join(folder, 'link.pcapng');
  writeFileSync(file, capturesToPcapng(net.captures, net.clock));
  const run = spawnSync('tshark', ['-o', 'tcp.check_checksum:TRUE', '-o', 'udp.check_checksum:TRUE', '-r', file, '-T', 'fields', ...fields.flatMap((field) => ['-e', field])], { encoding: 'utf8', maxBuffer: 64 << 20 });
  rmSync(folder, { recursive: true });
  return run.stdout.trimEnd().split('\n');
}

const withTshark = spawnSync('tshark', ['--version']).status === 0 ? test : test.skip;

describe('an interface that nobody uses IPv6 on', () => {
  test('has its link-local address and sends nothing', () => {
    const net = new Link6();
    net.run(60_000);
    expect(addressesOf(net.a)).toEqual(['fe80::ff:fe00:1']);
    expect(net.captures.map(({ frames }) => frames.length)).toEqual([0, 0]);
  });

  test('loses addresses and routes when it goes down and gets its own back', () => {
    const net = new Link6();
    net.a.v6.addAddress(eth(net.a), ip6('2001:db8::1'), 64);
    net.a.setUp(eth(net.a), false);
    expect(addressesOf(net.a)).toEqual([]);
    expect(net.a.v6.routes.routes).toEqual([]);
    expect([...eth(net.a).v6.groups]).toEqual([]);
    net.a.setUp(eth(net.a), true);
    expect(addressesOf(net.a)).toEqual(['fe80::ff:fe00:1']);
  });
});

describe('neighbours', () => {
  test('are found, datagrams go both ways, and the second needs no asking', () => {
    const net = new Link6();
    const [a, b] = [boundSocket(net.a, 1000), boundSocket(net.b, 2000)];
    expect(a.sendto(Buffer.from('one'), linkLocal(2), 2000, { device: 2 })).toBe(3);
    net.run(10);
    const got = b.recv();
    expect([text(got?.payload), got?.source, got?.sourcePort, got?.destination, got?.ttl]).toEqual(['one', linkLocal(1), 1000, linkLocal(2), 64]);
    b.sendto(Buffer.from('two'), linkLocal(1), 1000, { device: 2 });
    net.run(10);
    expect(text(a.recv()?.payload)).toBe('two');
    // Solicitation, advertisement, and the two datagrams: the solicited host learned who asked.
    expect(net.captures.map(({ frames }) => frames.length)).toEqual([2, 2]);
    const [solicitation] = net.captures[0].frames;
    expect(read48(solicitation.frame, 0)).toBe(multicastMac6(solicitedNode(linkLocal(2))));
  });

  test('that do not answer are asked three times, then the sender hears EHOSTUNREACH', () => {
    const net = new Link6();
    const socket = boundSocket(net.a, 1000);
    socket.sendto(Buffer.from('x'), linkLocal(9), 7, { device: 2 });
    net.run(5000);
    expect(net.captures[0].frames.length).toBe(3);
    expect(socket.errors.map(({ errno, origin, type, code }) => [errno, origin, type, code])).toEqual([[148, 3, 1, 3]]);
    expect(net.a.drops.snapshot()).toEqual({ 'ndp.unresolved': 1 });
  });

  test('messages that came over a router, or are malformed, change nothing', () => {
    const net = new Link6();
    const told = new Uint8Array(24);
    writeIp6(told, 0, linkLocal(2));
    told.set([2, 1, 2, 0, 0, 0, 0, 0x66], 16);
    net.inject(icmpFrame(Icmp6.NEIGHBOUR_ADVERT, 0x20000000, told, { ttl: 254 }));
    net.inject(icmpFrame(Icmp6.NEIGHBOUR_ADVERT, 0x20000000, told.subarray(0, 17)));
    const zero = told.slice();
    zero[17] = 0;
    net.inject(icmpFrame(Icmp6.NEIGHBOUR_ADVERT, 0x20000000, zero));
    expect(net.a.v6.neighbours.list()).toEqual([]);
    expect(net.a.drops.get('ndp.invalid')).toBe(3);
  });

  test('an advertisement nobody asked for makes no entry; a flood of solicitations is bounded', () => {
    const net = new Link6();
    const told = new Uint8Array(24);
    writeIp6(told, 0, linkLocal(5));
    told.set([2, 1, 2, 0, 0, 0, 0, 5], 16);
    net.inject(icmpFrame(Icmp6.NEIGHBOUR_ADVERT, 0x20000000, told));
    expect(net.a.v6.neighbours.list()).toEqual([]);
    for (let i = 0; i < 600; i++) {
      const asked = new Uint8Array(24);
      writeIp6(asked, 0, linkLocal(1));
      asked.set([1, 1, 2, 0, 0, 0, i >> 8, i & 255], 16);
      net.inject(icmpFrame(Icmp6.NEIGHBOUR_SOLICIT, 0, asked, { source: ip6(`fe80::1:${i.toString(16)}`), destination: solicitedNode(linkLocal(1)) }));
    }
    expect(net.a.v6.neighbours.list().length).toBe(512);
  });

  test('an address somebody has already is given up; one nobody has is taken after a second', () => {
    const net = new Link6(1);
    const late = net.add(1, (device) => { device.v6.conf.dadTransmits = 1; });
    expect(late.v6.isLocal(linkLocal(1))).toBe(false);
    net.run(2000);
    expect(addressesOf(late)).toEqual([]);
    expect(late.drops.get('ndp.duplicate-address')).toBe(1);
    late.v6.addAddress(eth(late), ip6('fe80::77'), 64);
    net.run(900);
    expect(late.v6.isLocal(ip6('fe80::77'))).toBe(false);
    net.run(200);
    expect(late.v6.isLocal(ip6('fe80::77'))).toBe(true);
  });
});

describe('a host hears a router', () => {
  test('and takes its prefix and its way out, for as long as it says', () => {
    const net = new Link6(1);
    net.inject(advertisement(30, '2001:db8:7::', 60, 20));
    expect(addressesOf(net.a)).toEqual(['2001:db8:7::ff:fe00:1', 'fe80::ff:fe00:1']);
    const path = net.a.path(ip6('2001:db8:ffff::1'));
    expect(path).toMatchObject({ nextHop: linkLocal(77), source: ip6('2001:db8:7::ff:fe00:1') });
    net.run(31_000);
    expect(net.a.path(ip6('2001:db8:ffff::1'))).toBe(-128);
    expect(net.a.path(ip6('2001:db8:7::9'))).toMatchObject({ nextHop: ip6('2001:db8:7::9') });
    net.run(30_000);
    expect(addressesOf(net.a)).toEqual(['fe80::ff:fe00:1']);
    expect(net.a.v6.routes.routes.map(({ prefix, network }) => `${formatIp6(network)}/${prefix}`)).toEqual(['fe80::/64']);
  });

  test('a lifetime of zero takes the way back; no advertisement shortens an address below two hours', () => {
    const net = new Link6(1);
    net.inject(advertisement(1800, '2001:db8:7::', 86_400));
    net.inject(advertisement(0, '2001:db8:7::', 1, 1));
    expect(net.a.path(ip6('2001:db8:ffff::1'))).toBe(-128);
    net.run(7_000_000);
    expect(addressesOf(net.a)).toContain('2001:db8:7::ff:fe00:1');
    net.run(300_000);
    expect(addressesOf(net.a)).toEqual(['fe80::ff:fe00:1']);
  });

  test('no prefix of 63 bits, of the link or a longer preferred life makes an address; a router heeds none', () => {
    const net = new Link6(1);
    net.inject(advertisement(30, 'fe80::', 60));
    net.inject(advertisement(30, '2001:db8:7::', 60, 61));
    net.a.v6.setForwarding(true);
    net.inject(advertisement(30, '2001:db8:7::', 60));
    expect(addressesOf(net.a)).toEqual(['fe80::ff:fe00:1']);
    expect(net.a.drops.get('ndp.advertisement-ignored')).toBe(1);
  });

  test('a flood of advertisements holds a bounded number of addresses, routes and timers', () => {
    const net = new Link6(1);
    for (let i = 0; i < 400; i++) net.inject(advertisement(30, `2001:db8:${i.toString(16)}::`, 4000));
    expect(eth(net.a).v6.addresses.length).toBe(16);
    expect(net.a.v6.routes.routes.length).toBeLessThanOrEqual(1024);
    expect(saveGraph(net).length).toBeLessThan(1 << 20);
  });

  test('it asks for one three times when it is told to, and no more once it was answered', () => {
    const asks = (device: NetInterface): void => { device.v6.conf.routerSolicitations = 3; };
    const alone = new Link6(1, asks);
    alone.run(60_000);
    expect(alone.captures[0].frames.length).toBe(3);
    const net = new Link6(1, asks);
    net.run(1500);
    net.inject(advertisement(1800, '2001:db8:7::', 86_400));
    net.run(60_000);
    expect(net.captures[0].frames.length).toBe(1);
  });
});

/** a is a host whose default router is b. */
function routed(): Link6 {
  const net = new Link6(2);
  const [host, router] = net.stacks;
  router.v6.setForwarding(true);
  router.v6.addAddress(eth(router), ip6('2001:db8:1::1'), 64);
  host.v6.addAddress(eth(host), ip6('2001:db8:1::2'), 64);
  host.v6.addRoute(ANY6, 0, ip6('2001:db8:1::1'), 2);
  return net;
}

describe('routers', () => {
  test('answer what they cannot forward: no route, hop limit', () => {
    const net = routed();
    const socket = boundSocket(net.a, 1000);
    socket.sendto(Buffer.from('x'), ip6('2001:db8:9::1'), 9);
    net.run(50);
    expect(socket.errors.splice(0).map(({ errno, type, code, offender }) => [errno, type, code, offender])).toEqual([[128, 1, 0, ip6('2001:db8:1::1')]]);
    net.b.v6.addRoute(ip6('2001:db8:9::'), 64, linkLocal(1), 2);
    socket.takeError();
    expect(socket.sendto(Buffer.from('x'), ip6('2001:db8:9::1'), 9, { ttl: 1 })).toBe(1);
    net.run(50);
    expect(socket.errors.splice(0).map(({ errno, type, code }) => [errno, type, code])).toEqual([[148, 3, 0]]);
    expect(net.b.drops.snapshot()).toEqual({ 'ip6.no-route': 1, 'ip6.hop-limit': 1 });
  });

  test('say how much goes through, and the sender cuts its packets from then on', () => {
    const net = routed();
    const narrow = net.add(3);
    narrow.v6.addAddress(eth(narrow), ip6('2001:db8:1::3'), 64);
    net.b.v6.addRoute(ip6('2001:db8:9::'), 64, ip6('2001:db8:1::3'), 2);
    eth(net.b).v6.conf.mtu = 1300;
    const socket = boundSocket(net.a, 1000);
    socket.sendto(new Uint8Array(1400), ip6('2001:db8:9::1'), 9);
    net.run(50);
    expect(socket.errors.map(({ errno, info }) => [errno, info])).toEqual([[97, 1300]]);
    expect(net.a.pathMtu.get(ip6('2001:db8:9::1'))).toBe(1300);
    socket.takeError();
    socket.sendto(new Uint8Array(1400), ip6('2001:db8:9::1'), 9);
    net.run(50);
    expect(net.a.snmp.get('Ip6.FragCreates')).toBe(2);
    expect(net.b.snmp.get('Ip6.OutForwDatagrams')).toBe(2);
    // Counted where it was: the loopback saw nothing of it.
    expect([eth(net.b), net.b.loopback].map(({ v6 }) => v6.counters.get('Ip6.OutForwDatagrams'))).toEqual([2, 0]);
    socket.pmtuDiscovery = PmtuDiscovery.do;
    expect(socket.sendto(new Uint8Array(1400), ip6('2001:db8:9::1'), 9)).toBe(-97);
  });

  test('do not carry what has meaning on one link', () => {
    const net = routed();
    net.inject(frameOf(ipv6({ source: linkLocal(77), destination: ip6('2001:db8:9::1'), protocol: 17, payload: new Uint8Array(8) }), undefined, eth(net.b).mac));
    expect(net.b.drops.snapshot()).toEqual({ 'ip6.forward-scope': 1 });
  });
});

describe('packets in pieces and with extension headers', () => {
  test('a long datagram arrives whole', () => {
    const net = new Link6();
    const [a, b] = [boundSocket(net.a, 1000), boundSocket(net.b, 2000)];
    const long = Uint8Array.from({ length: 20_000 }, (_, i) => i * 7);
    a.sendto(long, linkLocal(2), 2000, { device: 2 });
    net.run(50);
    expect(b.recv()?.payload).toEqual(long);
    expect(net.b.v6.reassembler.held).toBe(0);
  });

  const hello = (): Uint8Array => writeUdp({ sourcePort: 5, destinationPort: 2000, payload: Buffer.from('hello') }, linkLocal(77), linkLocal(2));
  const chain = (first: number, ...headers: number[][]): Ipv6Packet => ipv6({ source: linkLocal(77), destination: linkLocal(2), protocol: 17, payload: hello(), firstHeader: first, options: Uint8Array.from(headers.flat()) });
  const send = (packet: Ipv6Packet): Link6 => {
    const net = new Link6();
    net.inject(frameOf(packet, undefined, eth(net.b).mac));
    net.run(50);
    return net;
  };
  /** Type, code and the second word of the ICMPv6 messages b sent. */
  const told = (net: Link6): number[][] => net.captures[1].frames.map(({ frame }) => readIpv6(frame.subarray(14))).flatMap((packet) => {
    const message = typeof packet === 'object' && 'payload' in packet ? readIcmp6(packet.payload, packet.source, packet.destination) : '';
    return typeof message === 'string' || message.type >= 128 ? [] : [[message.type, message.code, message.rest]];
  });

  test('hop-by-hop, destination and finished routing headers are passed over', () => {
    const net = new Link6();
    const socket = boundSocket(net.b, 2000);
    net.inject(frameOf(chain(0, [43, 0, 5, 2, 0, 0, 1, 0], [60, 0, 0, 0, 0, 0, 0, 0], [17, 0, 1, 4, 0, 0, 0, 0]), undefined, eth(net.b).mac));
    expect(text(socket.recv()?.payload)).toBe('hello');
  });

  // b asks for the sender's MAC before it can tell it; its answer to us is what it would send then.
  const learned = (packet: Ipv6Packet): Link6 => {
    const net = new Link6();
    net.b.v6.neighbours.set(eth(net.b), linkLocal(77), mac('02:00:00:00:00:77'));
    net.inject(frameOf(packet, undefined, eth(net.b).mac));
    net.run(50);
    return net;
  };

  test.each([
    ['a routing header that is not finished', chain(43, [17, 0, 0, 1, 0, 0, 0, 0]), 'ip6.routing-header', [4, 0, 42]],
    ['an unknown option to be told of', chain(60, [17, 0, 0x9e, 4, 0, 0, 0, 0]), 'ip6.unknown-option', [4, 2, 42]],
    ['hop-by-hop options that do not come first', chain(60, [0, 0, 1, 4, 0, 0, 0, 0], [17, 0, 1, 4, 0, 0, 0, 0]), 'ip6.header-order', [4, 1, 48]],
    ['a piece whose length is no multiple of 8', ipv6({ source: linkLocal(77), destination: linkLocal(2), protocol: 44, payload: Uint8Array.from([17, 0, 0, 1, 0, 0, 0, 9, 1, 2, 3]) }), 'ip6.fragment-length', [4, 0, 4]],
    ['a protocol nobody knows', ipv6({ source: linkLocal(77), destination: linkLocal(2), protocol: 200, payload: hello() }), 'ip6.unknown-protocol', [4, 1, 6]],
    ['a port nobody has', ipv6({ source: linkLocal(77), destination: linkLocal(2), protocol: 17, payload: hello() }), 'udp.no-socket', [1, 4, 0]],
  ])('%s is counted and told', (_name, packet, drop, message) => {
    const net = learned(packet);
    expect(net.b.drops.snapshot()).toEqual({ [drop]: 1 });
    expect(told(net)).toEqual([message]);
  });

  test.each([
    ['an unknown option to be dropped for', chain(60, [17, 0, 0x5e, 4, 0, 0, 0, 0]), 'ip6.unknown-option'],
    ['an option longer than its header', chain(60, [17, 0, 1, 9, 0, 0, 0, 0]), 'ip6.option-length'],
    ['a header longer than the packet', chain(60, [17, 99, 1, 4, 0, 0, 0, 0]), 'ip6.header-short'],
    ['nine headers', chain(60, ...Array.from({ length: 9 }, () => [60, 0, 1, 4, 0, 0, 0, 0])), 'ip6.too-many-headers'],
    ['the unspecified destination', { ...chain(17), destination: ANY6 }, 'ip6.martian-address'],
    ['the loopback as source', { ...chain(17), source: LOOPBACK6 }, 'ip6.martian-loopback'],
    ['our own address as source', { ...chain(17), source: linkLocal(2) }, 'ip6.martian-source'],
    ['a group as source', { ...chain(17), source: ALL_NODES }, 'ip6.martian-source'],
    ['a mapped address as source', { ...chain(17), source: ip6('::ffff:1.2.3.4') }, 'ip6.martian-address'],
  ])('%s is counted and nobody told', (_name, packet, drop) => {
    const net = send(packet);
    expect(net.b.drops.snapshot()).toEqual({ [drop]: 1 });
    expect(net.captures[1].frames).toEqual([]);
  });

  test('UDP without a checksum is no datagram of IPv6', () => {
    const packet = chain(17);
    write16(packet.payload, 6, 0);
    expect(send(packet).b.drops.snapshot()).toEqual({ 'udp.no-checksum': 1 });
  });
});

describe('sockets of both protocols', () => {
  test('one port takes both, by the rules of IPV6_V6ONLY', () => {
    const { a } = new Link6(1);
    const both = boundSocket(a, 53);
    const four = a.udpSocket();
    expect(four.bind(0, 53)).toBe(-125);
    both.close();
    const only = a.udpSocket(true);
    if (only.six) only.six.only = true;
    expect(only.bind(0, 53)).toBe(0);
    expect(four.bind(0, 53)).toBe(0);
    expect(a.udp.find(0x7f000001, 53, 0x7f000001, 9, 1)).toBe(four);
    expect(a.udp.find(LOOPBACK6, 53, LOOPBACK6, 9, 1)).toBe(only);
  });

  test('a connection over IPv6 carries a stream to a server for both', () => {
    const net = new Link6();
    const listener = net.b.tcp.socket({ only: false, hops: -1, multicastHops: 1, trafficClass: 0, multicastLoop: true, multicastDevice: 0 });
    expect([listener.bind(0, 80), listener.listen(5)]).toEqual([0, 0]);
    const client = net.a.tcp.socket({ only: false, hops: -1, multicastHops: 1, trafficClass: 0, multicastLoop: true, multicastDevice: 0 });
    const pump = new Pump(1, 2, 200_000, 0);
    client.handler = pump;
    client.configure({ device: 2 });
    expect(client.connect(linkLocal(2), 80)).toBe(0);
    net.run(20);
    const made = listener.accept() as TcpConnection;
    expect([made.localAddress, made.remoteAddress]).toEqual([linkLocal(2), linkLocal(1)]);
    const sink = new Pump(2, 1, 0, 200_000);
    made.handler = sink;
    sink.onTcp(made);
    net.run(5000);
    expect([sink.read, sink.wrong, sink.ended, pump.errors]).toEqual([200_000, -1, true, []]);
  });

  test('requests to connect are told apart by their whole addresses', () => {
    const { b } = new Link6();
    const { halfOpen } = b.tcp;
    const entry = { localPort: 80, remotePort: 9, irs: 1, iss: 2, listener: 1, mss: 1440, window: 9, scale: -1, sack: false, timestamps: false, tsRecent: 0 };
    for (let i = 0; i < 300; i++) halfOpen.add({ ...entry, local: linkLocal(2), remote: ip6(`2001:db8::${i.toString(16)}`), irs: i }, i);
    halfOpen.add({ ...entry, local: 1, remote: 2, irs: 999 }, 1000);
    for (let i = 0; i < 300; i++) expect(halfOpen.get(halfOpen.find(linkLocal(2), 80, ip6(`2001:db8::${i.toString(16)}`), 9)).irs).toBe(i);
    expect(halfOpen.get(halfOpen.find(1, 80, 2, 9))).toMatchObject({ local: 1, remote: 2, irs: 999 });
    expect(halfOpen.find(linkLocal(3), 80, ip6('2001:db8::5'), 9)).toBe(-1);
    halfOpen.remove(halfOpen.find(linkLocal(2), 80, ip6('2001:db8::5'), 9));
    expect(halfOpen.find(linkLocal(2), 80, ip6('2001:db8::5'), 9)).toBe(-1);
  });

  test('the members of a group hear it, the sender too, each from where it went out', () => {
    const net = new Link6(3);
    const [a, b, c] = net.stacks.map((stack) => boundSocket(stack, 5000));
    const group = ip6('ff02::1234');
    expect([joinGroup(net.a, a, group, 2), joinGroup(net.b, b, group, 2)]).toEqual([0, 0]);
    if (a.six) a.six.multicastDevice = 2;
    expect(a.sendto(Buffer.from('all'), group, 5000)).toBe(3);
    net.run(20);
    expect([a, b, c].map((socket) => socket.recv()).map((got) => (got ? [text(got.payload), got.device, got.source] : null))).toEqual([['all', 2, linkLocal(1)], ['all', 2, linkLocal(1)], null]);
    expect(leaveGroup(net.b, b, group, 0)).toBe(0);
    a.sendto(Buffer.from('again'), group, 5000);
    net.run(20);
    expect(b.recv()).toBeNull();
  });

  test('a router that asks hears which groups are wanted, and a flood of questions makes no more answers', () => {
    const net = new Link6(1);
    joinGroup(net.a, boundSocket(net.a, 5000), ip6('ff02::1234'), 2);
    net.run(2000);
    net.captures[0].frames.length = 0;
    const query = new Uint8Array(20);
    for (let i = 0; i < 100; i++) net.inject(icmpFrame(Icmp6.MLD_QUERY, 1000 << 16, query, { ttl: 1 }));
    net.run(2000);
    // The group and that of the own address; all nodes are never reported.
    const groups = net.captures[0].frames.map(({ frame }) => frame.subarray(14 + 40 + 8 + 8 + 4, 14 + 40 + 8 + 8 + 20)).map((bytes) => formatIp6(Buffer.from(bytes).toString('hex')));
    expect(new Set(groups)).toEqual(new Set(['ff02::1234', 'ff02::1:ff00:1']));
    expect(groups.length).toBeLessThanOrEqual(4);
  });
});

test('a link saved at any moment of an exchange goes on identically', () => {
  const begin = (): Link6 => {
    const net = new Link6(2, (device) => { device.v6.conf.dadTransmits = 1; });
    net.inject(advertisement(30, '2001:db8:7::', 60));
    net.run(2100);
    boundSocket(net.b, 2000);
    boundSocket(net.a, 1000).sendto(new Uint8Array(5000), ip6('2001:db8:7::ff:fe00:2'), 2000);
    return net;
  };
  const whole = begin();
  whole.run(3000);
  for (const moment of [0, 0.15, 0.25, 0.35]) {
    const net = begin();
    net.run(moment);
    const loaded = loadGraph(saveGraph(net)) as Link6;
    loaded.run(3000);
    expect(loaded.captures.map(({ frames }) => frames.length)).toEqual(whole.captures.map(({ frames }) => frames.length));
    expect(loaded.b.snmp.snapshot()).toEqual(whole.b.snmp.snapshot());
  }
  expect(whole.b.snmp.get('Udp6.InDatagrams')).toBe(1);
});

withTshark('tshark reads what we send, and every checksum is right (skipped when it is not installed)', () => {
  const net = new Link6(2, (device) => Object.assign(device.v6.conf, { dadTransmits: 1, routerSolicitations: 1 }));
  net.run(3000);
  const [a, b] = [boundSocket(net.a, 1000), boundSocket(net.b, 2000)];
  joinGroup(net.b, b, ip6('ff02::1234'), 2);
  a.sendto(new Uint8Array(4000), linkLocal(2), 2000, { device: 2 });
  net.run(50);
  a.sendto(Buffer.from('closed'), linkLocal(2), 7, { device: 2 });
  const ping = net.a.pingSocket(true);
  ping.device = 2;
  ping.sendto(Uint8Array.from([128, 0, 0, 0, 0, 0, 0, 1, 65, 66]), linkLocal(2));
  const client = net.a.tcp.socket({ only: false, hops: 7, multicastHops: 1, trafficClass: 0x20, multicastLoop: true, multicastDevice: 0 });
  client.configure({ device: 2 });
  client.connect(linkLocal(2), 80);
  net.run(2000);
  const rows = tshark(net, '_ws.malformed', 'icmpv6.checksum.status', 'udp.checksum.status', 'tcp.checksum.status', 'icmpv6.type', 'tcp.flags.str', 'ipv6.hlim', 'ipv6.tclass').map((line) => line.split('\t'));
  expect(rows.length).toBe(net.captures[0].frames.length + net.captures[1].frames.length);
  expect(rows.filter(([malformed]) => malformed)).toEqual([]);
  // 1: good. A later fragment has none; an error quotes a packet whose checksum is told too.
  expect(new Set(rows.flatMap(([, icmp, udp, tcp]) => [icmp, udp, tcp]).flatMap((status) => status.split(',')))).toEqual(new Set(['', '1']));
  expect(new Set(rows.map(([, , , , type]) => type.split(',')[0]))).toEqual(new Set(['', '1', '128', '129', '133', '135', '136', '143']));
  expect(rows.filter(([, , , , , flags]) => flags.includes('S')).map((row) => row.slice(6))).toEqual([['7', '0x00000020']]);
});
