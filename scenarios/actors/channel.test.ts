import { Clock, EventQueue, Random } from '../../emulator/base/index.js';
import { Cable, Host, ip, Ipv4View, mac, readEthernet, runEvents, type FrameHandler } from '../../emulator/net/index.js';
import { echoFlood, fragmentFlood } from '../attacks/flood.js';
import { IpChannel } from './channel.js';

/** Packets that reach the other end of a cable, sent by an IpChannel. */
function delivered(message: Uint8Array): Ipv4View[] {
  const clock = new Clock(1e6);
  const events = new EventQueue();
  const cable = new Cable(clock, events);
  const host = (side: 0 | 1, last: number): Host =>
    new Host(clock, events, new Random(side), cable, side, { name: `h${last}`, mac: mac(`02:00:00:00:00:0${last}`), address: ip(`10.0.0.${last}`), prefix: 24 });
  const [from, to] = [host(0, 1), host(1, 2)];
  const packets: Ipv4View[] = [];
  const tap: FrameHandler = {
    onFrame(_host, bytes) {
      const frame = readEthernet(bytes);
      if (typeof frame !== 'string' && frame.type === 0x0800) packets.push(new Ipv4View(frame.payload.slice()));
    },
  };
  // The first packet finds the address; ARP queues hold few more.
  from.send(9, to.address, 9, new Uint8Array(1));
  runEvents(clock, events, 1e6);
  to.tap = tap;
  new IpChannel(from, to.address).send(message);
  runEvents(clock, events, 2e6);
  return packets;
}

describe('packets end to end in one message', () => {
  test('arrive one by one, from the host to the router, whole in their headers', () => {
    const packets = delivered(echoFlood(new Random(1)));
    expect(packets).toHaveLength(160);
    expect(packets.every((packet) => packet.source === ip('10.0.0.1') && packet.destination === ip('10.0.0.2') && packet.checksumHolds && packet.protocol === 1)).toBe(true);
  });

  test('first fragments stay first fragments, of different datagrams', () => {
    const packets = delivered(fragmentFlood(new Random(1)));
    expect(packets.every((packet) => packet.moreFragments && packet.fragmentOffset === 0)).toBe(true);
    expect(new Set(packets.map((packet) => packet.identification)).size).toBe(80);
  });

  test('what is no packet is not sent, and ends the message', () => {
    expect(delivered(new Uint8Array(50))).toEqual([]);
    expect(delivered(Uint8Array.of(0x45))).toEqual([]);
  });
});
