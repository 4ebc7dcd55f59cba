import { Errno, type Fail } from '../../base/index.js';
import type { InterfaceAddress } from '../../net/changes.js';
import type { NetInterface } from '../../net/interface.js';
import type { NetStack } from '../../net/stack.js';
import { isLoopback } from '../../net/wire/index.js';
import { AF } from '../socket-numbers.js';
import { address6Body, deleteAddress6, newAddress6 } from './addresses6.js';
import type { NlAnswer } from './netlink-socket.js';
import { fromNetworkOrder, littleEndian, networkOrder, Nlm, NlBody, word } from './message.js';
import type { Request } from './rtnetlink.js';
import { Rtm } from './rtm.js';

/** struct ifaddrmsg (8 bytes): 0 family | 1 prefix length | 2 flags | 3 scope | 4 interface index */
export const IFADDR = 8;

const Ifa = { ADDRESS: 1, LOCAL: 2, LABEL: 3, BROADCAST: 4, CACHEINFO: 6, FLAGS: 8 } as const;
const IFA_F_SECONDARY = 1;
const IFA_F_PERMANENT = 0x80;
const FOR_EVER = -1;
/** RT_SCOPE_HOST, RT_SCOPE_UNIVERSE */
const SCOPE_HOST = 254;
const SCOPE_UNIVERSE = 0;

export function addressBody({ device, address, prefix, broadcast }: InterfaceAddress): Uint8Array {
  const secondary = address !== device.address && device.secondary.some((one) => one.address === address) ? IFA_F_SECONDARY : 0;
  const flags = IFA_F_PERMANENT | secondary;
  const body = new NlBody().raw(Uint8Array.of(AF.INET, prefix, flags, isLoopback(address) ? SCOPE_HOST : SCOPE_UNIVERSE)).raw(littleEndian(device.index))
    .attribute(Ifa.ADDRESS, networkOrder(address, 4))
    .attribute(Ifa.LOCAL, networkOrder(address, 4));
  if (broadcast !== 0) body.attribute(Ifa.BROADCAST, networkOrder(broadcast, 4));
  return body.text(Ifa.LABEL, device.name).u32(Ifa.FLAGS, flags).attribute(Ifa.CACHEINFO, littleEndian(FOR_EVER, FOR_EVER, 0, 0)).bytes();
}

export function addressesOf(device: NetInterface): InterfaceAddress[] {
  const first = device.address === 0 ? [] : [{ device, address: device.address, prefix: device.prefix, broadcast: device.broadcast }];
  return [...first, ...device.secondary.map((one) => ({ device, ...one }))];
}

export function getAddresses(net: NetStack, { dump, body, strict, family }: Request): NlAnswer {
  if (!dump) return { error: -Errno.EOPNOTSUPP };
  const index = strict ? word(body.subarray(4)) : 0;
  if (index !== 0 && !net.interface(index)) return { error: -Errno.ENODEV };
  const shown = net.interfaces.filter((device) => index === 0 || device.index === index);
  const four = family === AF.INET6 ? [] : shown.flatMap(addressesOf).map(addressBody);
  const six = family === AF.INET ? [] : shown.flatMap((device) => device.v6.addresses.map((of) => address6Body(net, device, of)));
  return { parts: [...four, ...six].map((one) => ({ type: Rtm.NEWADDR, body: one })) };
}

interface Asked {
  device: NetInterface;
  address: number;
  prefix: number;
}

function asked(net: NetStack, { body, attributes, family }: Request): Asked | Fail {
  if (family !== AF.INET) return -Errno.EAFNOSUPPORT;
  const device = net.interface(word(body.subarray(4)));
  if (!device) return -Errno.ENODEV;
  const value = attributes.get(Ifa.LOCAL) ?? attributes.get(Ifa.ADDRESS);
  if (value?.length !== 4 || body[1] > 32) return -Errno.EINVAL;
  return { device, address: fromNetworkOrder(value), prefix: body[1] };
}

export function newAddress(net: NetStack, request: Request): NlAnswer {
  if (request.family === AF.INET6) return newAddress6(net, request);
  const of = asked(net, request);
  if (typeof of === 'number') return { error: of };
  const { device, address, prefix } = of;
  if (device.has(address)) return request.flags & Nlm.EXCL || !(request.flags & Nlm.REPLACE) ? { error: -Errno.EEXIST } : {};
  const result = net.addAddress(device, address, prefix, fromNetworkOrder(request.attributes.get(Ifa.BROADCAST)));
  return result ? { error: result } : {};
}

/** Without an address: the interface's first. */
export function deleteAddress(net: NetStack, request: Request): NlAnswer {
  if (request.family === AF.INET6) return deleteAddress6(net, request);
  const device = net.interface(word(request.body.subarray(4)));
  if (request.family !== AF.INET) return { error: -Errno.EAFNOSUPPORT };
  if (!device) return { error: -Errno.ENODEV };
  const value = request.attributes.get(Ifa.LOCAL) ?? request.attributes.get(Ifa.ADDRESS);
  const result = net.removeAddress(device, value ? fromNetworkOrder(value) : device.address);
  return result ? { error: result } : {};
}
