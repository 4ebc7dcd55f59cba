import { arpRequest, CLIENT, echoPacket, Exchange, frame, ROUTER_LAN, text, udpPacket, UPSTREAM } from '../../test/net/exchange.js';
import { ip, ipv4, MAC_BROADCAST, writeEthernet } from './index.js';
import { netstatText, snmpText } from './mib.js';

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

  test('octets are counted both ways, and apart for groups', () => {
    const net = new Exchange();
    net.introduce();
    net.inject(10, frame(echoPacket('192.168.1.10', '192.168.1.1', 'ping')));
    for (const to of ['192.168.1.255', '224.0.0.1']) net.inject(20, frame(udpPacket('192.168.1.10', 5, to, 6, 'x'.repeat(100)), CLIENT, MAC_BROADCAST));
    const socket = net.stack.udpSocket();
    socket.broadcast = true;
    socket.sendto(Buffer.alloc(100), ip('192.168.1.255'), 7);
    net.run(100);
    const [names, values] = netstatText(net.stack).split('\n').filter((line) => line.startsWith('IpExt:')).map((line) => line.split(' '));
    const counted = Object.fromEntries(names.map((name, i) => [name, Number(values[i])]));
    expect(counted).toMatchObject({
      // Linux counts before it cuts the padding of a short frame off.
      InOctets: 46 + 2 * 128, InBcastPkts: 1, InBcastOctets: 128, InMcastPkts: 1, InMcastOctets: 128,
      OutOctets: 32 + 128, OutBcastPkts: 1, OutBcastOctets: 128, OutMcastPkts: 0,
    });
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
