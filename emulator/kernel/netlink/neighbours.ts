import { Errno } from '../../base/index.js';
import type { ArpEntry } from '../../net/arp-table.js';
import type { NetStack } from '../../net/stack.js';
import { AF } from '../socket-numbers.js';
import type { NlAnswer } from './netlink-socket.js';
import { fromNetworkOrder, littleEndian, networkOrder, Nlm, NlBody, word } from './message.js';
import type { Request } from './rtnetlink.js';
import { Rtm } from './rtm.js';

/** struct ndmsg (12 bytes): 0 family | 4 interface index | 8 state:16 | 10 flags | 11 type */
export const NDMSG = 12;

const Nda = { DST: 1, LLADDR: 2 } as const;
const Nud = { INCOMPLETE: 1, REACHABLE: 2, PERMANENT: 0x80 } as const;
const RTN_UNICAST = 1;

function neighbourBody(entry: ArpEntry): Uint8Array {
  const state = entry.permanent ? Nud.PERMANENT : entry.mac < 0 ? Nud.INCOMPLETE : Nud.REACHABLE;
  const body = new NlBody().raw(littleEndian(AF.INET, entry.interface.index, state | (RTN_UNICAST << 24))).attribute(Nda.DST, networkOrder(entry.address, 4));
  if (entry.mac >= 0) body.attribute(Nda.LLADDR, networkOrder(entry.mac, 6));
  return body.bytes();
}

export function getNeighbours(net: NetStack, { dump, body, attributes }: Request): NlAnswer {
  const index = word(body.subarray(4));
  if (dump) {
    const shown = net.arp.list().filter((entry) => index === 0 || entry.interface.index === index);
    return { parts: shown.map((entry) => ({ type: Rtm.NEWNEIGH, body: neighbourBody(entry) })) };
  }
  const device = net.interface(index);
  if (!device) return { error: -Errno.ENODEV };
  const entry = net.arp.find(device, fromNetworkOrder(attributes.get(Nda.DST)));
  return entry ? { parts: [{ type: Rtm.NEWNEIGH, body: neighbourBody(entry) }] } : { error: -Errno.ENOENT };
}

export function newNeighbour(net: NetStack, { body, attributes, family, flags }: Request): NlAnswer {
  if (family !== AF.INET) return { error: -Errno.EAFNOSUPPORT };
  const device = net.interface(word(body.subarray(4)));
  const [address, mac] = [attributes.get(Nda.DST), attributes.get(Nda.LLADDR)];
  if (!device) return { error: -Errno.ENODEV };
  if (address?.length !== 4 || mac?.length !== 6) return { error: -Errno.EINVAL };
  const known = net.arp.find(device, fromNetworkOrder(address));
  if (known && flags & Nlm.EXCL) return { error: -Errno.EEXIST };
  if (!known && !(flags & Nlm.CREATE)) return { error: -Errno.ENOENT };
  return net.arp.set(device, fromNetworkOrder(address), fromNetworkOrder(mac)) ? {} : { error: -Errno.ENOBUFS };
}

export function deleteNeighbour(net: NetStack, { body, attributes, family }: Request): NlAnswer {
  if (family !== AF.INET) return { error: -Errno.EAFNOSUPPORT };
  const device = net.interface(word(body.subarray(4)));
  if (!device) return { error: -Errno.ENODEV };
  return net.arp.remove(device, fromNetworkOrder(attributes.get(Nda.DST))) ? {} : { error: -Errno.ENOENT };
}
