import { Errno, type Fail } from '../base/index.js';
import type { SixOptions } from '../net/family.js';
import type { NetStack } from '../net/stack.js';
import { ANY6, isIp6, isLinkLocal, isMapped, LOOPBACK, LOOPBACK6, mapped, needsScope, read16, read32, readIp6, unmapped, write16, write32, writeIp6, type Address, type Ip } from '../net/wire/index.js';
import { AF } from './socket-numbers.js';
import { familyOf, wordAt } from './socket-file.js';

/** struct sockaddr_in: 0 family | 2 port (network order) | 4 address | 8 zeros to 16 */
export function inetAddress(address: Ip, port: number): Uint8Array {
  const bytes = new Uint8Array(16);
  bytes[0] = AF.INET;
  write16(bytes, 2, port);
  write32(bytes, 4, address);
  return bytes;
}

/** struct sockaddr_in6 (28 bytes): 0 family | 2 port (network order) | 4 flow information | 8 address | 24 scope. An IPv4 address is mapped. */
export function inet6Address(address: Address, port: number, scope = 0): Uint8Array {
  const bytes = new Uint8Array(28);
  bytes[0] = AF.INET6;
  write16(bytes, 2, port);
  if (address !== 0) writeIp6(bytes, 8, isIp6(address) ? address : mapped(address));
  bytes[24] = scope;
  bytes[25] = scope >>> 8;
  return bytes;
}

/** An address as a socket of `domain` names it. `device` is where it has meaning, for one that has it on one link only. */
export function socketName(net: NetStack | null, domain: number, address: Address, port: number, device: number): Uint8Array {
  if (domain === AF.INET) return inetAddress(address as Ip, port);
  if (!isIp6(address) || !needsScope(address)) return inet6Address(address, port);
  const owner = net?.v6.owner(address)?.index;
  return inet6Address(address, port, owner ?? device);
}

export interface Peer {
  address: Address;
  port: number;
  /** Interface index, 0 where none is named. */
  device: number;
}

/** AF_UNSPEC is taken for AF_INET where BSD programs expect it. */
export function peerOf(bytes: Uint8Array, acceptUnspec: boolean): Peer | Fail {
  if (bytes.length < 16) return -Errno.EINVAL;
  const family = familyOf(bytes);
  if (family !== AF.INET && !(acceptUnspec && family === AF.UNSPEC)) return -Errno.EAFNOSUPPORT;
  return { address: read32(bytes, 4), port: read16(bytes, 2), device: 0 };
}

/** sizeof(struct sockaddr_in6) without the scope, as RFC 2133 had it. */
const OLD_LENGTH = 24;

/** As given, a mapped address as the IPv4 one it is, "any" as ANY6 (which a socket's local address writes 0). */
function peer6Of(bytes: Uint8Array): Peer | Fail {
  if (bytes.length < OLD_LENGTH) return -Errno.EINVAL;
  if (familyOf(bytes) !== AF.INET6) return -Errno.EAFNOSUPPORT;
  const address = readIp6(bytes, 8);
  const scope = bytes.length >= 28 ? wordAt(bytes, 24) >>> 0 : 0;
  return { address: isMapped(address) ? unmapped(address) : address, port: read16(bytes, 2), device: isMapped(address) || !needsScope(address) ? 0 : scope };
}

/** Where an AF_INET6 socket stands: its options, its local address and the interface it is bound to. */
export interface Six {
  six: Readonly<SixOptions>;
  localAddress: Address;
  device: number;
}

/** For bind(): "any" is 0. EINVAL for an address of one link without the link, or an IPv4 one for a socket that takes none (inet6_bind). */
export function local6(bytes: Uint8Array, of: Six): Peer | Fail {
  const peer = peer6Of(bytes);
  if (typeof peer === 'number') return peer;
  if (!isIp6(peer.address)) return of.six.only ? -Errno.EINVAL : peer;
  if (peer.address === ANY6) return { ...peer, address: 0 };
  return scoped(peer, of);
}

/** For connect() and sendto(): "any" is this host. ENETUNREACH for an IPv4 address to a socket of IPv6 alone. */
export function remote6(bytes: Uint8Array, of: Six, acceptIpv4: boolean): Peer | Fail {
  const peer = acceptIpv4 && familyOf(bytes) === AF.INET ? peerOf(bytes, false) : peer6Of(bytes);
  if (typeof peer === 'number') return peer;
  if (peer.address === ANY6) return { ...peer, address: of.localAddress !== 0 && !isIp6(of.localAddress) ? LOOPBACK : LOOPBACK6 };
  if (!isIp6(peer.address)) return of.six.only ? -Errno.ENETUNREACH : peer;
  return scoped(peer, of);
}

function scoped(peer: Peer, of: Six): Peer | Fail {
  const { address, device } = peer;
  if (device !== 0 && of.device !== 0 && device !== of.device) return -Errno.EINVAL;
  if (isIp6(address) && isLinkLocal(address) && device === 0 && of.device === 0) return -Errno.EINVAL;
  return { ...peer, device: device || of.device };
}
