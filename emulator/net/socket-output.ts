import { Errno, failed, type Fail, type Result } from '../base/index.js';
import type { DatagramSocket } from './datagram-socket.js';
import { sixOptions } from './family.js';
import type { Path6 } from './ipv6/index.js';
import type { NetStack, Path } from './stack.js';
import type { SendOptions } from './udp-socket.js';
import * as wire from './wire/index.js';
import type { Address, Ip, Ip6 } from './wire/index.js';

/** `path` for a socket: its bound address, its multicast device, its permission to broadcast. */
export function outputPath(stack: NetStack, socket: DatagramSocket, destination: Address, device: number, source: Address): Path | Fail {
  const multicast = wire.isMulticast(destination);
  const path = stack.path(destination, device || (multicast ? groupDevice(socket, destination) : 0), source || unicastSource(stack, socket.localAddress));
  if (failed(path)) return path;
  return path.kind === 'broadcast' && !socket.broadcast ? -Errno.EACCES : path;
}

/** Send `payload` with the socket's IP options. */
export function sendFor(stack: NetStack, socket: DatagramSocket, path: Path, destination: Address, protocol: number, payload: Uint8Array, options: SendOptions): Result {
  if (options.dontRoute && path.nextHop !== destination) return -Errno.ENETUNREACH;
  return wire.isIp6(destination) ? sendFor6(stack, socket, path as Path6, destination, protocol, payload, options) : sendFor4(stack, socket, path as Path<Ip>, destination, protocol, payload, options);
}

function sendFor6(stack: NetStack, socket: DatagramSocket, path: Path6, destination: Ip6, protocol: number, payload: Uint8Array, options: SendOptions): Result {
  const six = socket.six ?? sixOptions();
  const multicast = path.kind === 'multicast';
  const ttl = options.ttl ?? (multicast ? six.multicastHops : six.hops);
  const packet = wire.ipv6({ source: path.source, destination, protocol, payload, ttl, tos: options.tos ?? six.trafficClass });
  if (multicast && six.multicastLoop && !path.device.loopback && path.device.v6.groups.has(destination)) stack.v6.loopBack(path.device, { ...packet, ttl: Math.max(0, ttl) });
  return stack.v6.output(path, packet, socket.pmtuDiscovery);
}

function sendFor4(stack: NetStack, socket: DatagramSocket, path: Path<Ip>, destination: Ip, protocol: number, payload: Uint8Array, options: SendOptions): Result {
  const multicast = path.kind === 'multicast';
  const ttl = options.ttl ?? (multicast ? socket.multicastTtl : socket.ttl);
  const packet = wire.ipv4({ source: path.source, destination, protocol, payload, ttl, tos: options.tos ?? socket.tos });
  if (multicast && socket.multicastLoop && path.device.isMember(destination)) stack.loopBack({ ...packet, identification: stack.identification() });
  return stack.output(path, packet, socket.pmtuDiscovery);
}

/** A packet whose header its sender wrote (IP_HDRINCL): length and checksum are ours, number and source only if left out (raw(7)). EMSGSIZE, EINVAL. */
export function sendWhole(stack: NetStack, path: Path, bytes: Uint8Array): Result {
  if (wire.isIp6(path.source)) return -Errno.EOPNOTSUPP;
  if (bytes.length > path.device.mtu) return -Errno.EMSGSIZE;
  const header = (bytes[0] & 15) * 4;
  if (bytes.length < wire.IPV4_HEADER || header < wire.IPV4_HEADER || header > bytes.length) return -Errno.EINVAL;
  if (!path.device.up) return -Errno.ENETDOWN;
  const packet = bytes.slice();
  wire.write16(packet, 2, packet.length);
  if (wire.read16(packet, 4) === 0) wire.write16(packet, 4, stack.identification());
  if (wire.read32(packet, 12) === 0) wire.write32(packet, 12, path.source);
  wire.write16(packet, 10, 0);
  wire.write16(packet, 10, wire.checksum(packet, 0, header));
  stack.snmp.count('Ip.OutRequests');
  stack.emitOne(path as Path<Ip>, packet, false);
  return 0;
}

/** A socket bound to a group or broadcast address sends from the route's address. */
function unicastSource(stack: NetStack, address: Address): Address {
  return wire.isMulticast(address) || stack.isBroadcast(address) ? 0 : address;
}

/** IP_MULTICAST_IF, IPV6_MULTICAST_IF */
function groupDevice(socket: DatagramSocket, group: Address): number {
  return wire.isIp6(group) ? socket.six?.multicastDevice ?? 0 : socket.multicastDevice;
}
