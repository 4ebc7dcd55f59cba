import { Errno, failed, type Fail, type Result } from '../base/index.js';
import type { SixOptions } from '../net/family.js';
import { joinGroup, leaveGroup } from '../net/memberships.js';
import { RawSocket } from '../net/raw-socket.js';
import { UdpSocket } from '../net/udp-socket.js';
import { isMulticast6, readIp6, type Address } from '../net/wire/index.js';
import { inet6Address, socketName } from './inet-address.js';
import type { Datagram } from '../net/datagram-socket.js';
import type { InetSocket } from './inet-socket.js';
import type { Kernel } from './kernel.js';
import { wordAt, wordBytes, type Control } from './socket-file.js';
import { AF, Ip6Option, SOL_IPV6 } from './socket-numbers.js';
import type { TcpSocket } from './tcp-socket.js';

/** Options that ask for a control message -> its type (RFC 3542 section 4; those of RFC 2292 are both in one). */
const CONTROLS: ReadonlyMap<number, number> = new Map<number, number>([
  [Ip6Option.RECVPKTINFO, Ip6Option.PKTINFO], [Ip6Option.RECVHOPLIMIT, Ip6Option.HOPLIMIT], [Ip6Option.RECVTCLASS, Ip6Option.TCLASS],
  [Ip6Option.OLD_PKTINFO, Ip6Option.OLD_PKTINFO], [Ip6Option.OLD_HOPLIMIT, Ip6Option.OLD_HOPLIMIT], [Ip6Option.ORIGDSTADDR, Ip6Option.ORIGDSTADDR],
]);

/** Options that are kept and told but change nothing here. */
const KEPT: readonly number[] = [
  Ip6Option.ROUTER_ALERT, Ip6Option.MULTICAST_ALL, Ip6Option.RECVHOPOPTS, Ip6Option.RECVRTHDR, Ip6Option.RECVDSTOPTS, Ip6Option.RECVPATHMTU, Ip6Option.DONTFRAG,
  Ip6Option.AUTOFLOWLABEL, Ip6Option.ADDR_PREFERENCES, Ip6Option.MINHOPCOUNT, Ip6Option.TRANSPARENT, Ip6Option.UNICAST_IF, Ip6Option.RECVFRAGSIZE, Ip6Option.FREEBIND,
  Ip6Option.FLOWINFO_SEND,
];

const KEY = 0x30000;

/** What both kinds of AF_INET6 socket have: where the options are, and how they are replaced. */
interface Of {
  six: Readonly<SixOptions>;
  change(more: Partial<SixOptions>): void;
  bound: boolean;
  stream: boolean;
}

function of(socket: InetSocket | TcpSocket): Of | null {
  if ('connection' in socket) {
    const { connection } = socket;
    const { six } = connection;
    return six && { six, change: (more) => connection.configure({ six: { ...six, ...more } }), bound: connection.localPort !== 0, stream: true };
  }
  const { end } = socket;
  const { six } = end;
  const bound = end instanceof UdpSocket ? end.bound : true;
  return six && { six, change: (more) => Object.assign(six, more), bound, stream: false };
}

/** setsockopt of level IPPROTO_IPV6 (ipv6(7)); null: an option nobody knows. An AF_INET socket has none of them: ENOPROTOOPT. */
export function setIp6Option(kernel: Kernel, socket: InetSocket | TcpSocket, name: number, value: Uint8Array): Result | null {
  const target = of(socket);
  if (!target) return -Errno.ENOPROTOOPT;
  if (name === Ip6Option.JOIN_GROUP || name === Ip6Option.LEAVE_GROUP) return membership(socket, name === Ip6Option.JOIN_GROUP, value, 16, 0);
  if (name === Ip6Option.MCAST_JOIN_GROUP || name === Ip6Option.MCAST_LEAVE_GROUP) return membership(socket, name === Ip6Option.MCAST_JOIN_GROUP, value, 0, 12);
  if (value.length < 4) return -Errno.EINVAL;
  return setNumber(kernel, socket, target, name, wordAt(value));
}

function setNumber(kernel: Kernel, socket: InetSocket | TcpSocket, target: Of, name: number, number: number): Result | null {
  const outside = (least: number, most: number): boolean => number < least || number > most;
  switch (name) {
    case Ip6Option.V6ONLY:
      if (target.bound) return -Errno.EINVAL;
      target.change({ only: number !== 0 });
      return 0;
    case Ip6Option.UNICAST_HOPS:
      if (outside(-1, 255)) return -Errno.EINVAL;
      target.change({ hops: number });
      return 0;
    case Ip6Option.TCLASS:
      if (outside(-1, 255)) return -Errno.EINVAL;
      target.change({ trafficClass: Math.max(0, number) });
      return 0;
    case Ip6Option.MTU_DISCOVER:
      if (outside(0, 5)) return -Errno.EINVAL;
      if ('end' in socket) socket.end.pmtuDiscovery = number;
      socket.kept.set(KEY + name, number);
      return 0;
    case Ip6Option.MULTICAST_HOPS: case Ip6Option.MULTICAST_LOOP: case Ip6Option.MULTICAST_IF:
      return target.stream ? -Errno.ENOPROTOOPT : setMulticast(kernel, target, name, number);
  }
  return setSwitch(socket, name, number);
}

function setMulticast(kernel: Kernel, target: Of, name: number, number: number): Result {
  if (name === Ip6Option.MULTICAST_IF) {
    if (number !== 0 && !kernel.net?.interface(number)) return -Errno.ENODEV;
    target.change({ multicastDevice: number });
    return 0;
  }
  const loop = name === Ip6Option.MULTICAST_LOOP;
  if (number < (loop ? 0 : -1) || number > (loop ? 1 : 255)) return -Errno.EINVAL;
  target.change(loop ? { multicastLoop: number !== 0 } : { multicastHops: number === -1 ? 1 : number });
  return 0;
}

function setSwitch(socket: InetSocket | TcpSocket, name: number, number: number): Result | null {
  const control = CONTROLS.get(name);
  if (control !== undefined && 'end' in socket) {
    if (number !== 0) socket.wanted6.add(control);
    else socket.wanted6.delete(control);
    return 0;
  }
  if (name === Ip6Option.RECVERR && 'end' in socket) {
    socket.end.receiveErrors = number !== 0;
    if (number === 0) socket.end.errors.length = 0;
    return 0;
  }
  // Of ICMPv6 the checksum is no program's business (RFC 3542 section 3.1); Linux says so at this level only.
  if (name === Ip6Option.CHECKSUM) return 'end' in socket && socket.protocol !== 58 ? setChecksum(socket, number) : -Errno.EINVAL;
  if (control === undefined && name !== Ip6Option.RECVERR && !KEPT.includes(name)) return null;
  socket.kept.set(KEY + name, number);
  return 0;
}

/** IPV6_CHECKSUM: raw sockets only, an even offset or -1. */
export function setChecksum({ end }: InetSocket, number: number): Result {
  if (!(end instanceof RawSocket) || !end.six) return -Errno.ENOPROTOOPT;
  if (number > 0 && number & 1) return -Errno.EINVAL;
  end.checksumOffset = number < 0 ? -1 : number;
  return 0;
}

/**
 * struct ipv6_mreq (20 bytes): 0 group | 16 interface index; struct group_req (132 bytes): 0 interface index | 4 sockaddr_in6, its address at 12.
 */
function membership(socket: InetSocket | TcpSocket, join: boolean, value: Uint8Array, indexAt: number, groupAt: number): Result {
  if (value.length < (indexAt === 0 ? 132 : 20)) return -Errno.EINVAL;
  if (!('end' in socket)) return -Errno.EPROTO;
  const group = readIp6(value, groupAt);
  if (!isMulticast6(group)) return -Errno.EINVAL;
  const device = wordAt(value, indexAt);
  return join ? joinGroup(socket.end.stack, socket.end, group, device) : leaveGroup(socket.end.stack, socket.end, group, device);
}

/** getsockopt of level IPPROTO_IPV6. */
export function getIp6Option(kernel: Kernel, socket: InetSocket | TcpSocket, name: number): Uint8Array | Fail | null {
  const target = of(socket);
  if (!target) return -Errno.ENOPROTOOPT;
  const { six } = target;
  switch (name) {
    case Ip6Option.V6ONLY: return wordBytes(six.only ? 1 : 0);
    case Ip6Option.UNICAST_HOPS: return wordBytes(six.hops < 0 ? 64 : six.hops);
    case Ip6Option.MULTICAST_HOPS: return wordBytes(six.multicastHops);
    case Ip6Option.MULTICAST_LOOP: return wordBytes(six.multicastLoop ? 1 : 0);
    case Ip6Option.MULTICAST_IF: return wordBytes(six.multicastDevice);
    case Ip6Option.TCLASS: return wordBytes(six.trafficClass);
    case Ip6Option.MTU_DISCOVER: return wordBytes(socket.kept.get(KEY + name) ?? 1);
    case Ip6Option.MTU: return pathMtu(kernel, socket);
  }
  if (name === Ip6Option.CHECKSUM && 'end' in socket && socket.end instanceof RawSocket) return wordBytes(socket.end.checksumOffset);
  if (name === Ip6Option.RECVERR && 'end' in socket) return wordBytes(socket.end.receiveErrors ? 1 : 0);
  const control = CONTROLS.get(name);
  if (control !== undefined && 'end' in socket) return wordBytes(socket.wanted6.has(control) ? 1 : 0);
  const kept = socket.kept.get(KEY + name);
  return kept === undefined && !KEPT.includes(name) ? null : wordBytes(kept ?? 0);
}

function pathMtu(kernel: Kernel, socket: InetSocket | TcpSocket): Uint8Array | Fail {
  const [connected, remote, device]: [boolean, Address, number] = 'end' in socket ? [socket.end.connected, socket.end.remoteAddress, socket.end.device]
    : [socket.connection.connected, socket.connection.remoteAddress, socket.connection.settings.device];
  const { net } = kernel;
  if (!connected || !net) return -Errno.ENOTCONN;
  const path = net.path(remote, device);
  return failed(path) ? path : wordBytes(Math.min(net.v6.mtuOf(path.device), net.pathMtu.get(remote)));
}

/** The control messages an AF_INET6 socket asked for, in the order Linux adds them (ip6_datagram_recv_ctl). */
export function control6(kernel: Kernel, socket: InetSocket, datagram: Datagram, port: number): Control[] {
  const control: Control[] = [];
  const six = typeof datagram.destination === 'string';
  const add = (type: number, data: Uint8Array): void => {
    if (socket.wanted6.has(type)) control.push({ level: SOL_IPV6, type, data });
  };
  add(Ip6Option.PKTINFO, packetInfo6(datagram));
  if (!six) return control;
  add(Ip6Option.HOPLIMIT, wordBytes(datagram.ttl));
  add(Ip6Option.TCLASS, wordBytes(datagram.tos));
  add(Ip6Option.OLD_PKTINFO, packetInfo6(datagram));
  add(Ip6Option.OLD_HOPLIMIT, wordBytes(datagram.ttl));
  add(Ip6Option.ORIGDSTADDR, socketName(kernel.net, AF.INET6, datagram.destination, port, datagram.device));
  return control;
}

/** struct in6_pktinfo (20 bytes): 0 the address it was for | 16 interface index */
function packetInfo6({ destination, device }: Datagram): Uint8Array {
  const bytes = new Uint8Array(20);
  bytes.set(inet6Address(destination, 0).subarray(8, 24));
  bytes.set(wordBytes(device), 16);
  return bytes;
}
