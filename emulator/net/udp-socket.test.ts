import { CLIENT, Exchange, frame, text, udpPacket, wanFrame } from '../../test/net/exchange.js';
import { ip, ipv4, LIMITED_BROADCAST, MAC_BROADCAST, checksum, write16, writeIpv4 } from './index.js';
import { joinGroup, leaveGroup } from './memberships.js';

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
