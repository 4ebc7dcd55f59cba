import fc from 'fast-check';
import { Errno } from '../../emulator/base/index.js';
import { packetSocket, type PacketSocket } from '../../emulator/kernel/packet-socket.js';
import { wordAt, wordBytes } from '../../emulator/kernel/socket-file.js';
import { AF, SO, SocketType, SOL_PACKET, SOL_SOCKET } from '../../emulator/kernel/socket-numbers.js';
import type { Thread } from '../../emulator/kernel/thread.js';
import { Cable, checkBpf, ip, ipv4, mac, writeEthernet, writeIpv4, writeUdp, type BpfInstruction } from '../../emulator/net/index.js';
import { guestBinary, TestMachine } from '../support/machine.js';

const [IPV4, ALL, OTHERS] = [0x0008, 0x0300, 0x3412];
const OURS = mac('02:00:00:00:00:01');
const THEIRS = mac('02:00:00:00:00:02');

class Wire {
  readonly machine = new TestMachine();
  readonly thread: Thread;
  readonly cable: Cable;
  readonly sent: Uint8Array[] = [];

  constructor() {
    const { kernel } = this.machine;
    this.cable = new Cable(kernel.clock, kernel.events);
    kernel.net?.addInterface('lan0', OURS, this.cable, 0);
    this.cable.attach(1, { receive: (frame) => void this.sent.push(frame) });
    kernel.net?.configure('lan0', ip('192.168.1.1'), 24);
    this.machine.writeFile('/bin/hello', guestBinary('hello'), 0o755);
    [this.thread] = this.machine.spawn('/bin/hello', ['hello']).threads;
  }

  open(type: number, protocol: number): PacketSocket {
    const socket = packetSocket(this.machine.kernel, this.thread, type, protocol, 0x80);
    if (typeof socket === 'number') throw new Error(`socket: ${socket}`);
    return socket;
  }

  arrives(frame: Uint8Array): void {
    this.cable.send(1, frame);
    this.settle();
  }

  settle(): void {
    const { kernel } = this.machine;
    kernel.run(kernel.clock.cycles + 1000);
  }

  receive(socket: PacketSocket): { bytes: Uint8Array; address: Uint8Array } | number {
    const got = socket.receive(this.machine.kernel, this.thread, 2000, 0);
    return typeof got === 'number' ? got : { bytes: got.bytes, address: got.address as Uint8Array };
  }

  send(socket: PacketSocket, bytes: Uint8Array, address: Uint8Array | null = null): number {
    return socket.send(this.machine.kernel, this.thread, { bytes, address, control: [], flags: 0, files: [] });
  }
}

function udpFrame(port: number, destination = OURS): Uint8Array {
  const [source, target] = [ip('192.168.1.9'), ip('192.168.1.1')];
  const payload = writeUdp({ sourcePort: 68, destinationPort: port, payload: Buffer.from('hello, dhcp') }, source, target);
  return writeEthernet({ destination, source: THEIRS, type: 0x0800, payload: writeIpv4(ipv4({ source, destination: target, protocol: 17, payload, ttl: 64 })) });
}

describe('packet sockets', () => {
  test('SOCK_DGRAM gets the packet, SOCK_RAW the frame; both the sender\'s link address', () => {
    const wire = new Wire();
    const [cooked, raw] = [wire.open(SocketType.DGRAM, IPV4), wire.open(SocketType.RAW, IPV4)];
    const frame = udpFrame(67);
    wire.arrives(frame);
    const packet = wire.receive(cooked);
    expect(packet).toMatchObject({ bytes: frame.subarray(14) });
    expect(wire.receive(raw)).toMatchObject({ bytes: frame });
    const { address } = packet as { address: Uint8Array };
    expect([address.length, address[0], address[2], address[3], wordAt(address, 4), address[10], address[11]]).toEqual([20, AF.PACKET, 8, 0, 2, 0, 6]);
    expect(Buffer.from(address.subarray(12, 18)).toString('hex')).toBe('020000000002');
  });

  test('a protocol that is not asked for is not heard; all of them are, what goes out too', () => {
    const wire = new Wire();
    const [some, all] = [wire.open(SocketType.RAW, OTHERS), wire.open(SocketType.RAW, ALL)];
    wire.arrives(udpFrame(9));
    expect(wire.receive(some)).toBe(-Errno.EAGAIN);
    expect(wire.receive(all)).toMatchObject({ bytes: udpFrame(9) });
    // Nobody listens on port 9: the router asks who has the sender's address, to tell it so.
    const out = wire.receive(all);
    expect(out).not.toBe(-Errno.EAGAIN);
    expect((out as { address: Uint8Array }).address[10]).toBe(4);
  });

  test('frames for others are heard only by those who asked for all, and until they leave', () => {
    const wire = new Wire();
    const socket = wire.open(SocketType.RAW, ALL);
    const { kernel } = wire.machine;
    const promiscuous = wordBytes(2, 1, 0, 0);
    const frame = udpFrame(67, mac('02:00:00:00:00:77'));
    wire.arrives(frame);
    expect(wire.receive(socket)).toBe(-Errno.EAGAIN);
    expect(socket.setOption(kernel, wire.thread, SOL_PACKET, 1, promiscuous)).toBe(0);
    wire.arrives(frame);
    expect((wire.receive(socket) as { address: Uint8Array }).address[10]).toBe(3);
    expect(socket.setOption(kernel, wire.thread, SOL_PACKET, 2, promiscuous)).toBe(0);
    expect(socket.setOption(kernel, wire.thread, SOL_PACKET, 2, promiscuous)).toBe(-Errno.EADDRNOTAVAIL);
    wire.arrives(frame);
    expect(wire.receive(socket)).toBe(-Errno.EAGAIN);
  });

  test('what is sent is on the wire as it was given, padded; the sender does not hear it, another one does', () => {
    const wire = new Wire();
    const [sender, listener] = [wire.open(SocketType.DGRAM, IPV4), wire.open(SocketType.RAW, ALL)];
    const to = new Uint8Array(20);
    to.set([AF.PACKET, 0, 0x12, 0x34, 2, 0, 0, 0, 0, 0, 0, 6, 2, 0, 0, 0, 0, 2]);
    expect(wire.send(sender, Buffer.from('payload'), to)).toBe(7);
    wire.settle();
    expect(Buffer.from(wire.sent[0]).toString('hex')).toBe(`0200000000020200000000011234${Buffer.from('payload').toString('hex')}`.padEnd(120, '0'));
    expect(wire.receive(sender)).toBe(-Errno.EAGAIN);
    expect(wire.receive(listener)).toMatchObject({ bytes: wire.sent[0] });
  });

  test('no device, device down, too long', () => {
    const wire = new Wire();
    const raw = wire.open(SocketType.RAW, ALL);
    expect(wire.send(raw, new Uint8Array(60))).toBe(-Errno.ENXIO);
    const bound = new Uint8Array(20);
    bound.set([AF.PACKET, 0, 0, 3, 2]);
    expect(raw.bind(wire.machine.kernel, wire.thread, bound)).toBe(0);
    expect(wire.send(raw, new Uint8Array(1515))).toBe(-Errno.EMSGSIZE);
    expect(wire.send(raw, new Uint8Array(1514))).toBe(1514);
    wire.machine.kernel.net?.configure('lan0', 0, 0, false);
    expect(wire.send(raw, new Uint8Array(60))).toBe(-Errno.ENETDOWN);
    bound[4] = 9;
    expect(raw.bind(wire.machine.kernel, wire.thread, bound)).toBe(-Errno.ENODEV);
  });

  test('a reader that does not read loses packets, and the statistics say how many', () => {
    const wire = new Wire();
    const socket = wire.open(SocketType.RAW, IPV4);
    socket.setOption(wire.machine.kernel, wire.thread, SOL_SOCKET, SO.RCVBUF, wordBytes(1));
    for (let i = 0; i < 10; i++) wire.arrives(udpFrame(67));
    const statistics = socket.getOption(wire.machine.kernel, wire.thread, SOL_PACKET, 6) as Uint8Array;
    expect([wordAt(statistics), wordAt(statistics, 4)]).toEqual([10, 5]);
  });
});

/** ip and udp and dst port 67, not a fragment: as tcpdump compiles it for a cooked socket. */
const dhcpFilter: BpfInstruction[] = [
  { code: 0x30, jt: 0, jf: 0, k: 9 }, { code: 0x15, jt: 0, jf: 6, k: 17 }, { code: 0x28, jt: 0, jf: 0, k: 6 }, { code: 0x45, jt: 4, jf: 0, k: 0x1fff },
  { code: 0xb1, jt: 0, jf: 0, k: 0 }, { code: 0x48, jt: 0, jf: 0, k: 2 }, { code: 0x15, jt: 0, jf: 1, k: 67 }, { code: 0x06, jt: 0, jf: 0, k: 0xffffffff }, { code: 0x06, jt: 0, jf: 0, k: 0 },
];

describe('the classic packet filter', () => {
  const run = (code: BpfInstruction[], bytes: Uint8Array): number | undefined => checkBpf(code)?.run({ bytes, network: 0, protocol: 0x800, kind: 1, device: 2 });

  test('a filter for DHCP takes DHCP and nothing else, and no packet cut short', () => {
    const packet = udpFrame(67).subarray(14);
    expect(run(dhcpFilter, packet)).toBe(0xffffffff);
    expect(run(dhcpFilter, udpFrame(53).subarray(14))).toBe(0);
    for (let length = 0; length < 24; length++) expect(run(dhcpFilter, packet.subarray(0, length))).toBe(0);
  });

  test('arithmetic is unsigned and 32 bits wide; division by a zero X drops the packet', () => {
    const ret = (...code: [number, number][]): number | undefined => run([...code.map(([op, k]) => ({ code: op, jt: 0, jf: 0, k })), { code: 0x16, jt: 0, jf: 0, k: 0 }], new Uint8Array(4));
    expect(ret([0x00, 5], [0x14, 6])).toBe(0xffffffff);
    expect(ret([0x00, 0x80000000], [0x34, 2])).toBe(0x40000000);
    expect(ret([0x00, 0xffffffff], [0x24, 0xffffffff])).toBe(1);
    expect(ret([0x00, 7], [0x94, 4])).toBe(3);
    expect(ret([0x00, 7], [0x3c, 0])).toBe(0);
    expect(ret([0x00, 7], [0x02, 15], [0x00, 1], [0x61, 15], [0x0c, 0])).toBe(8);
    expect(ret([0x20, -4096])).toBe(0x800);
    expect(ret([0x20, -4096 + 8])).toBe(2);
  });

  test('what Linux refuses is refused', () => {
    const end: BpfInstruction = { code: 6, jt: 0, jf: 0, k: 0 };
    for (const bad of [[0xff, 0], [0x34, 0], [0x64, 32], [0x02, 16], [0x05, 1], [0x05, 0xffffffff]]) expect(checkBpf([{ code: bad[0], jt: 0, jf: 0, k: bad[1] }, end])).toBeNull();
    expect(checkBpf([{ code: 0x15, jt: 1, jf: 0, k: 0 }, end])).toBeNull();
    expect(checkBpf([{ code: 0x00, jt: 0, jf: 0, k: 0 }])).toBeNull();
    expect(checkBpf([])).toBeNull();
  });

  test('whatever program passes the check ends and gives an unsigned number', () => {
    const codes = [...dhcpFilter.map(({ code }) => code), 0x05, 0x25, 0x35, 0x1d, 0x80, 0x00, 0x60, 0x02, 0x03, 0x04, 0x0c, 0x1c, 0x2c, 0x3c, 0x9c, 0x6c, 0x7c, 0x84, 0x07, 0x87, 0x16, 0x50];
    const instruction = fc.record({ code: fc.constantFrom(...codes), jt: fc.nat(3), jf: fc.nat(3), k: fc.oneof(fc.nat(20), fc.integer()) });
    fc.assert(fc.property(fc.array(instruction, { maxLength: 12 }), fc.uint8Array({ maxLength: 40 }), (code, bytes) => {
      const kept = run([...code, { code: 0x16, jt: 0, jf: 0, k: 0 }], bytes);
      expect(kept === undefined || (Number.isInteger(kept) && kept >= 0 && kept <= 0xffffffff)).toBe(true);
    }), { numRuns: 2000 });
  });

  test('a good filter with some fields changed is refused or takes no longer than it has instructions', () => {
    const field = fc.tuple(fc.nat(dhcpFilter.length - 1), fc.constantFrom('code', 'jt', 'jf', 'k'), fc.oneof(fc.nat(255), fc.integer()));
    fc.assert(fc.property(fc.array(field, { minLength: 1, maxLength: 4 }), fc.uint8Array({ maxLength: 60 }), (changes, bytes) => {
      const code = dhcpFilter.map((one) => ({ ...one }));
      for (const [at, name, value] of changes) code[at][name as 'k'] = name === 'k' ? value : name === 'code' ? value & 0xffff : value & 0xff;
      const kept = run(code, bytes);
      expect(kept === undefined || (Number.isInteger(kept) && kept >= 0 && kept <= 0xffffffff)).toBe(true);
    }), { numRuns: 2000 });
  });
});
