import { failed, snapshotClass, type EventTarget, type Result, type TimedEvent } from '../../base/index.js';
import { PmtuDiscovery } from '../datagram-socket.js';
import type { SixOptions } from '../family.js';
import type { Arrival, NetStack, Path } from '../stack.js';
import * as wire from '../wire/index.js';
import { NO_TCP_OPTIONS, TcpFlag, TcpView, hashAddress, isIp6, type Address, type Ip, type Ip6, type Packet, type TcpOptions, type TcpSegment } from '../wire/index.js';
import { TcpConnection } from './connection.js';
import type { TcpState } from './control-block.js';
import * as half from './half-open.js';
import { CHALLENGE_ACKS_A_SECOND, FIN_WAIT_2, MAX_TIME_WAITS, SOMAXCONN, SYN_BACKLOG, TIME_WAIT } from './parameters.js';
import { PortTable, type Flow } from './port-table.js';
import { resendAll } from './recovery.js';
import { segmentIn } from './segment-in.js';
import { output } from './segment-out.js';
import { after, before, plus } from './sequence.js';
import { DEFAULT_SETTINGS, type TcpSettings } from './settings.js';
import { SynQueue } from './syn-queue.js';
import { TimeWait } from './time-wait.js';

/** What connections are charged to: the device's kernel memory; see kernel/kernel-memory.ts. */
export interface TcpMemory {
  /** Negative when there is none left. */
  take(bytes: number): Result;
  give(bytes: number): void;
}

/** Sees every change of state; for tests. A plain-data object known to the snapshot registry. */
export interface TcpObserver {
  onTransition(from: TcpState, to: TcpState): void;
}

/** Both ends of a connection. */
export interface Names {
  readonly localAddress: Address;
  readonly localPort: number;
  readonly remoteAddress: Address;
  readonly remotePort: number;
}

export interface Emission {
  sequence: number;
  acknowledgment: number;
  flags: number;
  window: number;
  urgent?: number;
  options?: TcpOptions;
  payload?: Uint8Array;
}

const NO_BYTES = new Uint8Array(0);

/** TCP of one stack, over IPv4 and IPv6: its connections, half-open and waiting ones, and what goes in and out. */
export class TcpStack implements EventTarget {
  readonly net: NetStack;
  readonly ports: PortTable;
  readonly halfOpen = new SynQueue();
  readonly listeners = new Map<number, TcpConnection>();
  /** In the order of their deadlines. */
  readonly timeWaits = new Set<TimeWait>();
  memory: TcpMemory | null = null;
  observer: TcpObserver | null = null;
  /** net.ipv4.tcp_max_syn_backlog, net.core.somaxconn */
  synBacklog = SYN_BACKLOG;
  somaxconn = SOMAXCONN;
  established = 0;
  private nextListener = 1;
  private readonly secret: number;
  private synTimer: TimedEvent | null = null;
  private timeWaitTimer: TimedEvent | null = null;
  private challengeSecond = -1;
  private challenges = 0;

  constructor(net: NetStack) {
    this.net = net;
    // A stream of its own: what TCP draws disturbs nobody else's numbers.
    const random = net.random.fork(6);
    this.secret = random.next();
    this.ports = new PortTable(random);
  }

  socket(six: SixOptions | null = null): TcpConnection {
    const made = new TcpConnection(this);
    if (six) made.configure({ six });
    return made;
  }

  count(name: string, amount = 1): void {
    this.net.snmp.count(name, amount);
  }

  /** A segment that goes nowhere. */
  drop(why: string): void {
    this.net.count(why);
  }

  transition(from: TcpState, to: TcpState): void {
    this.observer?.onTransition(from, to);
  }

  /** Tcp.CurrEstab counts ESTABLISHED and CLOSE-WAIT (RFC 4022). */
  countEstablished(from: TcpState, to: TcpState): void {
    const counts = (state: TcpState): number => (state === 'ESTABLISHED' || state === 'CLOSE_WAIT' ? 1 : 0);
    this.established += counts(to) - counts(from);
  }

  // ---- time and numbers

  /** Milliseconds since power-on, shifted for each pair of hosts (RFC 7323 section 5.4). */
  timestamp(local: Address, remote: Address): number {
    return (Math.floor(this.net.clock.nanoseconds() / 1e6) + mix(hashAddress(local), hashAddress(remote), this.secret)) >>> 0;
  }

  /** RFC 6528: a clock of 4 microseconds plus a hash of the names. The hash is quick, not cryptographic. */
  initialSequence(names: Names): number {
    const ports = ((names.localPort << 16) | names.remotePort) >>> 0;
    const hash = mix(mix(hashAddress(names.localAddress), hashAddress(names.remoteAddress), this.secret), ports, this.secret);
    return (Math.floor(this.net.clock.nanoseconds() / 4000) + hash) >>> 0;
  }

  /** RFC 5961 section 7. */
  mayChallenge(): boolean {
    const second = Math.floor(this.net.clock.nanoseconds() / 1e9);
    if (second !== this.challengeSecond) {
      this.challengeSecond = second;
      this.challenges = 0;
    }
    if (++this.challenges > CHALLENGE_ACKS_A_SECOND) return false;
    this.count('TcpExt.TCPChallengeACK');
    return true;
  }

  /** Payload and options a segment to `remote` may have: the path's MTU less both headers. */
  pathMss(remote: Address, device: number): number {
    const path = this.net.path(remote, device);
    const mtu = failed(path) ? 1500 : Math.min(path.device.mtu, wire.IPV4_MAX);
    return Math.min(mtu, this.net.pathMtu.get(remote)) - (isIp6(remote) ? wire.IPV6_HEADER : wire.IPV4_HEADER) - wire.TCP_HEADER;
  }

  // ---- out

  emit(names: Names, settings: TcpSettings, emission: Emission): Result {
    const { sequence, acknowledgment, flags, window, urgent = 0, options = NO_TCP_OPTIONS, payload = NO_BYTES } = emission;
    const path = this.net.path(names.remoteAddress, settings.device, names.localAddress);
    if (failed(path)) {
      this.net.lose('tcp.no-route');
      return path;
    }
    const segment: TcpSegment = { sourcePort: names.localPort, destinationPort: names.remotePort, sequence, acknowledgment, flags, window, urgent, options, payload };
    const bytes = wire.writeTcp(segment, names.localAddress, names.remoteAddress);
    this.count(flags & TcpFlag.RST ? 'Tcp.OutRsts' : 'Tcp.OutSegs');
    const { localAddress: source, remoteAddress: destination } = names;
    if (!isIp6(destination)) {
      const packet = wire.ipv4({ source: source as Ip, destination, protocol: wire.IP_TCP, payload: bytes, ttl: settings.ttl, tos: settings.tos });
      return this.net.output(path as Path<Ip>, packet, PmtuDiscovery.do);
    }
    const { hops: ttl = -1, trafficClass: tos = 0 } = settings.six ?? {};
    return this.net.v6.output(path as Path<Ip6>, wire.ipv6({ source: source as Ip6, destination, protocol: wire.IP_TCP, payload: bytes, ttl, tos }), PmtuDiscovery.do);
  }

  /** The answer to a segment nobody knows (RFC 9293 section 3.10.7.1). */
  refuse(packet: Packet, segment: TcpSegment): void {
    if (segment.flags & TcpFlag.RST) return;
    const names = namesOf(packet, segment);
    if (segment.flags & TcpFlag.ACK) {
      this.emit(names, DEFAULT_SETTINGS, { sequence: segment.acknowledgment, acknowledgment: 0, flags: TcpFlag.RST, window: 0 });
      return;
    }
    const length = segment.payload.length + (segment.flags & TcpFlag.SYN ? 1 : 0) + (segment.flags & TcpFlag.FIN ? 1 : 0);
    this.emit(names, DEFAULT_SETTINGS, { sequence: 0, acknowledgment: plus(segment.sequence, length), flags: TcpFlag.RST | TcpFlag.ACK, window: 0 });
  }

  // ---- in

  packetIn(arrival: Arrival, packet: Packet): void {
    this.count('Tcp.InSegs');
    const { source, destination } = packet;
    if (arrival.toGroup || !this.net.isLocal(destination) || wire.isMulticast(source) || this.net.isBroadcast(source)) return this.drop('tcp.to-group');
    const segment = wire.readTcp(packet.payload, source, destination);
    if (typeof segment === 'string') {
      this.count('Tcp.InErrs');
      if (segment === 'tcp.checksum') this.count('Tcp.InCsumErrors');
      return this.drop(segment);
    }
    this.dispatch(arrival, packet, segment);
    this.net.take('tcp.segment');
  }

  private dispatch(arrival: Arrival, packet: Packet, segment: TcpSegment): void {
    const { source, destination } = packet;
    const flow = this.ports.find(destination, segment.destinationPort, source, segment.sourcePort);
    if (flow instanceof TcpConnection) return segmentIn(flow, segment);
    if (flow) {
      const fresh = this.timeWaitIn(flow, segment);
      if (fresh < 0) return;
      return this.listenIn(arrival, packet, segment, fresh);
    }
    const at = this.halfOpen.find(destination, segment.destinationPort, source, segment.sourcePort);
    if (at >= 0) half.halfOpenIn(this, at, packet, segment);
    else this.listenIn(arrival, packet, segment, -1);
  }

  private listenIn(arrival: Arrival, packet: Packet, segment: TcpSegment, iss: number): void {
    const listener = this.ports.listener(packet.destination, segment.destinationPort, packet.source, segment.sourcePort, arrival.device.index);
    if (!listener) {
      this.drop('tcp.no-socket');
      return this.refuse(packet, segment);
    }
    half.listenIn(this, listener, packet, segment, iss);
  }

  /** "Fragmentation needed" and other ICMP errors about a segment of ours, quoted with at least eight bytes. */
  icmpError(local: Address, remote: Address, quoted: Uint8Array, errno: number, tooBig: boolean): boolean {
    const view = new TcpView(quoted);
    const flow = this.ports.find(local, view.sourcePort, remote, view.destinationPort);
    if (!(flow instanceof TcpConnection)) {
      const at = this.halfOpen.find(local, view.sourcePort, remote, view.destinationPort);
      if (at >= 0 && !tooBig && view.sequence === this.halfOpen.get(at).iss) half.removeHalfOpen(this, at);
      return at >= 0 || flow !== undefined;
    }
    // RFC 5927 section 4: only errors about what is under way count.
    if (before(view.sequence, flow.sndUna) || after(view.sequence, flow.sndNxt)) {
      this.count('TcpExt.OutOfWindowIcmps');
      return true;
    }
    if (tooBig) return true;
    if (flow.state === 'SYN_SENT' || flow.state === 'SYN_RECEIVED') {
      this.count('Tcp.AttemptFails');
      flow.die(errno);
    } else {
      flow.softError = errno;
    }
    return true;
  }

  /** The way to `remote` takes less than was thought: send again what was too long. */
  pathShrunk(local: Address, remote: Address, quoted: Uint8Array): void {
    const view = new TcpView(quoted);
    const flow = this.ports.find(local, view.sourcePort, remote, view.destinationPort);
    if (!(flow instanceof TcpConnection) || !flow.connected) return;
    resendAll(flow);
    output(flow);
  }

  // ---- half-open connections and listeners

  newListener(listener: TcpConnection): number {
    const id = this.nextListener++;
    this.listeners.set(id, listener);
    return id;
  }

  dropHalfOpen(listener: number): void {
    for (const at of this.halfOpen.of(listener)) half.removeHalfOpen(this, at);
    this.listeners.delete(listener);
  }

  armSynTimer(): void {
    const first = this.halfOpen.first();
    const { events } = this.net;
    if (first < 0) return;
    const due = this.halfOpen.deadlineOf(first);
    if (this.synTimer && this.synTimer.time <= due) return;
    events.cancel(this.synTimer);
    this.synTimer = events.at(due, this, 'syn-queue');
  }

  onEvent(kind: string): void {
    if (kind === 'syn-queue') {
      this.synTimer = null;
      half.repeatSynAcks(this);
      this.armSynTimer();
    } else {
      this.timeWaitTimer = null;
      this.expireTimeWaits();
    }
  }

  // ---- FIN-WAIT-2 and TIME-WAIT

  startFinWait2(connection: TcpConnection): void {
    const { clock } = this.net;
    connection.lifeAt = clock.cycles + clock.toCycles(FIN_WAIT_2);
    connection.arm();
  }

  enterTimeWait(connection: TcpConnection): void {
    const { clock } = this.net;
    connection.setState('TIME_WAIT');
    this.ports.removeFlow(connection);
    const waiting = new TimeWait(connection, clock.cycles, clock.cycles + clock.toCycles(TIME_WAIT));
    // Its user is done with the state machine; what stays is the entry of the table.
    connection.state = 'CLOSED';
    connection.finish(0);
    if (this.timeWaits.size >= MAX_TIME_WAITS) {
      this.count('TcpExt.TCPTimeWaitOverflow');
      return this.transition('TIME_WAIT', 'CLOSED');
    }
    this.ports.addFlow(waiting);
    this.timeWaits.add(waiting);
    this.count('TcpExt.TW');
    this.armTimeWaits();
  }

  private armTimeWaits(): void {
    if (this.timeWaitTimer) return;
    for (const { deadline } of this.timeWaits) {
      this.timeWaitTimer = this.net.events.at(deadline, this, 'time-wait');
      return;
    }
  }

  private expireTimeWaits(): void {
    const now = this.net.clock.cycles;
    for (const waiting of this.timeWaits) {
      if (waiting.deadline > now) break;
      this.removeTimeWait(waiting);
    }
    this.armTimeWaits();
  }

  removeTimeWait(waiting: TimeWait): void {
    this.ports.removeFlow(waiting);
    if (this.timeWaits.delete(waiting)) this.transition('TIME_WAIT', 'CLOSED');
  }

  /** A segment for a connection in TIME-WAIT: -1 when it is dealt with, else the initial sequence number of the new one it opens. */
  private timeWaitIn(waiting: TimeWait, segment: TcpSegment): number {
    const { flags, sequence, options } = segment;
    const stale = waiting.timestamps && options.timestamp !== null && before(options.timestamp.value, waiting.tsRecent);
    if (flags & TcpFlag.RST) {
      if (sequence === waiting.rcvNxt && !stale) this.removeTimeWait(waiting);
      else this.drop('tcp.reset-sequence');
      return -1;
    }
    const newer = after(sequence, waiting.rcvNxt) || (waiting.timestamps && options.timestamp !== null && after(options.timestamp.value, waiting.tsRecent));
    if ((flags & (TcpFlag.SYN | TcpFlag.ACK)) === TcpFlag.SYN && !stale && newer) {
      this.removeTimeWait(waiting);
      return plus(waiting.sndNxt, 65_537);
    }
    // A bare ACK is never answered: two ends that both wait would talk for ever.
    this.drop('tcp.time-wait');
    if (segment.payload.length === 0 && !(flags & (TcpFlag.FIN | TcpFlag.SYN))) return -1;
    this.waitAnew(waiting, flags);
    const timestamp = waiting.timestamps ? { value: this.timestamp(waiting.localAddress, waiting.remoteAddress), echo: waiting.tsRecent } : null;
    this.emit(waiting, waiting.settings, {
      sequence: waiting.sndNxt, acknowledgment: waiting.rcvNxt, flags: TcpFlag.ACK, window: waiting.window, options: { ...NO_TCP_OPTIONS, timestamp },
    });
    return -1;
  }

  /** The peer's FIN came again: our last ACK was lost, and the time starts over. */
  private waitAnew(waiting: TimeWait, flags: number): void {
    if (!(flags & TcpFlag.FIN)) return;
    const { clock } = this.net;
    this.timeWaits.delete(waiting);
    waiting.deadline = clock.cycles + clock.toCycles(TIME_WAIT);
    this.timeWaits.add(waiting);
  }

  /** May connect() take these names? Yes if they are free, or wait on the loopback since a second (Linux: tcp_tw_reuse 2). */
  mayReplace(flow: Flow | undefined): boolean {
    if (!flow) return true;
    const { clock, net } = { clock: this.net.clock, net: this.net };
    return flow instanceof TimeWait && flow.timestamps && net.isLocal(flow.remoteAddress) && clock.cycles - flow.since >= clock.hz;
  }
}
snapshotClass('TcpStack', TcpStack);

function namesOf(packet: Packet, segment: TcpSegment): Names {
  return { localAddress: packet.destination, localPort: segment.destinationPort, remoteAddress: packet.source, remotePort: segment.sourcePort };
}

function mix(a: number, b: number, key: number): number {
  let hash = Math.imul(a ^ key, 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13) ^ b, 0xc2b2ae35);
  hash = Math.imul(hash ^ (hash >>> 16) ^ key, 0x27d4eb2f);
  return (hash ^ (hash >>> 15)) >>> 0;
}

