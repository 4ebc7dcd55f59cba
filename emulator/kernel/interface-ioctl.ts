import { Errno, failed, type Result } from '../base/index.js';
import { Cap, capable } from './capabilities.js';
import type { NetInterface } from '../net/interface.js';
import type { NetStack } from '../net/stack.js';
import { isGroupMac, maskPrefix, prefixMask, read32, read48, write32, write48, type Ip } from '../net/wire/index.js';
import { flagsOf, hardwareType, IFF } from './interface-flags.js';
import type { Kernel } from './kernel.js';
import { wordAt, wordBytes } from './socket-file.js';
import { AF } from './socket-numbers.js';
import type { Thread } from './thread.js';

/** struct ifreq (32 bytes): 0 name | 16 a sockaddr, an int or a short. */
const IFREQ = 32;
const ARPHRD_ETHER = 1;
const RTF = { UP: 1, GATEWAY: 2, HOST: 4, REJECT: 0x200 } as const;

type IfHandler = (net: NetStack, device: NetInterface, request: Uint8Array) => Result;

/** Requests on one interface (netdevice(7)); those that change something need root. */
const requests = new Map<number, { set: boolean; handler: IfHandler }>([
  [0x8913, { set: false, handler: (_net, device, request) => put(request, wordBytes(flagsOf(device)).subarray(0, 2)) }],
  [0x8914, { set: true, handler: setFlags }],
  [0x8915, { set: false, handler: (_net, device, request) => (device.address === 0 ? -Errno.EADDRNOTAVAIL : putAddress(request, device.address)) }],
  [0x8916, { set: true, handler: (net, device, request) => setAddress(net, device, address(request)) }],
  [0x8917, { set: false, handler: (_net, device, request) => (device.address === 0 ? -Errno.EADDRNOTAVAIL : putAddress(request, device.address)) }],
  [0x8919, { set: false, handler: (_net, device, request) => (device.address === 0 ? -Errno.EADDRNOTAVAIL : putAddress(request, device.broadcast)) }],
  [0x891a, { set: true, handler: (_net, device, request) => { device.broadcast = address(request); return 0; } }],
  [0x891b, { set: false, handler: (_net, device, request) => (device.address === 0 ? -Errno.EADDRNOTAVAIL : putAddress(request, prefixMask(device.prefix))) }],
  [0x891c, { set: true, handler: setMask }],
  [0x891d, { set: false, handler: (_net, _device, request) => put(request, wordBytes(0)) }],
  [0x8921, { set: false, handler: (_net, device, request) => put(request, wordBytes(device.mtu)) }],
  [0x8922, { set: true, handler: setMtu }],
  [0x8924, { set: true, handler: setMac }],
  [0x8927, { set: false, handler: (_net, device, request) => putMac(request, device) }],
  [0x8933, { set: false, handler: (_net, device, request) => put(request, wordBytes(device.index)) }],
  [0x8942, { set: false, handler: (_net, device, request) => put(request, wordBytes(device.txQueueLength)) }],
  [0x8943, { set: true, handler: (_net, device, request) => { device.txQueueLength = wordAt(request, 16); return 0; } }],
  [0x8970, { set: false, handler: (_net, _device, request) => put(request, new Uint8Array(16)) }],
]);

/** SIOC* requests of any socket; -ENOTTY for one that is not known. */
export function interfaceIoctl(kernel: Kernel, thread: Thread, request: number, argument: number): Result {
  const { net } = kernel;
  if (!net) return -Errno.ENOTTY;
  const root = capable(thread.process.cred, Cap.NET_ADMIN);
  switch (request) {
    case 0x8910: return interfaceName(net, thread, argument);
    case 0x8912: return listInterfaces(net, thread, argument);
    case 0x890b: case 0x890c: return root ? changeRoute(net, thread, argument, request === 0x890b) : -Errno.EPERM;
    case 0x8953: case 0x8954: case 0x8955: return request === 0x8954 || root ? arpRequest(net, thread, request, argument) : -Errno.EPERM;
  }
  const entry = requests.get(request);
  if (!entry) return -Errno.ENOTTY;
  if (entry.set && !root) return -Errno.EPERM;
  const { space } = thread.process;
  const bytes = space.copyin(argument, IFREQ);
  if (failed(bytes)) return bytes;
  // An alias ("lan0:1") names its interface; there is one address an interface.
  const device = net.interface(nameOf(bytes).split(':')[0]);
  if (!device) return -Errno.ENODEV;
  const result = entry.handler(net, device, bytes);
  return failed(result) || entry.set ? result : space.copyout(argument, bytes);
}

function nameOf(bytes: Uint8Array): string {
  const end = bytes.subarray(0, 16).indexOf(0);
  return Buffer.from(bytes.subarray(0, end < 0 ? 15 : end)).toString('latin1');
}

function put(request: Uint8Array, value: Uint8Array): Result {
  request.set(value, 16);
  return 0;
}

/** A sockaddr_in at offset 16 of an ifreq. */
function putAddress(request: Uint8Array, value: Ip): Result {
  request.fill(0, 16, IFREQ);
  request[16] = AF.INET;
  write32(request, 20, value);
  return 0;
}

function address(request: Uint8Array, at = 16): Ip {
  return read32(request, at + 4);
}

function putMac(request: Uint8Array, device: NetInterface): Result {
  const type = hardwareType(device);
  request.fill(0, 16, IFREQ);
  request[16] = type & 0xff;
  request[17] = type >> 8;
  write48(request, 18, device.mac);
  return 0;
}

function setMac(_net: NetStack, device: NetInterface, request: Uint8Array): Result {
  if (device.up) return -Errno.EBUSY;
  const wanted = read48(request, 18);
  if (isGroupMac(wanted) || wanted === 0) return -Errno.EADDRNOTAVAIL;
  device.mac = wanted;
  return 0;
}

function setFlags(net: NetStack, device: NetInterface, request: Uint8Array): Result {
  const flags = wordAt(request, 16) & 0xffff;
  device.promiscuous = (flags & IFF.PROMISC) !== 0;
  net.setUp(device, (flags & IFF.UP) !== 0);
  return 0;
}

/** A new address gets the mask of its class and brings the interface up, as ifconfig expects (devinet.c). */
function setAddress(net: NetStack, device: NetInterface, value: Ip): Result {
  const classful = value >>> 31 === 0 ? 8 : value >>> 30 === 2 ? 16 : 24;
  net.setAddress(device, value, device.loopback ? 8 : classful);
  if (value !== 0) net.setUp(device, true);
  return 0;
}

function setMask(net: NetStack, device: NetInterface, request: Uint8Array): Result {
  const prefix = maskPrefix(address(request));
  if (prefix < 0) return -Errno.EINVAL;
  if (device.address === 0) return -Errno.EADDRNOTAVAIL;
  net.setAddress(device, device.address, prefix);
  return 0;
}

function setMtu(_net: NetStack, device: NetInterface, request: Uint8Array): Result {
  const mtu = wordAt(request, 16);
  // RFC 791: every link carries 68 bytes; an Ethernet of this kind at most 1500.
  if (mtu < 68 || mtu > (device.loopback ? 65_536 : 1500)) return -Errno.EINVAL;
  device.mtu = mtu;
  return 0;
}

function interfaceName(net: NetStack, thread: Thread, argument: number): Result {
  const { space } = thread.process;
  const bytes = space.copyin(argument, IFREQ);
  if (failed(bytes)) return bytes;
  const device = net.interface(wordAt(bytes, 16));
  if (!device) return -Errno.ENODEV;
  return space.copyout(argument, named(device).subarray(0, 16));
}

function named(device: NetInterface): Uint8Array {
  const bytes = new Uint8Array(IFREQ);
  bytes.set(Buffer.from(device.name.slice(0, 15), 'latin1'));
  return bytes;
}

/** SIOCGIFCONF, struct ifconf {int length; ifreq *buffer}: interfaces with an address, as many as fit; without a buffer the length needed. */
function listInterfaces(net: NetStack, thread: Thread, argument: number): Result {
  const { space } = thread.process;
  const conf = space.readWords(argument, 2);
  if (failed(conf)) return conf;
  const [length, buffer] = conf;
  const shown = net.interfaces.filter((device) => device.address !== 0);
  const fitting = buffer === 0 ? shown : shown.slice(0, Math.max(0, Math.floor(length / IFREQ)));
  if (buffer !== 0) {
    for (const [i, device] of fitting.entries()) {
      const entry = named(device);
      putAddress(entry, device.address);
      const result = space.copyout((buffer >>> 0) + i * IFREQ, entry);
      if (failed(result)) return result;
    }
  }
  return space.writeWords(argument, [fitting.length * IFREQ]);
}

/** struct rtentry (84 bytes): 4 destination | 20 gateway | 36 mask (sockaddrs) | 52 flags:16 | 64 metric:16 (plus one) | 68 device name */
function changeRoute(net: NetStack, thread: Thread, argument: number, add: boolean): Result {
  const { space } = thread.process;
  const entry = space.copyin(argument, 84);
  if (failed(entry)) return entry;
  const flags = entry[52] | (entry[53] << 8);
  const prefix = flags & RTF.HOST ? 32 : maskPrefix(address(entry, 36));
  if (prefix < 0) return -Errno.EINVAL;
  const destination = address(entry, 4);
  const gateway = flags & RTF.GATEWAY ? address(entry, 20) : 0;
  const pointer = wordAt(entry, 68);
  const name = pointer === 0 ? '' : space.copyinString(pointer >>> 0, 16);
  if (failed(name)) return name;
  const metric = Math.max(0, (entry[64] | (entry[65] << 8)) - 1);
  if (add) return addRoute(net, { destination, prefix, gateway, name, metric, reject: (flags & RTF.REJECT) !== 0 });
  return net.removeRoute(destination, prefix, gateway, net.interface(name)?.index ?? 0);
}

interface NewRoute {
  destination: Ip;
  prefix: number;
  gateway: Ip;
  name: string;
  metric: number;
  reject: boolean;
}

function addRoute(net: NetStack, route: NewRoute): Result {
  if (route.reject) return net.insertRoute({ network: route.destination, prefix: route.prefix, gateway: 0, device: 1, metric: route.metric, reject: true });
  if (route.gateway === 0 && route.name === '') return -Errno.ENODEV;
  return net.addRoute(route.destination, route.prefix, route.gateway, route.name, route.metric);
}

/** struct arpreq (68 bytes): 0 address | 16 hardware address | 32 flags | 36 mask | 52 device; SIOCDARP 8953, SIOCGARP 8954, SIOCSARP 8955 */
function arpRequest(net: NetStack, thread: Thread, request: number, argument: number): Result {
  const { space } = thread.process;
  const entry = space.copyin(argument, 68);
  if (failed(entry)) return entry;
  const target = address(entry, 0);
  const device = net.interface(nameOf(entry.subarray(52))) ?? onLink(net, target);
  if (!device) return -Errno.ENETUNREACH;
  if (request === 0x8953) return net.arp.remove(device, target) ? 0 : -Errno.ENXIO;
  if (request === 0x8955) return net.arp.set(device, target, read48(entry, 18)) ? 0 : -Errno.ENOBUFS;
  const known = net.arp.find(device, target);
  if (!known || known.mac < 0) return -Errno.ENXIO;
  entry.fill(0, 16, 36);
  entry[16] = ARPHRD_ETHER;
  write48(entry, 18, known.mac);
  // ATF_COM 2, ATF_PERM 4.
  entry[32] = known.permanent ? 6 : 2;
  return space.copyout(argument, entry);
}

function onLink(net: NetStack, target: Ip): NetInterface | undefined {
  const route = net.routes.lookup(target);
  return route && route.gateway === 0 ? net.interface(route.device) : undefined;
}
