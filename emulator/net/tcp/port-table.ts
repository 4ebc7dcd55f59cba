import { Errno, snapshotClass, type Random, type Result } from '../../base/index.js';
import { covers, overlap } from '../family.js';
import { hashAddress, isIp6, type Address } from '../wire/index.js';
import type { TcpConnection } from './connection.js';
import { EPHEMERAL_FIRST, EPHEMERAL_LAST } from './parameters.js';
import type { TimeWait } from './time-wait.js';

export type Flow = TcpConnection | TimeWait;

/** Who uses one local port. */
interface PortUse {
  /** Sockets that hold the port by bind, listen or connect, newest first. */
  holders: TcpConnection[];
  listening: TcpConnection[];
  /** Local address -> remote address and port in one -> connection. */
  flows: Map<Address, Map<number | string, Flow>>;
}

function remoteKey(remote: Address, port: number): number | string {
  return isIp6(remote) ? `${remote} ${port}` : remote * 0x10000 + port;
}

/** Finds the connection or listener a segment is for, and keeps local ports apart. */
export class PortTable {
  private readonly random: Random;
  private readonly ports = new Map<number, PortUse>();

  constructor(random: Random) {
    this.random = random;
  }

  private use(port: number): PortUse {
    let use = this.ports.get(port);
    if (!use) this.ports.set(port, use = { holders: [], listening: [], flows: new Map() });
    return use;
  }

  private tidy(port: number, use: PortUse): void {
    if (use.holders.length === 0 && use.listening.length === 0 && use.flows.size === 0) this.ports.delete(port);
  }

  // ---- flows

  find(local: Address, localPort: number, remote: Address, remotePort: number): Flow | undefined {
    return this.ports.get(localPort)?.flows.get(local)?.get(remoteKey(remote, remotePort));
  }

  addFlow(flow: Flow): void {
    const { flows } = this.use(flow.localPort);
    let own = flows.get(flow.localAddress);
    if (!own) flows.set(flow.localAddress, own = new Map());
    own.set(remoteKey(flow.remoteAddress, flow.remotePort), flow);
  }

  removeFlow(flow: Flow): void {
    const use = this.ports.get(flow.localPort);
    const own = use?.flows.get(flow.localAddress);
    const key = remoteKey(flow.remoteAddress, flow.remotePort);
    if (!use || own?.get(key) !== flow) return;
    own.delete(key);
    if (own.size === 0) use.flows.delete(flow.localAddress);
    this.tidy(flow.localPort, use);
  }

  /** Listeners first, then connections, by local port. */
  *all(): Generator<Flow> {
    const ports = [...this.ports].sort(([a], [b]) => a - b);
    for (const [, { listening }] of ports) yield* listening;
    for (const [, { flows }] of ports) for (const own of flows.values()) yield* own.values();
  }

  // ---- listeners

  addListener(listener: TcpConnection): void {
    this.use(listener.localPort).listening.unshift(listener);
  }

  removeListener(listener: TcpConnection): void {
    const use = this.ports.get(listener.localPort);
    const at = use?.listening.indexOf(listener) ?? -1;
    if (!use || at < 0) return;
    use.listening.splice(at, 1);
    this.tidy(listener.localPort, use);
  }

  /** The most precise listener; equals that share the port by SO_REUSEPORT divide by a hash of the flow. */
  listener(local: Address, port: number, remote: Address, remotePort: number, device: number): TcpConnection | null {
    let best: TcpConnection[] = [];
    let bestScore = -1;
    for (const one of this.ports.get(port)?.listening ?? []) {
      if (!covers(one, local)) continue;
      if (one.settings.device !== 0 && one.settings.device !== device) continue;
      const own = one.six === null || isIp6(local);
      const score = (one.localAddress !== 0 ? 4 : 0) + (one.settings.device !== 0 ? 2 : 0) + (own ? 1 : 0);
      if (score < bestScore) continue;
      if (score > bestScore) best = [];
      bestScore = score;
      best.push(one);
    }
    if (best.length < 2) return best[0] ?? null;
    const hash = Math.imul(hashAddress(remote) ^ Math.imul(remotePort, 0x85ebca6b), 0xc2b2ae35) >>> 0;
    return best[(hash >>> 7) % best.length];
  }

  // ---- local ports

  /** Port 0 picks a free one. EADDRINUSE by Linux's rules of SO_REUSEADDR and SO_REUSEPORT (inet_csk_bind_conflict). */
  bind(socket: TcpConnection, address: Address, port: number): Result {
    const chosen = port === 0 ? this.freePort() : port;
    if (chosen === 0 || this.conflicts(socket, address, chosen)) return -Errno.EADDRINUSE;
    socket.localAddress = address;
    this.hold(socket, chosen);
    return 0;
  }

  hold(socket: TcpConnection, port: number): void {
    socket.localPort = port;
    socket.holdsPort = true;
    this.use(port).holders.unshift(socket);
  }

  release(socket: TcpConnection): void {
    const use = this.ports.get(socket.localPort);
    if (!use || !socket.holdsPort) return;
    socket.holdsPort = false;
    use.holders.splice(use.holders.indexOf(socket), 1);
    this.tidy(socket.localPort, use);
  }

  conflicts(socket: TcpConnection, address: Address, port: number): boolean {
    const use = this.ports.get(port);
    if (!use) return false;
    for (const other of use.holders) if (other !== socket && clash(socket, address, other)) return true;
    for (const own of use.flows.values()) {
      for (const flow of own.values()) if (flow !== socket && clash(socket, address, flow)) return true;
    }
    return false;
  }

  private freePort(): number {
    const span = EPHEMERAL_LAST - EPHEMERAL_FIRST + 1;
    const start = this.random.below(span);
    for (let i = 0; i < span; i++) {
      const port = EPHEMERAL_FIRST + ((start + i) % span);
      if (!this.ports.has(port)) return port;
    }
    return 0;
  }

  /** A local port for a connection to `remote`: a free one, else one that no bound socket holds and this peer does not see yet. */
  connectPort(local: Address, remote: Address, remotePort: number): number {
    const free = this.freePort();
    if (free !== 0) return free;
    for (let port = EPHEMERAL_FIRST; port <= EPHEMERAL_LAST; port++) {
      const use = this.ports.get(port);
      if (use && use.listening.length === 0 && use.holders.every((one) => one.portChosen) && !this.find(local, port, remote, remotePort)) return port;
    }
    return 0;
  }
}
snapshotClass('TcpPortTable', PortTable);

function clash(socket: TcpConnection, address: Address, other: Flow): boolean {
  const [mine, theirs] = [socket.settings, other.settings];
  if (mine.device !== 0 && theirs.device !== 0 && mine.device !== theirs.device) return false;
  if (!overlap(socket, address, other)) return false;
  if (mine.reusePort && theirs.reusePort) return false;
  return !(mine.reuseAddress && theirs.reuseAddress && other.state !== 'LISTEN');
}
