import { Errno } from '../../base/index.js';
import type { ArpEntry, ArpTable } from '../../net/arp-table.js';
import type { NetStack } from '../../net/stack.js';
import { bytesOfIp6, isIp6, readIp6, type Address } from '../../net/wire/index.js';
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
  const body = new NlBody().raw(littleEndian(isIp6(entry.address) ? AF.INET6 : AF.INET, entry.interface.index, state | (RTN_UNICAST << 24)))
    .attribute(Nda.DST, isIp6(entry.address) ? bytesOfIp6(entry.address) : networkOrder(entry.address, 4));
  if (entry.mac >= 0) body.attribute(Nda.LLADDR, networkOrder(entry.mac, 6));
  return body.bytes();
}

/** The table of a family; an address of it as an attribute holds it, null when it is none. */
function tableOf(net: NetStack, family: number): ArpTable | null {
  return family === AF.INET ? net.arp : family === AF.INET6 ? net.v6.neighbours : null;
}

function addressIn(family: number, bytes: Uint8Array | undefined): Address | null {
  if (!bytes || bytes.length !== (family === AF.INET6 ? 16 : 4)) return null;
  return family === AF.INET6 ? readIp6(bytes, 0) : fromNetworkOrder(bytes);
}

export function getNeighbours(net: NetStack, { dump, body, attributes, family }: Request): NlAnswer {
  const index = word(body.subarray(4));
  if (dump) {
    const all = [...(family === AF.INET6 ? [] : net.arp.list()), ...(family === AF.INET ? [] : net.v6.neighbours.list())];
    const shown = all.filter((entry) => index === 0 || entry.interface.index === index);
    return { parts: shown.map((entry) => ({ type: Rtm.NEWNEIGH, body: neighbourBody(entry) })) };
  }
  const device = net.interface(index);
  if (!device) return { error: -Errno.ENODEV };
  const [table, address] = [tableOf(net, family), addressIn(family, attributes.get(Nda.DST))];
  if (!table) return { error: -Errno.EAFNOSUPPORT };
  const entry = address === null ? undefined : table.find(device, address);
  return entry ? { parts: [{ type: Rtm.NEWNEIGH, body: neighbourBody(entry) }] } : { error: -Errno.ENOENT };
}

export function newNeighbour(net: NetStack, { body, attributes, family, flags }: Request): NlAnswer {
  const table = tableOf(net, family);
  if (!table) return { error: -Errno.EAFNOSUPPORT };
  const device = net.interface(word(body.subarray(4)));
  const [address, mac] = [addressIn(family, attributes.get(Nda.DST)), attributes.get(Nda.LLADDR)];
  if (!device) return { error: -Errno.ENODEV };
  if (address === null || mac?.length !== 6) return { error: -Errno.EINVAL };
  const known = table.find(device, address);
  if (known && flags & Nlm.EXCL) return { error: -Errno.EEXIST };
  if (!known && !(flags & Nlm.CREATE)) return { error: -Errno.ENOENT };
  return table.set(device, address, fromNetworkOrder(mac)) ? {} : { error: -Errno.ENOBUFS };
}

export function deleteNeighbour(net: NetStack, { body, attributes, family }: Request): NlAnswer {
  const [table, address] = [tableOf(net, family), addressIn(family, attributes.get(Nda.DST))];
  if (!table) return { error: -Errno.EAFNOSUPPORT };
  const device = net.interface(word(body.subarray(4)));
  if (!device) return { error: -Errno.ENODEV };
  return address !== null && table.remove(device, address) ? {} : { error: -Errno.ENOENT };
}
