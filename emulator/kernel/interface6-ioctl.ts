import { Errno, failed, type Result } from '../base/index.js';
import type { NetStack } from '../net/stack.js';
import { ANY6, network6, readIp6 } from '../net/wire/index.js';
import { Cap, capable } from './capabilities.js';
import type { Kernel } from './kernel.js';
import { wordAt } from './socket-file.js';
import type { Thread } from './thread.js';

/** Numbers of IPv4 that mean something else on an AF_INET6 socket (inet6_ioctl). */
const Request = { ADDRT: 0x890b, DELRT: 0x890c, SIFADDR: 0x8916, DIFADDR: 0x8936 } as const;
const IN6_RTMSG = 72;
const IN6_IFREQ = 24;
const RTF_HOST = 4;
const RTF_GATEWAY = 2;
const RTF_REJECT = 0x200;

/** The requests ifconfig and route make; null: not one of them. */
export function interface6Ioctl(kernel: Kernel, thread: Thread, request: number, argument: number): Result | null {
  const { net } = kernel;
  const route = request === Request.ADDRT || request === Request.DELRT;
  if (!net || (!route && request !== Request.SIFADDR && request !== Request.DIFADDR)) return null;
  if (!capable(thread.process.cred, Cap.NET_ADMIN)) return -Errno.EPERM;
  const bytes = thread.process.space.copyin(argument, route ? IN6_RTMSG : IN6_IFREQ);
  if (failed(bytes)) return bytes;
  return route ? changeRoute(net, bytes, request === Request.ADDRT) : changeAddress(net, bytes, request === Request.SIFADDR);
}

/** struct in6_ifreq: 0 address | 16 prefix length | 20 interface index */
function changeAddress(net: NetStack, bytes: Uint8Array, add: boolean): Result {
  const device = net.interface(wordAt(bytes, 20));
  if (!device) return -Errno.ENODEV;
  const prefix = wordAt(bytes, 16) >>> 0;
  if (prefix > 128) return -Errno.EINVAL;
  return add ? net.v6.addAddress(device, readIp6(bytes, 0), prefix) : net.v6.removeAddress(device, readIp6(bytes, 0));
}

/** struct in6_rtmsg: 0 destination | 16 source | 32 gateway | 48 type | 52 destination length:16 | 54 source length:16 | 56 metric | 60 info | 64 flags | 68 interface index */
function changeRoute(net: NetStack, bytes: Uint8Array, add: boolean): Result {
  const flags = wordAt(bytes, 64);
  const prefix = flags & RTF_HOST ? 128 : bytes[52] | (bytes[53] << 8);
  const destination = readIp6(bytes, 0);
  if (prefix > 128 || network6(destination, prefix) !== destination) return -Errno.EINVAL;
  const hop = readIp6(bytes, 32);
  const gateway = flags & RTF_GATEWAY && hop !== ANY6 ? hop : 0;
  const [metric, device] = [wordAt(bytes, 56) >>> 0, wordAt(bytes, 68)];
  if (!add) return net.v6.removeRoute(destination, prefix, gateway, device, metric || undefined);
  if (flags & RTF_REJECT) return net.v6.insertRoute({ network: destination, prefix, gateway: 0, device: net.loopback.index, metric: metric || 1024, reject: true });
  return gateway === 0 && device === 0 ? -Errno.ENODEV : net.v6.addRoute(destination, prefix, gateway, device, metric);
}
