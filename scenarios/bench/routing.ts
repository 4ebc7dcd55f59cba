import { Cable, ip, ipv4, IP_UDP, ETHERNET_HEADER, ETHERTYPE_IPV4, IPV4_HEADER, mac, UDP_HEADER, writeEthernet, writeIpv4, writeUdp, type NetInterface, type NetStack, type Port } from '../../emulator/net/index.js';
import { ROUTER } from '../topology.js';
import { Stand } from './stand.js';
import type { Run, Workload } from './workload.js';

const SENDER = { mac: '02:00:00:00:00:10', address: '192.168.1.10' };
const RECEIVER = { mac: '02:00:00:00:00:20', address: '203.0.113.20' };
/** Frames on their way at any time: what the receive ring holds, so that it is never empty and none is lost. */
const WINDOW = 128;
/** Links carry no frame check sequence. */
const CHECK_SEQUENCE = 4;

/** Sends the next frame into one port of the router for each that comes out of the other. */
class Generator implements Port {
  passed = 0;
  private sent = 0;
  private readonly lan: Cable;
  private readonly frame: Uint8Array;
  private readonly wanted: number;

  constructor(lan: Cable, frame: Uint8Array, wanted: number) {
    this.lan = lan;
    this.frame = frame;
    this.wanted = wanted;
  }

  begin(): void {
    for (let n = 0; n < WINDOW; n++) this.send();
  }

  receive(): void {
    this.passed++;
    this.send();
  }

  private send(): void {
    if (this.sent++ < this.wanted) this.lan.send(1, this.frame);
  }
}

/** A UDP datagram that makes a frame of so many bytes, check sequence included. */
function frameOf(length: number, to: NetInterface): Uint8Array {
  const [source, destination] = [ip(SENDER.address), ip(RECEIVER.address)];
  const payload = new Uint8Array(length - CHECK_SEQUENCE - ETHERNET_HEADER - IPV4_HEADER - UDP_HEADER).fill(0x5a);
  const packet = ipv4({ source, destination, protocol: IP_UDP, payload: writeUdp({ sourcePort: 4000, destinationPort: 9, payload }, source, destination) });
  return writeEthernet({ destination: to.mac, source: mac(SENDER.mac), type: ETHERTYPE_IPV4, payload: writeIpv4(packet) });
}

function prepare(length: number, frames: number): Run {
  const stand = new Stand();
  const { router, cable } = stand;
  const { clock, events, net } = router.kernel;
  const wan = new Cable(clock, events);
  router.attach('wan0', wan);
  stand.powerOn();
  const generator = new Generator(cable, frameOf(length, route(net as NetStack)), frames);
  wan.attach(1, generator);
  return () => stand.work(() => generator.begin(), () => generator.passed >= frames, frames, `${frames} frames of ${length} bytes forwarded`);
}

/** Both neighbours are known, so no ARP is measured; answers where the frames go in. */
function route(net: NetStack): NetInterface {
  net.configure('wan0', ip(ROUTER.wan0), 24);
  net.forwarding = true;
  const [lan0, wan0] = ['lan0', 'wan0'].map((name) => net.interface(name) as NetInterface);
  net.arp.set(wan0, ip(RECEIVER.address), mac(RECEIVER.mac));
  return lan0;
}

/** Packets through the router, from one port to the other, always one waiting; its kernel alone works. */
export function routing(frames: number): Workload[] {
  return [64, 1500].map((length) => ({
    name: `routing-${length}`, about: `${frames} UDP packets in frames of ${length} bytes from lan0 to wan0`, unit: 'frames', prepare: () => prepare(length, frames),
  }));
}
