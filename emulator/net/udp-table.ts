import { Errno, snapshotClass, type Random, type Result } from '../base/index.js';
import type { UdpSocket } from './udp-socket.js';
import { covers, overlap } from './family.js';
import { hashAddress, isIp6, type Address } from './wire/index.js';

/** Linux: net.ipv4.ip_local_port_range. */
const EPHEMERAL_FIRST = 32768;
const EPHEMERAL_LAST = 60999;

/** Which socket gets a datagram. Newer sockets stand first, as in Linux's hash chains. */
export class UdpTable {
  private readonly random: Random;
  private readonly ports = new Map<number, UdpSocket[]>();

  constructor(random: Random) {
    this.random = random;
  }

  list(): UdpSocket[] {
    return [...this.ports.values()].flat().sort((a, b) => a.localPort - b.localPort);
  }

  /** Port 0 picks a free ephemeral one. */
  bind(socket: UdpSocket, address: Address, port: number): Result {
    const chosen = port === 0 ? this.freePort(socket, address) : port;
    if (chosen === 0 || this.conflicts(socket, address, chosen)) return -Errno.EADDRINUSE;
    socket.localAddress = address;
    socket.localPort = chosen;
    const sharing = this.ports.get(chosen);
    if (sharing) sharing.unshift(socket);
    else this.ports.set(chosen, [socket]);
    return 0;
  }

  remove(socket: UdpSocket): void {
    const sharing = this.ports.get(socket.localPort);
    const at = sharing?.indexOf(socket) ?? -1;
    if (!sharing || at < 0) return;
    sharing.splice(at, 1);
    if (sharing.length === 0) this.ports.delete(socket.localPort);
    socket.localPort = 0;
  }

  /** The best match for a unicast datagram; equals that share the port by SO_REUSEPORT divide by a hash of the flow. */
  find(destination: Address, port: number, source: Address, sourcePort: number, device: number): UdpSocket | null {
    let best: UdpSocket[] = [];
    let bestScore = -1;
    for (const socket of this.ports.get(port) ?? []) {
      const score = matchScore(socket, destination, source, sourcePort, device);
      if (score < 0 || score < bestScore) continue;
      if (score > bestScore) best = [];
      bestScore = score;
      best.push(socket);
    }
    if (best.length < 2 || !best[0].reusePort) return best[0] ?? null;
    const group = best.filter((socket) => socket.reusePort);
    return group[flowHash(source, sourcePort, destination, port) % group.length];
  }

  /** Broadcast and multicast go to every match (udp(7), RFC 1122 section 4.1.3.3). */
  findAll(destination: Address, port: number, source: Address, sourcePort: number, device: number): UdpSocket[] {
    return (this.ports.get(port) ?? []).filter((socket) => matchScore(socket, destination, source, sourcePort, device) >= 0);
  }

  private conflicts(socket: UdpSocket, address: Address, port: number): boolean {
    return (this.ports.get(port) ?? []).some((other) => {
      if (other === socket) return false;
      if (other.device !== 0 && socket.device !== 0 && other.device !== socket.device) return false;
      if (!overlap(socket, address, other)) return false;
      return !(other.reuseAddress && socket.reuseAddress) && !(other.reusePort && socket.reusePort);
    });
  }

  private freePort(socket: UdpSocket, address: Address): number {
    const span = EPHEMERAL_LAST - EPHEMERAL_FIRST + 1;
    const start = this.random.below(span);
    for (let i = 0; i < span; i++) {
      const port = EPHEMERAL_FIRST + ((start + i) % span);
      if (!this.ports.has(port) || (i > span / 2 && !this.conflicts(socket, address, port))) return port;
    }
    return 0;
  }
}
snapshotClass('UdpTable', UdpTable);

/** -1: no match. Each thing the socket was precise about counts. */
function matchScore(socket: UdpSocket, destination: Address, source: Address, sourcePort: number, device: number): number {
  if (!covers(socket, destination)) return -1;
  // An AF_INET socket comes before one of AF_INET6 that takes IPv4 too.
  let score = socket.six === null || isIp6(destination) ? 1 : 0;
  if (socket.localAddress !== 0) score += 4;
  if (socket.remotePort !== 0) {
    if (socket.remoteAddress !== source || socket.remotePort !== sourcePort) return -1;
    score += 8;
  }
  if (socket.device !== 0) {
    if (socket.device !== device) return -1;
    score += 4;
  }
  return score;
}

function flowHash(source: Address, sourcePort: number, destination: Address, port: number): number {
  let hash = Math.imul(hashAddress(source) ^ Math.imul(hashAddress(destination), 0x85ebca6b), 0xc2b2ae35);
  hash = Math.imul(hash ^ (sourcePort << 16) ^ port, 0x27d4eb2f);
  return (hash ^ (hash >>> 15)) >>> 0;
}
