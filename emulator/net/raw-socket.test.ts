import fc from 'fast-check';
import { Clock, Errno, EventLog, EventQueue, Ledger, Meter, Random } from '../base/index.js';
import { Cable, ip, ipv4, mac, NetStack, readEthernet, readIpv4, runEvents, writeIpv4, type Ipv4Packet } from './index.js';

function bench(): { stack: NetStack; sent(): (Ipv4Packet | string)[] } {
  const clock = new Clock(1e6);
  const events = new EventQueue();
  const stack = new NetStack(clock, events, new Meter(clock, new Ledger(), {}), new Random(1), new EventLog(clock));
  const cable = new Cable(clock, events);
  const heard: (Ipv4Packet | string)[] = [];
  const device = stack.addInterface('lan0', mac('02:00:00:00:00:01'), cable, 0);
  stack.configure('lan0', ip('192.168.1.1'), 24);
  stack.arp.set(device, ip('192.168.1.9'), mac('02:00:00:00:00:09'));
  cable.attach(1, { receive: (frame) => void heard.push(readIpv4((readEthernet(frame) as { payload: Uint8Array }).payload)) });
  return { stack, sent: () => { runEvents(clock, events, clock.cycles + 1000); return heard; } };
}

describe('a raw socket with IP_HDRINCL', () => {
  test('the header goes out as it was written; length, checksum and what was left out are filled in', () => {
    const { stack, sent } = bench();
    const socket = stack.rawSocket(89);
    socket.headerIncluded = true;
    const packet = writeIpv4(ipv4({ source: ip('10.9.9.9'), destination: ip('192.168.1.9'), protocol: 89, payload: Buffer.from('hello'), ttl: 7, tos: 0xc0, identification: 77 }));
    packet.fill(0, 10, 12);
    packet.fill(0xff, 2, 4);
    expect(socket.sendto(packet, ip('192.168.1.9'))).toBe(packet.length);
    packet.fill(0, 12, 16);
    packet.fill(0, 4, 6);
    expect(socket.sendto(packet, ip('192.168.1.9'))).toBe(packet.length);
    const [first, second] = sent() as Ipv4Packet[];
    expect(first).toMatchObject({ source: ip('10.9.9.9'), ttl: 7, tos: 0xc0, identification: 77, protocol: 89 });
    expect(Buffer.from(first.payload).toString()).toBe('hello');
    expect(second.source).toBe(ip('192.168.1.1'));
    expect(second.identification).not.toBe(0);
  });

  test('too long is EMSGSIZE, no header EINVAL; IPPROTO_RAW always has its header included', () => {
    const { stack } = bench();
    const socket = stack.rawSocket(255);
    expect(socket.sendto(new Uint8Array(1501).fill(0x45), ip('192.168.1.9'))).toBe(-Errno.EMSGSIZE);
    for (const bad of [new Uint8Array(19).fill(0x45), new Uint8Array(20), new Uint8Array(30).fill(0x4f)]) expect(socket.sendto(bad, ip('192.168.1.9'))).toBe(-Errno.EINVAL);
  });

  test('whatever is given as a header, nothing throws and what goes out has a checksum that holds', () => {
    const { stack, sent } = bench();
    const socket = stack.rawSocket(255);
    fc.assert(fc.property(fc.uint8Array({ maxLength: 80 }), (bytes) => {
      const result = socket.sendto(bytes, ip('192.168.1.9'));
      expect(result === bytes.length || result === -Errno.EINVAL).toBe(true);
    }), { numRuns: 500 });
    expect(sent().filter((packet) => packet === 'ip.checksum' || packet === 'ip.total-length')).toEqual([]);
  });
});
