import { Errno, failed, type Fail, type Result } from '../base/index.js';
import { Cap, capable } from './capabilities.js';
import { MAX_RECEIVE_BUFFER, MIN_RECEIVE_BUFFER } from '../net/datagram-socket.js';
import { joinGroup, leaveGroup } from '../net/memberships.js';
import { RawSocket } from '../net/raw-socket.js';
import { UdpSocket } from '../net/udp-socket.js';
import { isMulticast, read32, write32 } from '../net/wire/index.js';
import { getIp6Option, setChecksum, setIp6Option } from './inet6-options.js';
import type { InetSocket } from './inet-socket.js';
import type { Kernel } from './kernel.js';
import { wordAt, wordBytes } from './socket-file.js';
import { Ip6Option, IpOption, SO, SOL_ICMPV6, SOL_IP, SOL_IPV6, SOL_RAW, SOL_SOCKET } from './socket-numbers.js';
import { getCommonOption, setCommonOption, unknownOption } from './socket-options.js';
import type { Thread } from './thread.js';

export function setInetOption(kernel: Kernel, thread: Thread, socket: InetSocket, level: number, name: number, value: Uint8Array): Result {
  let result: Result | null = null;
  if (level === SOL_SOCKET) result = setSocketLevel(kernel, thread, socket, name, value);
  else if (level === SOL_IP) result = setIpLevel(kernel, socket, name, value);
  else if (level === SOL_IPV6) result = setIp6Option(kernel, socket, name, value);
  else if (socket.end instanceof RawSocket) result = setRawLevel(socket, socket.end, level, name, value);
  return result ?? unknownOption(kernel, thread, 'setsockopt', level, name);
}

/** ICMP_FILTER (raw(7)), ICMP6_FILTER (RFC 3542 section 3.2: 32 bytes, a bit a type), and IPV6_CHECKSUM of raw sockets' own level. */
function setRawLevel(socket: InetSocket, end: RawSocket, level: number, name: number, value: Uint8Array): Result | null {
  if (level === SOL_ICMPV6 && name === 1 && end.six && end.protocol === SOL_ICMPV6) {
    for (let i = 0; i < 8 && 4 * i + 4 <= value.length; i++) end.icmp6Filter[i] = wordAt(value, 4 * i);
    return 0;
  }
  if (level !== SOL_RAW) return null;
  if (end.six) return name === Ip6Option.CHECKSUM && value.length >= 4 ? setChecksum(socket, wordAt(value)) : null;
  if (name !== 1) return null;
  end.icmpFilter = wordAt(value) >>> 0;
  return 0;
}

function setSocketLevel(kernel: Kernel, thread: Thread, socket: InetSocket, name: number, value: Uint8Array): Result | null {
  if (name === SO.BINDTODEVICE) return bindToDevice(kernel, socket, value);
  const common = setCommonOption(socket, name, value);
  if (common !== null) return common;
  if (value.length < 4) return -Errno.EINVAL;
  const number = wordAt(value);
  const { end } = socket;
  switch (name) {
    case SO.BROADCAST: end.broadcast = number !== 0; return 0;
    case SO.REUSEADDR: if (end instanceof UdpSocket) end.reuseAddress = number !== 0; return 0;
    case SO.REUSEPORT: if (end instanceof UdpSocket) end.reusePort = number !== 0; return 0;
    case SO.RCVBUF: end.receiveBuffer = receiveBuffer(number, MAX_RECEIVE_BUFFER); return 0;
    case SO.RCVBUFFORCE:
      if (!capable(thread.process.cred, Cap.NET_ADMIN)) return -Errno.EPERM;
      // Forced past rmem_max, yet a guest must not take the whole device: 4 MiB.
      end.receiveBuffer = receiveBuffer(number, 4 << 20);
      return 0;
    case SO.BINDTOIFINDEX:
      if (number !== 0 && !kernel.net?.interface(number)) return -Errno.ENODEV;
      end.device = number;
      return 0;
  }
  return null;
}

/** The value is doubled for bookkeeping (socket(7)). */
function receiveBuffer(wanted: number, limit: number): number {
  return Math.max(MIN_RECEIVE_BUFFER, Math.min(wanted < 0 ? 0x7fffffff : wanted * 2, limit));
}

function bindToDevice(kernel: Kernel, socket: InetSocket, value: Uint8Array): Result {
  const name = text(value.subarray(0, 15));
  if (name === '') {
    socket.end.device = 0;
    return 0;
  }
  const device = kernel.net?.interface(name);
  if (!device) return -Errno.ENODEV;
  socket.end.device = device.index;
  return 0;
}

function text(bytes: Uint8Array): string {
  const end = bytes.indexOf(0);
  return Buffer.from(end < 0 ? bytes : bytes.subarray(0, end)).toString('latin1');
}

/** Most IP options take an int or a single byte. */
function smallInt(value: Uint8Array): number | null {
  if (value.length >= 4) return wordAt(value);
  return value.length >= 1 ? value[0] : null;
}

function setIpLevel(kernel: Kernel, socket: InetSocket, name: number, value: Uint8Array): Result | null {
  switch (name) {
    case IpOption.ADD_MEMBERSHIP: case IpOption.DROP_MEMBERSHIP: return membership(kernel, socket, name === IpOption.ADD_MEMBERSHIP, value);
    case IpOption.MCAST_JOIN_GROUP: case IpOption.MCAST_LEAVE_GROUP: return groupRequest(kernel, socket, name === IpOption.MCAST_JOIN_GROUP, value);
    case IpOption.MULTICAST_IF: return multicastInterface(kernel, socket, value);
  }
  const number = smallInt(value);
  if (number === null) return -Errno.EINVAL;
  return setIpNumber(socket, name, number);
}

function setIpNumber(socket: InetSocket, name: number, number: number): Result | null {
  const { end, wanted } = socket;
  const on = number !== 0;
  switch (name) {
    case IpOption.TOS: end.tos = number & 0xff; return 0;
    case IpOption.TTL:
      if (number !== -1 && (number < 1 || number > 255)) return -Errno.EINVAL;
      end.ttl = number === -1 ? 64 : number;
      return 0;
    case IpOption.PKTINFO: wanted.pktinfo = on; return 0;
    case IpOption.RECVTTL: wanted.ttl = on; return 0;
    case IpOption.RECVTOS: wanted.tos = on; return 0;
    case IpOption.RECVORIGDSTADDR: wanted.destination = on; return 0;
    case IpOption.MTU_DISCOVER:
      if (number < 0 || number > 5) return -Errno.EINVAL;
      end.pmtuDiscovery = number;
      return 0;
    case IpOption.RECVERR:
      end.receiveErrors = on;
      if (!on) end.errors.length = 0;
      return 0;
    case IpOption.MULTICAST_TTL:
      if (number < -1 || number > 255) return -Errno.EINVAL;
      end.multicastTtl = number === -1 ? 1 : number;
      return 0;
    case IpOption.MULTICAST_LOOP: end.multicastLoop = on; return 0;
    case IpOption.HDRINCL:
      if (!(end instanceof RawSocket)) return -Errno.ENOPROTOOPT;
      end.headerIncluded = on;
      return 0;
    case IpOption.FREEBIND: case IpOption.MULTICAST_ALL: case IpOption.BIND_ADDRESS_NO_PORT: case IpOption.MINTTL:
    case IpOption.RECVOPTS: case IpOption.RETOPTS: case IpOption.NODEFRAG:
      socket.kept.set(0x10000 + name, number);
      return 0;
  }
  return null;
}

/** struct ip_mreq {group, our address} or ip_mreqn {group, our address, interface index}: the index, 0 for none, or -ENODEV. */
function deviceOf(kernel: Kernel, value: Uint8Array): Result {
  const index = value.length >= 12 ? wordAt(value, 8) : 0;
  if (index !== 0) return kernel.net?.interface(index) ? index : -Errno.ENODEV;
  const address = read32(value, 4);
  if (address === 0) return 0;
  return kernel.net?.interfaces.find((device) => device.address === address)?.index ?? -Errno.ENODEV;
}

function membership(kernel: Kernel, socket: InetSocket, join: boolean, value: Uint8Array): Result {
  if (value.length < 8) return -Errno.EINVAL;
  const device = deviceOf(kernel, value);
  if (failed(device)) return device;
  return join ? joinGroup(socket.end.stack, socket.end, read32(value, 0), device) : leaveGroup(socket.end.stack, socket.end, read32(value, 0), device);
}

/** struct group_req: 0 interface index | 4 sockaddr_storage (128 bytes, 4-byte aligned in o32), whose address is at 4 */
function groupRequest(_kernel: Kernel, socket: InetSocket, join: boolean, value: Uint8Array): Result {
  if (value.length < 132) return -Errno.EINVAL;
  const device = wordAt(value);
  const group = read32(value, 8);
  if (!isMulticast(group)) return -Errno.EINVAL;
  return join ? joinGroup(socket.end.stack, socket.end, group, device) : leaveGroup(socket.end.stack, socket.end, group, device);
}

function multicastInterface(kernel: Kernel, socket: InetSocket, value: Uint8Array): Result {
  if (value.length < 4) return -Errno.EINVAL;
  const request = value.length >= 8 ? value : Uint8Array.from([0, 0, 0, 0, ...value.subarray(0, 4)]);
  const device = deviceOf(kernel, request);
  if (failed(device)) return -Errno.EADDRNOTAVAIL;
  socket.end.multicastDevice = device;
  return 0;
}

export function getInetOption(kernel: Kernel, thread: Thread, socket: InetSocket, level: number, name: number): Uint8Array | Fail {
  let found: Uint8Array | Fail | null = null;
  if (level === SOL_SOCKET) found = getSocketLevel(kernel, socket, name);
  else if (level === SOL_IP) found = getIpLevel(kernel, socket, name);
  else if (level === SOL_IPV6) found = getIp6Option(kernel, socket, name);
  else if (level === SOL_RAW && name === 1 && socket.end instanceof RawSocket) found = wordBytes(socket.end.icmpFilter);
  else if (level === SOL_ICMPV6 && name === 1 && socket.end instanceof RawSocket && socket.end.six) found = wordBytes(...socket.end.icmp6Filter);
  return found ?? unknownOption(kernel, thread, 'getsockopt', level, name);
}

function getSocketLevel(kernel: Kernel, socket: InetSocket, name: number): Uint8Array | null {
  const { end } = socket;
  const udp = end instanceof UdpSocket ? end : null;
  switch (name) {
    case SO.BROADCAST: return wordBytes(end.broadcast ? 1 : 0);
    case SO.REUSEADDR: return wordBytes(udp?.reuseAddress ? 1 : 0);
    case SO.REUSEPORT: return wordBytes(udp?.reusePort ? 1 : 0);
    case SO.RCVBUF: return wordBytes(end.receiveBuffer);
    case SO.ACCEPTCONN: return wordBytes(0);
    case SO.BINDTOIFINDEX: return wordBytes(end.device);
    case SO.BINDTODEVICE: {
      const device = kernel.net?.interface(end.device);
      return device && end.device !== 0 ? Buffer.from(`${device.name}\0`, 'latin1') : new Uint8Array(0);
    }
  }
  return getCommonOption(socket, name);
}

function getIpLevel(kernel: Kernel, socket: InetSocket, name: number): Uint8Array | Fail | null {
  const { end, wanted } = socket;
  switch (name) {
    case IpOption.TOS: return wordBytes(end.tos);
    case IpOption.TTL: return wordBytes(end.ttl);
    case IpOption.HDRINCL: return end instanceof RawSocket ? wordBytes(end.headerIncluded ? 1 : 0) : -Errno.ENOPROTOOPT;
    case IpOption.PKTINFO: return wordBytes(wanted.pktinfo ? 1 : 0);
    case IpOption.RECVTTL: return wordBytes(wanted.ttl ? 1 : 0);
    case IpOption.RECVTOS: return wordBytes(wanted.tos ? 1 : 0);
    case IpOption.RECVORIGDSTADDR: return wordBytes(wanted.destination ? 1 : 0);
    case IpOption.MTU_DISCOVER: return wordBytes(end.pmtuDiscovery);
    case IpOption.RECVERR: return wordBytes(end.receiveErrors ? 1 : 0);
    case IpOption.MULTICAST_TTL: return wordBytes(end.multicastTtl);
    case IpOption.MULTICAST_LOOP: return wordBytes(end.multicastLoop ? 1 : 0);
    case IpOption.MULTICAST_IF: {
      const bytes = new Uint8Array(4);
      write32(bytes, 0, kernel.net?.interface(end.multicastDevice)?.address ?? 0);
      return bytes;
    }
    case IpOption.MTU: {
      if (!end.connected) return -Errno.ENOTCONN;
      const path = end.stack.path(end.remoteAddress, end.device);
      return failed(path) ? path : wordBytes(Math.min(path.device.mtu, end.stack.pathMtu.get(end.remoteAddress)));
    }
  }
  const kept = socket.kept.get(0x10000 + name);
  return kept === undefined ? null : wordBytes(kept);
}
