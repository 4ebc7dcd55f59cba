import { loadGraph, saveGraph } from '../base/index.js';
import { arpReply, arpRequest, CLIENT, echoPacket, Exchange, frame, ROUTER_LAN, text, udpPacket, wanFrame } from '../../test/net/exchange.js';
import { fragmentIpv4, ip, ipv4, MAC_BROADCAST } from './index.js';

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
