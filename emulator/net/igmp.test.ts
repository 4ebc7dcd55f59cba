import { Clock, EventLog, EventQueue, Ledger, Meter, Random } from '../base/index.js';
import { Cable, checksum, ip, ipv4, mac, NetStack, readEthernet, readIpv4, runEvents, writeEthernet, writeIpv4, type Ipv4Packet } from './index.js';
import { joinGroup, leaveGroup, leaveGroups } from './memberships.js';

const GROUP = ip('224.0.0.9');

/** A stack on one end of a cable; what it sends is kept. */
class Bench {
  readonly clock = new Clock(1e6);
  readonly events = new EventQueue();
  readonly stack: NetStack;
  readonly sent: Ipv4Packet[] = [];
  private readonly cable = new Cable(this.clock, this.events);

  constructor() {
    this.stack = new NetStack(this.clock, this.events, new Meter(this.clock, new Ledger(), {}), new Random(1), new EventLog(this.clock));
    this.stack.addInterface('lan0', mac('02:00:00:00:00:01'), this.cable, 0);
    this.stack.configure('lan0', ip('192.168.1.1'), 24);
    this.cable.attach(1, {
      receive: (frame) => {
        const packet = readIpv4((readEthernet(frame) as { payload: Uint8Array }).payload);
        if (typeof packet !== 'string') this.sent.push(packet);
      },
    });
  }

  run(seconds: number): Ipv4Packet[] {
    runEvents(this.clock, this.events, this.clock.cycles + seconds * 1e6);
    return this.sent.splice(0);
  }

  query(payload: Uint8Array): void {
    payload[2] = checksum(payload) >> 8;
    payload[3] = checksum(Uint8Array.from(payload, (byte, i) => (i === 2 || i === 3 ? 0 : byte))) & 0xff;
    const packet = ipv4({ source: ip('192.168.1.254'), destination: ip('224.0.0.1'), protocol: 2, payload, ttl: 1 });
    this.cable.send(1, writeEthernet({ destination: mac('01:00:5e:00:00:01'), source: mac('02:00:00:00:00:99'), type: 0x800, payload: writeIpv4(packet) }));
  }
}

const shown = ({ destination, ttl, protocol, options, payload }: Ipv4Packet): string =>
  `${destination === ip('224.0.0.22') ? 'routers' : 'group'} ttl ${ttl} protocol ${protocol} alert ${options[0] === 0x94} type ${payload[0].toString(16)} record ${payload[8] ?? '-'} sum ${checksum(payload)}`;

describe('IGMP, the host\'s side', () => {
  test('the first member of a group is reported twice, the second not at all, the end of the last one twice', () => {
    const bench = new Bench();
    const [a, b] = [bench.stack.udpSocket(), bench.stack.udpSocket()];
    joinGroup(bench.stack, a, GROUP, 2);
    expect(bench.run(2).map(shown)).toEqual(new Array(2).fill('routers ttl 1 protocol 2 alert true type 22 record 4 sum 0'));
    joinGroup(bench.stack, b, GROUP, 2);
    leaveGroup(bench.stack, a, GROUP, 2);
    expect(bench.run(2)).toEqual([]);
    leaveGroups(bench.stack, b);
    expect(bench.run(2).map(shown)).toEqual(new Array(2).fill('routers ttl 1 protocol 2 alert true type 22 record 3 sum 0'));
  });

  test('a group left again within the second is not reported as joined any more', () => {
    const bench = new Bench();
    const socket = bench.stack.udpSocket();
    joinGroup(bench.stack, socket, GROUP, 2);
    leaveGroup(bench.stack, socket, GROUP, 2);
    expect(bench.run(2).map(({ payload }) => payload[8])).toEqual([4, 3, 3]);
  });

  test('a query is answered within its time, one of version 2 in its form, one for another group not', () => {
    const bench = new Bench();
    joinGroup(bench.stack, bench.stack.udpSocket(), GROUP, 2);
    bench.run(2);
    bench.query(Uint8Array.of(0x11, 20, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0));
    expect(bench.run(2.1).map(shown)).toEqual(['routers ttl 1 protocol 2 alert true type 22 record 2 sum 0']);
    bench.query(Uint8Array.of(0x11, 20, 0, 0, 0, 0, 0, 0));
    expect(bench.run(2.1).map(shown)).toEqual(['group ttl 1 protocol 2 alert true type 16 record - sum 0']);
    bench.query(Uint8Array.of(0x11, 20, 0, 0, 224, 0, 0, 8));
    expect(bench.run(2.1)).toEqual([]);
  });
});
