import { Errno } from '../../base/index.js';
import type { NetInterface } from '../../net/interface.js';
import type { NetStack } from '../../net/stack.js';
import { isGroupMac } from '../../net/wire/index.js';
import { flagsOf, hardwareType, IFF } from '../interface-flags.js';
import type { NlAnswer } from './netlink-socket.js';
import { fromNetworkOrder, littleEndian, networkOrder, Nlm, NlBody, textOfAttribute, word } from './message.js';
import type { Request } from './rtnetlink.js';
import { Rtm } from './rtm.js';

/** struct ifinfomsg (16 bytes): 0 family | 2 hardware type:16 | 4 index | 8 flags | 12 mask of flags to change */
export const IFINFO = 16;

const Ifla = {
  ADDRESS: 1, BROADCAST: 2, IFNAME: 3, MTU: 4, QDISC: 6, STATS: 7, TXQLEN: 13, OPERSTATE: 16, LINKMODE: 17, LINKINFO: 18, STATS64: 23, GROUP: 27, EXT_MASK: 29,
  PROMISCUITY: 30, TX_QUEUES: 31, RX_QUEUES: 32, CARRIER: 33,
} as const;
/** RFC 2863 states: IF_OPER_UNKNOWN, DOWN, UP. */
const Oper = { UNKNOWN: 0, DOWN: 2, UP: 6 } as const;

export function linkBody(device: NetInterface): Uint8Array {
  const head = new Uint8Array(IFINFO);
  head.set(littleEndian(hardwareType(device) << 16, device.index, flagsOf(device), 0));
  return new NlBody().raw(head)
    .text(Ifla.IFNAME, device.name)
    .u32(Ifla.TXQLEN, device.txQueueLength)
    .u8(Ifla.OPERSTATE, device.loopback ? Oper.UNKNOWN : device.up ? Oper.UP : Oper.DOWN)
    .u8(Ifla.LINKMODE, 0)
    .u32(Ifla.MTU, device.mtu)
    .u32(Ifla.GROUP, 0)
    .u32(Ifla.PROMISCUITY, device.promiscuity + (device.promiscuous ? 1 : 0))
    .u32(Ifla.TX_QUEUES, 1)
    .u32(Ifla.RX_QUEUES, 1)
    .u8(Ifla.CARRIER, 1)
    .text(Ifla.QDISC, device.loopback ? 'noqueue' : 'pfifo_fast')
    .attribute(Ifla.ADDRESS, networkOrder(device.mac, 6))
    .attribute(Ifla.BROADCAST, networkOrder(device.loopback ? 0 : 0xffff_ffff_ffff, 6))
    .attribute(Ifla.STATS64, wide(counters(device)))
    .attribute(Ifla.STATS, littleEndian(...counters(device)))
    .bytes();
}

/** struct rtnl_link_stats, 23 counters: packets, bytes, errors, dropped, each received and sent, then the rare ones. */
function counters(device: NetInterface): number[] {
  const { rxPackets, txPackets, rxBytes, txBytes, rxErrors, rxDropped, rxMissed, rxMulticast, txDropped } = device;
  // Frames that are too short are the only errors (rx_length_errors).
  return [rxPackets, txPackets, rxBytes, txBytes, rxErrors, 0, rxDropped, txDropped, rxMulticast, 0, rxErrors, 0, 0, 0, 0, rxMissed, 0, 0, 0, 0, 0, 0, 0];
}

/** As 64-bit counters; rtnl_link_stats64. */
function wide(values: number[]): Uint8Array {
  return littleEndian(...values.flatMap((value) => [value | 0, Math.floor(value / 4294967296)]));
}

function wanted(net: NetStack, { body, attributes }: Request): NetInterface | undefined {
  const index = word(body.subarray(4));
  if (index > 0) return net.interface(index);
  const name = textOfAttribute(attributes.get(Ifla.IFNAME));
  return name === undefined ? undefined : net.interface(name);
}

export function getLink(net: NetStack, request: Request): NlAnswer {
  if (request.dump) return { parts: net.interfaces.map((device) => ({ type: Rtm.NEWLINK, body: linkBody(device) })) };
  const device = wanted(net, request);
  return device ? { parts: [{ type: Rtm.NEWLINK, body: linkBody(device) }] } : { error: -Errno.ENODEV };
}

/** RTM_NEWLINK and RTM_SETLINK of an interface that exists: flags, MTU, address, queue. Others cannot be made here. */
export function setLink(net: NetStack, request: Request): NlAnswer {
  const device = wanted(net, request);
  const { attributes, body, flags } = request;
  if (!device) {
    const making = (flags & Nlm.CREATE) !== 0 && attributes.has(Ifla.LINKINFO);
    return making ? { error: -Errno.EOPNOTSUPP, reason: 'Unknown device type' } : { error: -Errno.ENODEV };
  }
  if (flags & Nlm.EXCL) return { error: -Errno.EEXIST };
  return changeAddress(device, attributes.get(Ifla.ADDRESS)) ?? changeMtu(device, attributes.get(Ifla.MTU)) ?? changeFlags(net, device, body, attributes);
}

function changeAddress(device: NetInterface, value: Uint8Array | undefined): NlAnswer | null {
  if (!value) return null;
  const mac = fromNetworkOrder(value.subarray(0, 6));
  if (value.length < 6 || device.loopback) return { error: -Errno.EINVAL };
  if (device.up) return { error: -Errno.EBUSY };
  if (isGroupMac(mac) || mac === 0) return { error: -Errno.EADDRNOTAVAIL };
  device.mac = mac;
  return null;
}

function changeMtu(device: NetInterface, value: Uint8Array | undefined): NlAnswer | null {
  if (!value) return null;
  const mtu = word(value);
  if (mtu < 68) return { error: -Errno.EINVAL, reason: 'mtu less than device minimum' };
  if (mtu > (device.loopback ? 65_536 : 1500)) return { error: -Errno.EINVAL, reason: 'mtu greater than device maximum' };
  device.mtu = mtu;
  return null;
}

function changeFlags(net: NetStack, device: NetInterface, body: Uint8Array, attributes: Map<number, Uint8Array>): NlAnswer {
  const queue = attributes.get(Ifla.TXQLEN);
  if (queue) device.txQueueLength = word(queue);
  const [flags, change] = [word(body.subarray(8)), word(body.subarray(12)) || (word(body.subarray(8)) ? -1 : 0)];
  if (change & IFF.PROMISC) device.promiscuous = (flags & IFF.PROMISC) !== 0;
  if (change & IFF.UP) net.setUp(device, (flags & IFF.UP) !== 0);
  if (attributes.has(Ifla.MTU) || attributes.has(Ifla.ADDRESS)) net.notify({ kind: 'link', device });
  return {};
}
