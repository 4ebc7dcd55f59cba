import { loadGraph, saveGraph } from '../base/index.js';
import { arpReply, arpRequest, CLIENT, echoPacket, Exchange, frame, ROUTER_LAN, ROUTER_WAN, udpPacket, UPSTREAM } from '../../test/net/exchange.js';
import { fragmentIpv4, ip, ipv4, LIMITED_BROADCAST, MAC_BROADCAST, checksum, write16, writeEthernet, writeIpv4 } from './index.js';
import { joinGroup, leaveGroup } from './memberships.js';
import { netstatText, snmpText } from './mib.js';

const text = (bytes: Uint8Array | undefined): string => Buffer.from(bytes ?? []).toString('latin1');
const wanFrame = (packet: Parameters<typeof frame>[0]): Uint8Array => frame(packet, UPSTREAM, ROUTER_WAN);

describe('ARP', () => {
  test('a request for our address is answered, one for another address is not', () => {
    const net = new Exchange();
    net.inject(10, arpRequest(CLIENT, '192.168.1.10', '192.168.1.1'));
    net.inject(20, arpRequest(CLIENT, '192.168.1.10', '192.168.1.77'));
    net.run(1000);
    expect(net.sent()).toEqual(['10 arp 192.168.1.1 is-at 02:00:00:00:01:01']);
    expect(net.sent('wan')).toEqual([]);
  });

  test('a datagram to an unknown neighbour waits for its answer, in order', () => {
    const net = new Exchange();
    const socket = net.stack.udpSocket();
    socket.bind(0, 1000);
    socket.sendto(Buffer.from('one'), ip('192.168.1.10'), 7);
    socket.sendto(Buffer.from('two'), ip('192.168.1.10'), 7);
    net.run(100);
    expect(net.sent()).toEqual(['0 arp who-has 192.168.1.10 tell 192.168.1.1']);
    net.inject(200, arpReply(CLIENT, '192.168.1.10', ROUTER_LAN, '192.168.1.1'));
    net.run(50_000);
    expect(net.sent()).toEqual(['200 192.168.1.1 > 192.168.1.10 ttl 64 df udp 1000 > 7 "one"', '200 192.168.1.1 > 192.168.1.10 ttl 64 df udp 1000 > 7 "two"']);
  });

  test('three requests a second apart, then the waiting packets are lost and the socket hears EHOSTUNREACH', () => {
    const net = new Exchange();
    const socket = net.stack.udpSocket();
    socket.receiveErrors = true;
    socket.connect(ip('192.168.1.10'), 7);
    socket.sendto(Buffer.from('lost'), 0, 0);
    net.run(10_000_000);
    const request = 'arp who-has 192.168.1.10 tell 192.168.1.1';
    expect(net.sent()).toEqual([`0 ${request}`, `1000000 ${request}`, `2000000 ${request}`]);
    expect(net.drops()).toEqual({ 'arp.unresolved': 1 });
    expect(socket.takeError()).toBe(148);
  });

  test('a flood of destinations cannot grow the table beyond its limit', () => {
    const net = new Exchange();
    net.stack.configure('lan0', ip('172.16.0.1'), 16);
    const socket = net.stack.udpSocket();
    for (let i = 2; i < 3000; i++) socket.sendto(Buffer.from('x'), ip('172.16.0.0') + i, 9);
    expect(net.stack.arp.list().length).toBeLessThanOrEqual(512);
    expect(net.drops()['arp.table-full']).toBeGreaterThan(0);
  });

  test('an answer nobody asked for makes no entry; a sender with our address is refused', () => {
    const net = new Exchange();
    net.inject(0, arpReply(CLIENT, '192.168.1.10', ROUTER_LAN, '192.168.1.1'));
    net.inject(0, arpRequest(CLIENT, '192.168.1.1', '192.168.1.1'));
    net.run(10);
    expect(net.stack.arp.list()).toEqual([]);
    expect(net.drops()).toEqual({ 'arp.unsolicited': 1, 'arp.sender': 1 });
  });
});

describe('ICMP', () => {
  test('an echo request is answered with its own bytes', () => {
    const net = new Exchange();
    net.introduce();
    net.inject(10, frame(echoPacket('192.168.1.10', '192.168.1.1', 'ping')));
    net.run(1000);
    expect(net.sent()).toEqual(['10 192.168.1.1 > 192.168.1.10 ttl 64 icmp 0/0 65537']);
  });

  test('an echo request to a broadcast address is not answered', () => {
    const net = new Exchange();
    net.introduce();
    net.inject(10, frame(echoPacket('192.168.1.10', '192.168.1.255', 'smurf'), CLIENT, MAC_BROADCAST));
    net.run(1000);
    expect(net.sent()).toEqual([]);
    expect(net.drops()).toEqual({ 'icmp.echo-to-group': 1 });
  });

  test('a datagram to a closed port is answered with port unreachable, an unknown protocol with protocol unreachable', () => {
    const net = new Exchange();
    net.introduce();
    net.inject(10, frame(udpPacket('192.168.1.10', 5, '192.168.1.1', 6, 'x')));
    net.inject(20, frame(ipv4({ source: ip('192.168.1.10'), destination: ip('192.168.1.1'), protocol: 99, payload: new Uint8Array(8) })));
    net.run(1000);
    expect(net.sent()).toEqual(['10 192.168.1.1 > 192.168.1.10 ttl 64 icmp 3/3 0', '20 192.168.1.1 > 192.168.1.10 ttl 64 icmp 3/2 0']);
  });

  test('errors to one peer are limited: six at once, then one a second', () => {
    const net = new Exchange();
    net.introduce();
    for (let i = 0; i < 20; i++) net.inject(i, frame(udpPacket('192.168.1.10', 5, '192.168.1.1', 6, 'x')));
    net.inject(1_500_000, frame(udpPacket('192.168.1.10', 5, '192.168.1.1', 6, 'x')));
    net.run(2_000_000);
    expect(net.sent().length).toBe(7);
    expect(net.drops()['icmp.rate-limited']).toBe(14);
  });

  test('port unreachable reaches the connected socket as ECONNREFUSED, once', () => {
    const net = new Exchange();
    const [client, watcher] = [net.stack.udpSocket(), net.stack.udpSocket()];
    client.connect(ip('127.0.0.1'), 9);
    client.sendto(Buffer.from('x'), 0, 0);
    watcher.sendto(Buffer.from('x'), ip('127.0.0.1'), 9);
    net.run(10);
    expect(client.sendto(Buffer.from('y'), 0, 0)).toBe(-146);
    expect(client.takeError()).toBe(0);
    expect(watcher.takeError()).toBe(0);
  });
});

describe('forwarding', () => {
  test('lan0 to wan0 and back, the TTL one less', () => {
    const net = new Exchange();
    net.introduce();
    net.inject(10, frame(udpPacket('192.168.1.10', 5, '8.8.8.8', 53, 'q')));
    net.inject(20, wanFrame(udpPacket('8.8.8.8', 53, '192.168.1.10', 5, 'a', { ttl: 2 })), 'wan');
    net.run(1000);
    expect(net.sent('wan')).toEqual(['10 192.168.1.10 > 8.8.8.8 ttl 63 udp 5 > 53 "q"']);
    expect(net.sent()).toEqual(['20 8.8.8.8 > 192.168.1.10 ttl 1 udp 53 > 5 "a"']);
  });

  test('a TTL of 1 ends here with time exceeded', () => {
    const net = new Exchange();
    net.introduce();
    net.inject(10, frame(udpPacket('192.168.1.10', 5, '8.8.8.8', 53, 'q', { ttl: 1 })));
    net.run(1000);
    expect(net.sent()).toEqual(['10 192.168.1.1 > 192.168.1.10 ttl 64 icmp 11/0 0']);
    expect(net.sent('wan')).toEqual([]);
  });

  test('without a route: network unreachable; with forwarding off: silence', () => {
    const net = new Exchange();
    net.introduce();
    net.stack.removeRoute(0, 0, 0, 0);
    net.inject(10, frame(udpPacket('192.168.1.10', 5, '8.8.8.8', 53, 'q')));
    net.run(20);
    net.stack.forwarding = false;
    net.inject(30, frame(udpPacket('192.168.1.10', 5, '8.8.8.8', 53, 'q')));
    net.run(1000);
    expect(net.sent()).toEqual(['10 192.168.1.1 > 192.168.1.10 ttl 64 icmp 3/0 0']);
    expect(net.drops()).toEqual({ 'ip.no-route': 1, 'ip.not-for-us': 1 });
  });

  test('too long for the next link: fragments, or with DF the error that names the MTU', () => {
    const net = new Exchange();
    net.introduce();
    (net.stack.interface('wan0') as { mtu: number }).mtu = 576;
    const long = udpPacket('192.168.1.10', 5, '8.8.8.8', 53, 'z'.repeat(1000));
    net.inject(10, frame(long));
    net.inject(20, frame({ ...long, dontFragment: true }));
    net.run(1000);
    expect(net.sent('wan')).toEqual(['10 192.168.1.10 > 8.8.8.8 ttl 63 frag 0+552+', '10 192.168.1.10 > 8.8.8.8 ttl 63 frag 552+456']);
    expect(net.sent()).toEqual(['20 192.168.1.1 > 192.168.1.10 ttl 64 icmp 3/4 576']);
  });

  test('neither link-layer broadcasts nor directed broadcasts of another link are forwarded', () => {
    const net = new Exchange();
    net.introduce();
    net.inject(10, frame(udpPacket('192.168.1.10', 5, '8.8.8.8', 53, 'q'), CLIENT, MAC_BROADCAST));
    net.inject(20, frame(udpPacket('192.168.1.10', 5, '10.0.0.255', 53, 'q')));
    net.run(1000);
    expect(net.sent('wan')).toEqual([]);
    expect(net.drops()).toEqual({ 'ip.directed-broadcast': 1, 'ip.forward-group': 1 });
  });

  test('strict reverse path filtering drops a source that belongs elsewhere', () => {
    const net = new Exchange();
    net.introduce();
    net.stack.reversePath = true;
    net.inject(10, wanFrame(udpPacket('192.168.1.55', 5, '192.168.1.10', 53, 'spoof')), 'wan');
    net.run(100);
    expect(net.sent()).toEqual([]);
    expect(net.drops()).toEqual({ 'ip.reverse-path': 1 });
  });
});

describe('what is dropped is counted by name', () => {
  const packet = udpPacket('192.168.1.10', 5, '192.168.1.1', 6, 'x');
  const spoiled = (change: (bytes: Uint8Array) => void): Uint8Array => {
    const bytes = frame(packet);
    change(bytes);
    return bytes;
  };
  const cases: [string, Uint8Array][] = [
    ['eth.short', new Uint8Array(9)],
    ['eth.802.3', spoiled((b) => b.set([0, 40], 12))],
    ['eth.unknown-type', spoiled((b) => b.set([0x88, 0xcc], 12))],
    ['eth.other-host', frame(packet, CLIENT, UPSTREAM)],
    ['ip.checksum', spoiled((b) => { b[24] ^= 1; })],
    ['ip.version', spoiled((b) => { b[14] = 0x65; })],
    ['ip.header-length', spoiled((b) => { b[14] = 0x44; })],
    ['ip.truncated', spoiled((b) => b.set([0xff, 0xff], 16))],
    ['ip.total-length', spoiled((b) => b.set([0, 19], 16))],
    ['udp.checksum', spoiled((b) => { b[42] ^= 1; })],
    ['udp.length', frame({ ...packet, payload: Uint8Array.of(0, 5, 0, 6, 0, 4, 0, 0) })],
    ['udp.short', frame({ ...packet, payload: Uint8Array.of(0, 5, 0, 6) })],
    ['ip.martian-source', frame({ ...packet, source: ip('127.0.0.1') })],
    ['ip.martian-source', frame({ ...packet, source: ip('192.168.1.1') })],
    ['ip.martian-source', frame({ ...packet, source: ip('224.0.0.9') })],
    ['ip.martian-destination', frame({ ...packet, destination: ip('127.0.0.1') })],
    ['ip.martian-destination', frame({ ...packet, destination: ip('250.0.0.1') })],
    ['ip.multicast-not-joined', frame({ ...packet, destination: ip('224.0.0.251') }, CLIENT, MAC_BROADCAST)],
    ['arp.short', writeEthernet({ destination: ROUTER_LAN, source: CLIENT, type: 0x806, payload: new Uint8Array(0) }).slice(0, 30)],
    ['arp.not-ethernet-ipv4', writeEthernet({ destination: ROUTER_LAN, source: CLIENT, type: 0x806, payload: new Uint8Array(28) })],
    ['arp.not-for-us', arpRequest(CLIENT, '192.168.1.77', '192.168.1.78')],
    ['igmp.not-a-query', frame(ipv4({ source: ip('192.168.1.10'), destination: ip('192.168.1.1'), protocol: 2, payload: Uint8Array.of(0x16, 0, 0xe9, 0xff, 0, 0, 0, 0) }))],
    ['icmp.checksum', frame(ipv4({ source: ip('192.168.1.10'), destination: ip('192.168.1.1'), protocol: 1, payload: Uint8Array.of(8, 0, 1, 1, 0, 0, 0, 0) }))],
  ];
  test.each(cases)('%s', (name, bytes) => {
    const net = new Exchange();
    net.introduce();
    const known = net.stack.fates.snapshot();
    net.inject(10, bytes);
    net.run(100);
    expect(net.drops()).toEqual({ [name]: 1 });
    expect(net.stack.fates.since(known)).toEqual({ [name]: 1 });
    expect(net.sent()).toEqual([]);
  });

  test('the counters stand where programs look for them', () => {
    const net = new Exchange();
    net.introduce();
    for (const bytes of [spoiled((b) => { b[24] ^= 1; }), spoiled((b) => b.set([0xff, 0xff], 16)), frame(packet)]) net.inject(10, bytes);
    net.stack.removeRoute(0, 0, 0, 0);
    net.inject(30, frame(udpPacket('192.168.1.10', 5, '172.16.0.1', 6, 'x')));
    net.run(100);
    const value = (text: string, group: string, name: string): string => {
      const [names, values] = text.split('\n').filter((line) => line.startsWith(`${group}:`)).map((line) => line.split(' '));
      return values[names.indexOf(name)];
    };
    const [snmp, netstat] = [snmpText(net.stack), netstatText(net.stack)];
    expect({ header: value(snmp, 'Ip', 'InHdrErrors'), noPort: value(snmp, 'Udp', 'NoPorts'), sum: value(netstat, 'IpExt', 'InCsumErrors'), cut: value(netstat, 'IpExt', 'InTruncatedPkts'), noRoute: value(netstat, 'IpExt', 'InNoRoutes') })
      .toEqual({ header: '1', noPort: '1', sum: '1', cut: '1', noRoute: '1' });
  });

  test('an answer to an echo that finds its socket full', () => {
    const net = new Exchange();
    net.introduce();
    const ping = net.stack.pingSocket();
    ping.bind(0, 5);
    ping.receiveBuffer = 1;
    const reply = ipv4({ source: ip('192.168.1.10'), destination: ip('192.168.1.1'), protocol: 1, payload: Uint8Array.of(0, 0, 0xff, 0xf9, 0, 5, 0, 1) });
    net.inject(10, frame(reply));
    net.inject(11, frame(reply));
    net.run(100);
    expect(net.drops()).toEqual({ 'icmp.buffer-full': 1 });
  });

  test('of several datagrams to several sockets one fate each, though one of the sockets is full', () => {
    const net = new Exchange();
    net.introduce();
    const sockets = [net.stack.udpSocket(), net.stack.udpSocket()];
    for (const socket of sockets) {
      socket.reuseAddress = true;
      socket.bind(0, 6);
    }
    sockets[1].receiveBuffer = 1;
    const known = net.stack.fates.snapshot();
    for (let i = 0; i < 3; i++) net.inject(10 + i, frame(udpPacket('192.168.1.10', 5, '192.168.1.255', 6, 'x'), CLIENT, MAC_BROADCAST));
    net.run(100);
    expect(net.drops()).toEqual({ 'udp.buffer-full': 2 });
    expect(net.stack.fates.since(known)).toEqual({ 'udp.socket': 3 });
  });

  test('a full receive ring loses the rest while the CPU is busy', () => {
    const net = new Exchange({ 'packet.rx': 100 }, 4);
    const socket = net.stack.udpSocket();
    socket.bind(0, 6);
    // Ten in 10 cycles; the first is being handled for 100, four wait.
    for (let i = 0; i < 10; i++) net.lanCable.send(1, frame(udpPacket('192.168.1.10', 5, '192.168.1.1', 6, `${i}`)));
    net.run(10_000);
    expect(socket.queue.map(({ payload }) => text(payload)).join('')).toBe('0123');
    expect(net.drops()).toEqual({ 'interface.ring-full': 6 });
    expect(net.stack.interface('lan0')?.rxMissed).toBe(6);
  });

  test('a full socket buffer', () => {
    const net = new Exchange();
    const socket = net.stack.udpSocket();
    socket.bind(0, 6);
    socket.receiveBuffer = 2304;
    for (let i = 0; i < 10; i++) net.inject(i, frame(udpPacket('192.168.1.10', 5, '192.168.1.1', 6, 'x'.repeat(600))));
    net.run(100);
    expect(socket.queue.length + socket.drops).toBe(10);
    expect(net.drops()).toEqual({ 'udp.buffer-full': socket.drops });
    expect(socket.drops).toBe(7);
  });
});

describe('fragments', () => {
  const datagram = udpPacket('192.168.1.10', 5, '192.168.1.1', 6, 'fragment '.repeat(400), { identification: 77 });

  test('arrive in any order and are put together; a long answer leaves in fragments', () => {
    const net = new Exchange();
    net.introduce();
    const socket = net.stack.udpSocket();
    socket.bind(0, 6);
    for (const piece of fragmentIpv4(datagram, 1500).reverse()) net.inject(net.clock.cycles + 1, frame(piece));
    net.run(1000);
    const got = socket.recv();
    expect(text(got?.payload)).toBe('fragment '.repeat(400));
    socket.sendto(got?.payload ?? new Uint8Array(0), ip('192.168.1.10'), 5);
    net.run(2000);
    expect(net.sent()).toEqual([
      '1000 192.168.1.1 > 192.168.1.10 ttl 64 frag 0+1480+',
      '1000 192.168.1.1 > 192.168.1.10 ttl 64 frag 1480+1480+',
      '1000 192.168.1.1 > 192.168.1.10 ttl 64 frag 2960+648',
    ]);
    expect(net.drops()).toEqual({});
    expect(net.stack.reassembler.held).toBe(0);
  });

  test('an overlap drops the whole datagram', () => {
    const net = new Exchange();
    net.introduce();
    const [first, second] = fragmentIpv4(datagram, 1500);
    net.inject(10, frame(first));
    net.inject(11, frame({ ...second, fragmentOffset: second.fragmentOffset - 8 }));
    net.run(100);
    expect(net.drops()).toEqual({ 'fragment.overlap': 1, 'fragment.with-another': 1 });
    expect(net.stack.reassembler.held).toBe(0);
  });

  test('an unfinished datagram is given up after 30 s with time exceeded, if its first fragment came', () => {
    const net = new Exchange();
    net.introduce();
    const [first, second] = fragmentIpv4(datagram, 1500);
    net.inject(10, frame(first));
    net.inject(20, frame({ ...second, identification: 78 }));
    net.run(29_000_000);
    expect(net.sent()).toEqual([]);
    net.inject(29_500_000, arpRequest(CLIENT, '192.168.1.10', '192.168.1.1'));
    net.run(31_000_000);
    expect(net.sent().slice(1)).toEqual(['30000010 192.168.1.1 > 192.168.1.10 ttl 64 icmp 11/1 0']);
    expect(net.drops()).toEqual({ 'fragment.timeout': 2 });
    expect(net.stack.reassembler.held).toBe(0);
  });

  test('a flood of first fragments holds no more than its limit', () => {
    const net = new Exchange({}, 4096);
    net.introduce();
    const [first] = fragmentIpv4(datagram, 1500);
    for (let i = 0; i < 2000; i++) net.inject(i, frame({ ...first, identification: i }));
    net.run(5000);
    expect(net.stack.reassembler.held).toBeLessThanOrEqual(256 * 1024);
    expect(net.drops()['fragment.evicted']).toBeGreaterThan(1900);
  });
});

describe('UDP sockets', () => {
  test('a connected socket is preferred to a bound one, a bound one to a wildcard', () => {
    const net = new Exchange();
    const [any, bound, connected] = [net.stack.udpSocket(), net.stack.udpSocket(), net.stack.udpSocket()];
    for (const socket of [any, bound, connected]) socket.reuseAddress = true;
    expect(connected.bind(0, 53)).toBe(0);
    expect(connected.connect(ip('192.168.1.10'), 5)).toBe(0);
    expect(bound.bind(ip('192.168.1.1'), 53)).toBe(0);
    expect(any.bind(0, 53)).toBe(0);
    net.inject(1, frame(udpPacket('192.168.1.10', 5, '192.168.1.1', 53, 'peer')));
    net.inject(2, frame(udpPacket('192.168.1.10', 6, '192.168.1.1', 53, 'address')));
    net.inject(3, wanFrame(udpPacket('10.0.0.1', 6, '10.0.0.2', 53, 'any')), 'wan');
    net.run(10);
    expect([connected, bound, any].map((socket) => socket.queue.map(({ payload }) => text(payload)))).toEqual([['peer'], ['address'], ['any']]);
  });

  test('a port is taken once, unless all its sockets say SO_REUSEADDR or SO_REUSEPORT', () => {
    const { stack } = new Exchange();
    const sockets = Array.from({ length: 5 }, () => stack.udpSocket());
    expect(sockets[0].bind(ip('192.168.1.1'), 53)).toBe(0);
    expect(sockets[1].bind(ip('10.0.0.2'), 53)).toBe(0);
    expect(sockets[2].bind(0, 53)).toBe(-125);
    sockets[2].reuseAddress = true;
    expect(sockets[2].bind(0, 53)).toBe(-125);
    sockets[0].reuseAddress = sockets[1].reuseAddress = true;
    expect(sockets[2].bind(0, 53)).toBe(0);
    expect(sockets[3].bind(ip('1.2.3.4'), 53)).toBe(-126);
    sockets[0].close();
    expect(stack.udp.list().length).toBe(2);
  });

  test('SO_REUSEPORT divides flows among its sockets and keeps each flow at one', () => {
    const net = new Exchange({}, 4096);
    const sockets = [net.stack.udpSocket(), net.stack.udpSocket(), net.stack.udpSocket()];
    for (const socket of sockets) {
      socket.reusePort = true;
      expect(socket.bind(0, 53)).toBe(0);
    }
    for (let round = 0; round < 2; round++) {
      for (let port = 1; port <= 90; port++) net.inject(net.clock.cycles, frame(udpPacket('192.168.1.10', port, '192.168.1.1', 53, 'x')));
    }
    net.run(1000);
    const flows = sockets.map(({ queue }) => new Set(queue.map(({ sourcePort }) => sourcePort)));
    expect(flows.reduce((sum, { size }) => sum + size, 0)).toBe(90);
    for (const { size } of flows) expect(size).toBeGreaterThan(10);
  });

  test('broadcast needs permission to send and reaches every socket bound to the port', () => {
    const net = new Exchange();
    net.introduce();
    const [a, b] = [net.stack.udpSocket(), net.stack.udpSocket()];
    for (const socket of [a, b]) {
      socket.reuseAddress = true;
      socket.bind(0, 67);
    }
    expect(a.sendto(Buffer.from('x'), ip('192.168.1.255'), 68)).toBe(-13);
    a.broadcast = true;
    a.device = 2;
    expect(a.sendto(Buffer.from('x'), LIMITED_BROADCAST, 68)).toBe(1);
    net.inject(5, frame(udpPacket('0.0.0.0', 68, '255.255.255.255', 67, 'discover'), CLIENT, MAC_BROADCAST));
    net.run(10);
    expect(net.sent()).toEqual(['0 192.168.1.1 > 255.255.255.255 ttl 64 df udp 67 > 68 "x"']);
    expect([a.queue.length, b.queue.length]).toEqual([1, 1]);
  });

  test('SO_BINDTODEVICE hears only its interface', () => {
    const net = new Exchange();
    const socket = net.stack.udpSocket();
    socket.device = 2;
    socket.bind(0, 53);
    net.inject(1, frame(udpPacket('192.168.1.10', 5, '192.168.1.1', 53, 'lan')));
    net.inject(2, wanFrame(udpPacket('10.0.0.1', 5, '10.0.0.2', 53, 'wan')), 'wan');
    net.run(10);
    expect(socket.queue.map(({ payload }) => text(payload))).toEqual(['lan']);
  });

  test('path MTU discovery: DO refuses a datagram that is too long, and learns a smaller MTU from the error', () => {
    const net = new Exchange();
    net.introduce();
    const socket = net.stack.udpSocket();
    socket.pmtuDiscovery = 2;
    socket.receiveErrors = true;
    socket.connect(ip('8.8.8.8'), 53);
    expect(socket.sendto(new Uint8Array(1473), 0, 0)).toBe(-97);
    expect(socket.sendto(new Uint8Array(1472), 0, 0)).toBe(1472);
    net.run(net.clock.cycles + 1);
    const quote = writeIpv4(ipv4({ source: ip('10.0.0.2'), destination: ip('8.8.8.8'), protocol: 17, payload: Uint8Array.of(socket.localPort >> 8, socket.localPort, 0, 53, 5, 200, 0, 0) }));
    const error = new Uint8Array(8 + quote.length);
    error.set([3, 4, 0, 0, 0, 0, 1000 >> 8, 1000 & 255]);
    error.set(quote, 8);
    write16(error, 2, checksum(error));
    net.inject(net.clock.cycles + 1, wanFrame(ipv4({ source: ip('10.0.0.1'), destination: ip('10.0.0.2'), protocol: 1, payload: error })), 'wan');
    net.run(net.clock.cycles + 10);
    expect(socket.errors.map(({ errno, info }) => [errno, info])).toEqual([[97, 1000]]);
    expect(socket.takeError()).toBe(97);
    expect(socket.sendto(new Uint8Array(973), 0, 0)).toBe(-97);
    expect(socket.sendto(new Uint8Array(972), 0, 0)).toBe(972);
  });

  test('a disconnected socket gives back the address and port it did not choose itself', () => {
    const { stack } = new Exchange();
    const [chosen, bound] = [stack.udpSocket(), stack.udpSocket()];
    bound.bind(0, 5353);
    for (const socket of [chosen, bound]) {
      socket.connect(ip('192.168.1.10'), 9);
      expect(socket.localAddress).toBe(ip('192.168.1.1'));
      socket.disconnect();
      expect(socket.localAddress).toBe(0);
    }
    expect([chosen.localPort, bound.localPort]).toEqual([0, 5353]);
  });

  test('ping: an ICMP socket gets the replies to its own requests, a raw socket every ICMP packet with its header', () => {
    const net = new Exchange();
    const [ping, other, raw] = [net.stack.pingSocket(), net.stack.pingSocket(), net.stack.rawSocket(1)];
    raw.icmpFilter = 1 << 8;
    const request = Uint8Array.of(8, 0, 0, 0, 0, 0, 0, 5, 1, 2, 3);
    other.bind(0, 77);
    expect(ping.sendto(request, ip('127.0.0.1'))).toBe(11);
    net.run(5);
    expect(other.queue.length).toBe(0);
    expect(Buffer.from(ping.recv()?.payload ?? []).toString('hex').replace(/^(0000)........(.*)$/, '$1 $2')).toBe('0000 0005010203');
    // The request is filtered out; the reply has its 20-byte IP header.
    expect(raw.queue.map(({ payload }) => [payload.length, payload[20]])).toEqual([[31, 0]]);
    expect(net.drops()).toEqual({});
  });

  test('what is sent to our own address comes back through lo', () => {
    const net = new Exchange();
    const [server, client] = [net.stack.udpSocket(), net.stack.udpSocket()];
    server.bind(ip('192.168.1.1'), 53);
    client.sendto(Buffer.from('self'), ip('192.168.1.1'), 53);
    net.run(1);
    expect(server.recv()).toMatchObject({ source: ip('192.168.1.1'), device: 1 });
    expect(net.sent()).toEqual([]);
  });

  test('multicast reaches members only, while they are members', () => {
    const net = new Exchange();
    const socket = net.stack.udpSocket();
    socket.bind(0, 5353);
    const group = ip('224.0.0.251');
    const packet = frame(udpPacket('192.168.1.10', 5353, '224.0.0.251', 5353, 'mdns'), CLIENT, 0x01005e0000fb);
    net.inject(1, packet);
    net.run(2);
    expect(joinGroup(net.stack, socket, group, 2)).toBe(0);
    expect(joinGroup(net.stack, socket, group, 2)).toBe(-125);
    net.inject(3, packet);
    net.run(4);
    expect(leaveGroup(net.stack, socket, group, 2)).toBe(0);
    net.inject(5, packet);
    net.run(6);
    expect(socket.queue.length).toBe(1);
    expect(net.drops()).toEqual({ 'eth.other-host': 2 });
  });
});

describe('the same seed, the same frames', () => {
  function play(net: Exchange, i: number): void {
    const pieces = fragmentIpv4(udpPacket('192.168.1.10', 5, '192.168.1.1', 6, `${i}`.repeat(2000), { identification: i }), 1500);
    pieces.forEach((piece, k) => net.inject(1000 * i + 100 * k, frame(piece)));
    if (i % 2 === 0) net.inject(1000 * i + 500, frame(udpPacket('192.168.1.10', 9, `8.8.8.${i}`, 53, 'out')));
    net.run(1000 * i + 950);
    const socket = net.stack.udp.list()[0];
    for (let got = socket.recv(); got; got = socket.recv()) socket.sendto(got.payload, got.source, got.sourcePort);
  }

  test.each([3, 6, 9])('saved and loaded before exchange %i, the rest is identical', (at) => {
    const begin = (): Exchange => {
      const net = new Exchange({ 'packet.rx': 64, 'packet.tx': 32 });
      net.inject(0, arpRequest(CLIENT, '192.168.1.10', '192.168.1.1'));
      net.stack.udpSocket().bind(0, 6);
      return net;
    };
    let parts = begin();
    for (let i = 1; i < at; i++) play(parts, i);
    // In the middle of a reassembly, with packets waiting for ARP.
    const [first, second] = fragmentIpv4(udpPacket('192.168.1.10', 5, '192.168.1.1', 6, 'middle'.repeat(400), { identification: 999 }), 1500);
    const control = begin();
    for (let i = 1; i < at; i++) play(control, i);
    const time = parts.clock.cycles + 10;
    for (const net of [parts, control]) net.inject(time, frame(first));
    parts = loadGraph(saveGraph(parts)) as Exchange;
    for (const net of [parts, control]) {
      net.inject(time + 10, frame(second));
      net.run(time + 5000);
      net.run(40_000_000);
    }
    for (const side of ['lan', 'wan'] as const) {
      const [a, b] = [parts[side].received, control[side].received];
      expect(a.map(({ time: t }) => t)).toEqual(b.map(({ time: t }) => t));
      expect(Buffer.compare(Buffer.concat(a.map((x) => x.frame)), Buffer.concat(b.map((x) => x.frame)))).toBe(0);
      expect(a.length).toBeGreaterThan(0);
    }
    expect(parts.drops()).toEqual(control.drops());
  });
});
