import fc from 'fast-check';
import { Errno } from '../../emulator/base/index.js';
import { readAttributes, readMessages, writeMessage, littleEndian, networkOrder, NlBody, Nlm, textOfAttribute, type NlMessage } from '../../emulator/kernel/netlink/message.js';
import { NetlinkOption, netlinkSocket, type NetlinkSocket } from '../../emulator/kernel/netlink/netlink-socket.js';
import { Rtm } from '../../emulator/kernel/netlink/rtm.js';
import { AF, Msg, SO, SOL_NETLINK, SOL_SOCKET, SocketType } from '../../emulator/kernel/socket-numbers.js';
import { wordAt, wordBytes } from '../../emulator/kernel/socket-file.js';
import { setCapabilities } from '../../emulator/kernel/capabilities.js';
import type { Thread } from '../../emulator/kernel/thread.js';
import { Cable, ip, mac } from '../../emulator/net/index.js';
import { guestBinary, TestMachine } from '../support/machine.js';

const REQUEST = Nlm.REQUEST | Nlm.ACK;
const [LO, LAN] = [1, 2];

/** A machine with one Ethernet port and a thread that asks. */
class Asker {
  readonly machine = new TestMachine();
  readonly thread: Thread;
  readonly socket: NetlinkSocket;

  constructor() {
    const { kernel } = this.machine;
    kernel.net?.addInterface('lan0', mac('02:00:00:00:00:01'), new Cable(kernel.clock, kernel.events), 0);
    this.machine.writeFile('/bin/hello', guestBinary('hello'), 0o755);
    [this.thread] = this.machine.spawn('/bin/hello', ['hello']).threads;
    this.socket = this.open();
  }

  open(groups = 0): NetlinkSocket {
    const socket = netlinkSocket(this.machine.kernel, this.thread, SocketType.RAW, 0, 0x80);
    if (typeof socket === 'number') throw new Error(`socket: ${socket}`);
    expect(socket.bind(this.machine.kernel, this.thread, wordBytes(AF.NETLINK, 0, groups))).toBe(0);
    return socket;
  }

  send(type: number, flags: number, body: Uint8Array): void {
    const bytes = writeMessage(type, flags, 42, 0, body);
    expect(this.socket.send(this.machine.kernel, this.thread, { bytes, address: null, control: [], flags: 0, files: [] })).toBe(bytes.length);
  }

  /** All messages that wait. */
  heard(socket = this.socket): NlMessage[] {
    const messages: NlMessage[] = [];
    for (;;) {
      const got = socket.receive(this.machine.kernel, this.thread, 65_536, 0);
      if (typeof got === 'number') {
        expect(got).toBe(-Errno.EAGAIN);
        return messages;
      }
      messages.push(...readMessages(got.bytes));
    }
  }

  /** The error an acknowledgement carries. */
  acknowledged(type: number, flags: number, body: Uint8Array): number {
    this.send(type, flags, body);
    const [answer] = this.heard();
    expect(answer.type).toBe(2);
    return wordAt(answer.body);
  }

  option(name: number): void {
    expect(this.socket.setOption(this.machine.kernel, this.thread, SOL_NETLINK, name, wordBytes(1))).toBe(0);
  }
}

const link = (index: number, flags = 0, change = 0): NlBody => new NlBody().raw(littleEndian(0, index, flags, change));
const UP = link(LAN, 1, 1).bytes();
const address = (text: string, prefix = 24, index = LAN): Uint8Array =>
  new NlBody().raw(Uint8Array.of(AF.INET, prefix, 0, 0)).raw(littleEndian(index)).attribute(2, networkOrder(ip(text), 4)).bytes();
const route = (network: string, prefix: number, gateway: string, table = 254): Uint8Array =>
  new NlBody().raw(Uint8Array.of(AF.INET, prefix, 0, 0, table, 4, 0, 1)).raw(littleEndian(0)).attribute(1, networkOrder(ip(network), 4)).attribute(5, networkOrder(ip(gateway), 4)).bytes();
const MAKE = REQUEST | Nlm.CREATE | Nlm.EXCL;

describe('rtnetlink', () => {
  test('a dump is several messages that carry the request\'s number and the socket\'s port, then DONE', () => {
    const asker = new Asker();
    asker.send(Rtm.GETLINK, Nlm.REQUEST | Nlm.DUMP, Uint8Array.of(0));
    const messages = asker.heard();
    expect(messages.map(({ type }) => type)).toEqual([Rtm.NEWLINK, Rtm.NEWLINK, 3]);
    for (const { sequence, port, flags } of messages) expect([sequence, port, flags & Nlm.MULTI]).toEqual([42, asker.thread.process.pid, Nlm.MULTI]);
    const names = messages.slice(0, 2).map(({ body }) => textOfAttribute(readAttributes(body.subarray(16))?.get(3)));
    expect(names).toEqual(['lo', 'lan0']);
  });

  test('MSG_PEEK with MSG_TRUNC tells the whole length and takes nothing', () => {
    const asker = new Asker();
    asker.send(Rtm.GETADDR, Nlm.REQUEST | Nlm.DUMP, Uint8Array.of(AF.INET));
    const peek = asker.socket.receive(asker.machine.kernel, asker.thread, 1, Msg.PEEK | Msg.TRUNC);
    expect(peek).toMatchObject({ flags: Msg.TRUNC });
    const whole = asker.socket.receive(asker.machine.kernel, asker.thread, 65_536, 0);
    expect(typeof peek === 'object' && typeof whole === 'object' && peek.length === whole.bytes.length && whole.bytes.length > 40).toBe(true);
  });

  test('an address makes the interface speak: it is there, its route too; twice is EEXIST, taking it away twice EADDRNOTAVAIL', () => {
    const asker = new Asker();
    const { net } = asker.machine.kernel;
    expect(asker.acknowledged(Rtm.NEWLINK, REQUEST, UP)).toBe(0);
    expect(asker.acknowledged(Rtm.NEWADDR, MAKE, address('192.168.1.1'))).toBe(0);
    expect(net?.isLocal(ip('192.168.1.1'))).toBe(true);
    expect(net?.routes.lookup(ip('192.168.1.77'))).toMatchObject({ device: LAN, protocol: 2 });
    expect(asker.acknowledged(Rtm.NEWADDR, MAKE, address('192.168.1.1'))).toBe(-Errno.EEXIST);
    expect(asker.acknowledged(Rtm.NEWADDR, MAKE, address('192.168.1.1', 24, 9))).toBe(-Errno.ENODEV);
    expect(asker.acknowledged(Rtm.NEWADDR, MAKE, address('192.168.1.2'))).toBe(0);
    expect(net?.isLocal(ip('192.168.1.2'))).toBe(true);
    // The second one of the subnet goes with the first (promote_secondaries is 0).
    expect(asker.acknowledged(Rtm.DELADDR, REQUEST, address('192.168.1.1'))).toBe(0);
    expect(net?.isLocal(ip('192.168.1.2'))).toBe(false);
    expect(asker.acknowledged(Rtm.DELADDR, REQUEST, address('192.168.1.1'))).toBe(-Errno.EADDRNOTAVAIL);
  });

  test('routes: made, refused, replaced, deleted with Linux\'s errors', () => {
    const asker = new Asker();
    asker.acknowledged(Rtm.NEWLINK, REQUEST, UP);
    asker.acknowledged(Rtm.NEWADDR, MAKE, address('192.168.1.1'));
    const ten = (gateway: string): Uint8Array => route('10.0.0.0', 8, gateway);
    expect(asker.acknowledged(Rtm.NEWROUTE, MAKE, ten('192.168.1.9'))).toBe(0);
    expect(asker.acknowledged(Rtm.NEWROUTE, MAKE, ten('192.168.1.9'))).toBe(-Errno.EEXIST);
    expect(asker.acknowledged(Rtm.NEWROUTE, MAKE, ten('172.16.0.1'))).toBe(-Errno.EEXIST);
    expect(asker.acknowledged(Rtm.NEWROUTE, MAKE, route('11.0.0.0', 8, '172.16.0.1'))).toBe(-Errno.ENETUNREACH);
    expect(asker.acknowledged(Rtm.NEWROUTE, REQUEST, route('11.0.0.0', 8, '192.168.1.9'))).toBe(-Errno.ENOENT);
    expect(asker.acknowledged(Rtm.NEWROUTE, MAKE, route('11.0.0.1', 8, '192.168.1.9'))).toBe(-Errno.EINVAL);
    expect(asker.acknowledged(Rtm.NEWROUTE, REQUEST | Nlm.CREATE | Nlm.REPLACE, ten('192.168.1.8'))).toBe(0);
    expect(asker.machine.kernel.net?.routes.lookup(ip('10.1.1.1'))).toMatchObject({ gateway: ip('192.168.1.8'), protocol: 4 });
    expect(asker.acknowledged(Rtm.DELROUTE, REQUEST, ten('192.168.1.7'))).toBe(-Errno.ESRCH);
    expect(asker.acknowledged(Rtm.DELROUTE, REQUEST, ten('192.168.1.8'))).toBe(0);
    expect(asker.acknowledged(Rtm.DELROUTE, REQUEST, ten('192.168.1.8'))).toBe(-Errno.ESRCH);
  });

  test('what follows the header and is no attribute is passed over, unless the socket is strict', () => {
    const asker = new Asker();
    const zebras = new Uint8Array(16);
    zebras[0] = AF.INET;
    asker.send(Rtm.GETADDR, Nlm.REQUEST | Nlm.DUMP, zebras);
    expect(asker.heard().map(({ type }) => type)).toEqual([Rtm.NEWADDR, 3]);
    asker.option(NetlinkOption.STRICT_CHECK);
    asker.send(Rtm.GETADDR, Nlm.REQUEST | Nlm.DUMP, zebras);
    expect(asker.heard().map(({ type }) => type)).toEqual([2]);
  });

  test('a strict dump is filtered by table, another one is not', () => {
    const count = (strict: boolean): number => {
      const asker = new Asker();
      asker.acknowledged(Rtm.NEWLINK, REQUEST, UP);
      asker.acknowledged(Rtm.NEWADDR, MAKE, address('192.168.1.1'));
      if (strict) asker.option(NetlinkOption.STRICT_CHECK);
      asker.send(Rtm.GETROUTE, Nlm.REQUEST | Nlm.DUMP, new NlBody().raw(Uint8Array.of(AF.INET, 0, 0, 0, 254, 0, 0, 0)).raw(littleEndian(0)).bytes());
      return asker.heard().filter(({ type }) => type === Rtm.NEWROUTE).length;
    };
    expect(count(true)).toBe(1);
    expect(count(false)).toBeGreaterThan(4);
  });

  test('the reason of a refusal comes to those who asked for extended acknowledgements', () => {
    const asker = new Asker();
    asker.option(NetlinkOption.EXT_ACK);
    asker.option(NetlinkOption.CAP_ACK);
    asker.send(Rtm.NEWLINK, REQUEST, link(LAN).u32(4, 9000).bytes());
    const [answer] = asker.heard();
    expect(wordAt(answer.body)).toBe(-Errno.EINVAL);
    expect(answer.flags).toBe(Nlm.CAPPED | Nlm.ACK_TLVS);
    expect(textOfAttribute(readAttributes(answer.body.subarray(20))?.get(1))).toBe('mtu greater than device maximum');
  });

  test('members of a group hear what changes, others do not', () => {
    const asker = new Asker();
    const member = asker.open(1 | (1 << 4) | (1 << 6));
    const other = asker.open();
    asker.acknowledged(Rtm.NEWLINK, REQUEST, UP);
    asker.acknowledged(Rtm.NEWADDR, MAKE, address('192.168.1.1'));
    asker.acknowledged(Rtm.NEWLINK, REQUEST, link(LAN, 0, 1).bytes());
    expect(asker.heard(member).map(({ type }) => type)).toEqual([Rtm.NEWLINK, Rtm.NEWADDR, Rtm.NEWROUTE, Rtm.DELROUTE, Rtm.NEWLINK]);
    expect(asker.heard(other)).toEqual([]);
  });

  test('a listener that does not read is told ENOBUFS once, unless it does not care', () => {
    const asker = new Asker();
    const { kernel } = asker.machine;
    const [told, careless] = [asker.open(1), asker.open(1)];
    for (const socket of [told, careless]) socket.setOption(kernel, asker.thread, SOL_SOCKET, SO.RCVBUF, wordBytes(1));
    careless.setOption(kernel, asker.thread, SOL_NETLINK, NetlinkOption.NO_ENOBUFS, wordBytes(1));
    for (let i = 0; i < 20; i++) asker.acknowledged(Rtm.NEWLINK, REQUEST, link(LAN, i & 1 ? 0 : 1, 1).bytes());
    expect(told.receive(kernel, asker.thread, 1000, 0)).toBe(-Errno.ENOBUFS);
    expect(typeof told.receive(kernel, asker.thread, 1000, 0)).toBe('object');
    expect(typeof careless.receive(kernel, asker.thread, 1000, 0)).toBe('object');
  });

  test('without CAP_NET_ADMIN one may look, not touch', () => {
    const asker = new Asker();
    setCapabilities(asker.thread.process.cred, { effective: [0, 0], permitted: [0, 0], inheritable: [0, 0] });
    expect(asker.acknowledged(Rtm.NEWLINK, REQUEST, UP)).toBe(-Errno.EPERM);
    asker.send(Rtm.GETLINK, Nlm.REQUEST, link(LO).bytes());
    expect(asker.heard()[0].type).toBe(Rtm.NEWLINK);
  });

  test('what is not known is refused and named', () => {
    const asker = new Asker();
    expect(asker.acknowledged(36, REQUEST, new Uint8Array(20))).toBe(-Errno.EOPNOTSUPP);
    expect([...asker.machine.kernel.unknownCalls.keys()]).toContain('netlink RTM_NEWQDISC hello');
    expect(netlinkSocket(asker.machine.kernel, asker.thread, SocketType.RAW, 9, 0)).toBe(-Errno.EPROTONOSUPPORT);
  });

  test('whatever is sent, nothing throws and the answers are whole messages', () => {
    const asker = new Asker();
    const type = fc.constantFrom(...Object.values(Rtm));
    fc.assert(fc.property(type, fc.integer({ min: 0, max: 0xffff }), fc.uint8Array({ maxLength: 64 }), fc.boolean(), (kind, flags, body, cut) => {
      const bytes = writeMessage(kind, flags | Nlm.REQUEST, 1, 0, body);
      asker.socket.send(asker.machine.kernel, asker.thread, { bytes: cut ? bytes.subarray(0, -3) : bytes, address: null, control: [], flags: 0, files: [] });
      for (const message of asker.heard()) expect(message.bytes.length).toBeGreaterThanOrEqual(16);
    }), { numRuns: 300 });
  });

  test('good messages with some bytes changed: whole answers, tables within their limits, and the socket still answers', () => {
    const asker = new Asker();
    const { net } = asker.machine.kernel;
    asker.acknowledged(Rtm.NEWLINK, REQUEST, UP);
    asker.acknowledged(Rtm.NEWADDR, MAKE, address('192.168.1.1'));
    const neighbour = new NlBody().raw(Uint8Array.of(AF.INET, 0, 0, 0)).raw(littleEndian(LAN, 0x80)).attribute(1, networkOrder(ip('192.168.1.9'), 4)).attribute(2, networkOrder(mac('02:00:00:00:00:09'), 6)).bytes();
    const good: [number, Uint8Array][] = [
      [Rtm.NEWLINK, link(LAN, 1, 1).text(3, 'lan0').u32(4, 1400).attribute(1, networkOrder(mac('02:00:00:00:00:07'), 6)).bytes()], [Rtm.SETLINK, UP], [Rtm.GETLINK, UP],
      [Rtm.NEWADDR, address('192.168.1.7')], [Rtm.DELADDR, address('192.168.1.7')], [Rtm.GETADDR, address('192.168.1.1')],
      [Rtm.NEWROUTE, route('10.0.0.0', 8, '192.168.1.9')], [Rtm.DELROUTE, route('10.0.0.0', 8, '192.168.1.9')], [Rtm.GETROUTE, route('10.0.0.0', 8, '192.168.1.9')],
      [Rtm.NEWNEIGH, neighbour], [Rtm.DELNEIGH, neighbour], [Rtm.GETNEIGH, neighbour], [Rtm.GETRULE, Uint8Array.of(AF.INET, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0)],
    ];
    const changes = fc.array(fc.tuple(fc.nat(200), fc.oneof(fc.nat(255), fc.constantFrom(0, 1, 4, 255))), { maxLength: 4 });
    fc.assert(fc.property(fc.constantFrom(...good), changes, fc.constantFrom(0, Nlm.ACK, MAKE, Nlm.DUMP, Nlm.CREATE | Nlm.REPLACE), fc.nat(8), ([type, body], edits, flags, cut) => {
      const bytes = writeMessage(type, flags | Nlm.REQUEST, 7, 0, body).slice();
      for (const [at, value] of edits) bytes[at % bytes.length] = value;
      asker.socket.send(asker.machine.kernel, asker.thread, { bytes: bytes.subarray(0, bytes.length - cut), address: null, control: [], flags: 0, files: [] });
      for (const message of asker.heard()) expect(message.bytes.length).toBeGreaterThanOrEqual(16);
      for (const device of net?.interfaces ?? []) {
        expect(device.secondary.length).toBeLessThanOrEqual(64);
        expect(Number.isInteger(device.mtu) && device.mtu >= 0 && device.name.length <= 15).toBe(true);
      }
      expect(net?.routes.routes.length).toBeLessThanOrEqual(1024);
      expect(net?.arp.list().length).toBeLessThanOrEqual(512);
    }), { numRuns: 600 });
    asker.send(Rtm.GETLINK, Nlm.REQUEST | Nlm.DUMP, Uint8Array.of(0));
    expect(asker.heard().map(({ type }) => type)).toEqual([Rtm.NEWLINK, Rtm.NEWLINK, 3]);
  });
});
