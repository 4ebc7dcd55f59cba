import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { ETHERTYPE_IPV4, ip, ipv4, IP_TCP, mac, NO_TCP_OPTIONS, readEthernet, readIpv4, readTcp, TcpFlag, writeEthernet, writeIpv4, writeTcp, type NetInterface, type NetStack, type Port } from '../../emulator/net/index.js';
import { ROUTER } from '../topology.js';
import { Stand } from './stand.js';
import { nothing, spread, type Bench, type Figure, type Measurement } from './workload.js';

const PORT = 7;
const GATEWAY = { mac: '02:00:00:00:00:10', address: '192.168.1.10' };
const FIRST_CLIENT = ip('10.0.0.1');
const CLIENT_PORT = 1024;
const FRAME = 4096;
/** Connections before the first look: tables that double have begun, code is compiled. */
const WARM = 64;
/** Frames handed in at once; the receive ring holds 128. */
const BURST = 64;

let collect: (() => void) | null = null;

/** Bytes of the JavaScript heap and of buffers beside it, after garbage collection. */
function hostBytes(): number {
  if (!collect) {
    setFlagsFromString('--expose-gc');
    collect = runInNewContext('gc') as () => void;
  }
  collect();
  collect();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

/** All clients of the world behind one gateway. It remembers nothing, so that what grows is the router alone. */
class Crowd implements Port {
  private readonly stand: Stand;
  private readonly lan0: NetInterface;
  private readonly completes: boolean;
  opened = 0;
  answered = 0;

  constructor(stand: Stand, completes: boolean) {
    const net = stand.router.kernel.net as NetStack;
    this.stand = stand;
    this.completes = completes;
    this.lan0 = net.interface('lan0') as NetInterface;
    net.addRoute(0, 0, ip(GATEWAY.address));
    net.arp.set(this.lan0, ip(GATEWAY.address), mac(GATEWAY.mac));
    stand.cable.attach(1, this);
  }

  /** The third segment of the handshake follows from the second alone. */
  receive(frame: Uint8Array): void {
    const ethernet = readEthernet(frame);
    const packet = typeof ethernet === 'string' || ethernet.type !== ETHERTYPE_IPV4 ? null : readIpv4(ethernet.payload);
    if (!packet || typeof packet === 'string') return;
    const segment = readTcp(packet.payload, packet.source, packet.destination);
    if (typeof segment === 'string' || segment.flags !== (TcpFlag.SYN | TcpFlag.ACK)) return;
    this.answered++;
    if (this.completes) this.send(packet.destination, TcpFlag.ACK, segment.acknowledgment, segment.sequence + 1);
  }

  private send(client: number, flags: number, sequence: number, acknowledgment: number): void {
    const destination = ip(ROUTER.lan0);
    const segment = writeTcp({
      sourcePort: CLIENT_PORT, destinationPort: PORT, sequence, acknowledgment: acknowledgment >>> 0, flags, window: 65_535, urgent: 0, payload: new Uint8Array(0),
      options: flags & TcpFlag.SYN ? { ...NO_TCP_OPTIONS, mss: 1460, windowScale: 7, sackPermitted: true } : NO_TCP_OPTIONS,
    }, client, destination);
    const payload = writeIpv4(ipv4({ source: client, destination, protocol: IP_TCP, payload: segment }));
    this.stand.cable.send(1, writeEthernet({ destination: this.lan0.mac, source: mac(GATEWAY.mac), type: ETHERTYPE_IPV4, payload }));
  }

  /** Connect from so many more addresses, and wait until `reached` counts them all. */
  open(count: number, reached: () => number): void {
    const wanted = this.opened + count;
    while (this.opened < wanted) {
      const burst = Math.min(BURST, wanted - this.opened);
      for (let n = 0; n < burst; n++, this.opened++) this.send(FIRST_CLIENT + this.opened, TcpFlag.SYN, this.opened, 0);
      this.stand.until(() => reached() >= this.opened, `${this.opened} connections`);
    }
  }
}

/** Bytes each connection costs: of this computer, and of the router's RAM as it is charged. */
function perConnection(stand: Stand, crowd: Crowd, count: number, reached: () => number): Record<'host' | 'virtual', number> {
  const { ram } = stand.router.kernel;
  crowd.open(WARM, reached);
  const before = { host: hostBytes(), free: ram.free() };
  crowd.open(count, reached);
  return { host: (hostBytes() - before.host) / count, virtual: ((before.free - ram.free()) * FRAME) / count };
}

function halfOpen(binary: string, count: number): Record<'host' | 'virtual', number> {
  const stand = Stand.withNetbench(binary);
  const { tcp } = stand.router.kernel.net as NetStack;
  // As `sysctl net.ipv4.tcp_max_syn_backlog` sets it; 128 is the router's own.
  tcp.synBacklog = count + WARM;
  stand.netbench('hold', PORT, 0);
  return perConnection(stand, new Crowd(stand, false), count, () => tcp.halfOpen.count);
}

function established(binary: string, count: number): Record<'host' | 'virtual', number> {
  const stand = Stand.withNetbench(binary);
  const { tcp } = stand.router.kernel.net as NetStack;
  stand.netbench('hold', PORT, 4096);
  const accepted = (): number => tcp.established - [...tcp.listeners.values()].reduce((sum, { listener }) => sum + (listener?.queue.length ?? 0), 0);
  return perConnection(stand, new Crowd(stand, true), count, accepted);
}

function bench(name: string, about: string, output: string, measure: () => Record<'host' | 'virtual', number>): Bench {
  return {
    name, about,
    measure({ runs }): Promise<Measurement> {
      measure();
      const found = Array.from({ length: runs }, measure);
      const figure = (whose: 'host' | 'virtual'): Figure => ({ name: whose, unit: 'bytes each', ...spread(found.map((one) => one[whose])) });
      return Promise.resolve({ ...nothing({ name, about }, ''), skipped: null, output, figures: [figure('host'), figure('virtual')] });
    },
  };
}

/** What connections cost in memory: "host" is this computer's, "virtual" the router's RAM. */
export function memory(binary: string, half: number, whole: number): Bench[] {
  return [
    bench('memory-half-open', 'memory for a connection that was asked for and not confirmed', `${half} half-open connections`, () => halfOpen(binary, half)),
    bench('memory-established', 'memory for a connection that a process has accepted and keeps, with its descriptor', `${whole} connections`, () => established(binary, whole)),
  ];
}
