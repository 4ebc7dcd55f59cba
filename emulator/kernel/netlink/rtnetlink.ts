import { Errno } from '../../base/index.js';
import type { NetStack } from '../../net/stack.js';
import { capable, Cap } from '../capabilities.js';
import type { Kernel } from '../kernel.js';
import type { Thread } from '../thread.js';
import { AF } from '../socket-numbers.js';
import { deleteAddress, getAddresses, IFADDR, newAddress } from './addresses.js';
import { getLink, IFINFO, setLink } from './links.js';
import { littleEndian, NlBody, Nlm, readAttributes, type NlMessage } from './message.js';
import { deleteNeighbour, getNeighbours, NDMSG, newNeighbour } from './neighbours.js';
import type { NetlinkSocket, NlAnswer } from './netlink-socket.js';
import { deleteRoute, getRoutes, newRoute, RTMSG } from './routes.js';
import { Rtm, rtmName } from './rtm.js';

/** A request taken apart. */
export interface Request {
  family: number;
  flags: number;
  dump: boolean;
  /** The fixed part, whole. */
  body: Uint8Array;
  attributes: Map<number, Uint8Array>;
  /** The socket wants dumps filtered by what it says (NETLINK_GET_STRICT_CHK). */
  strict: boolean;
}

interface Handler {
  /** Bytes of the fixed part. */
  head: number;
  run(net: NetStack, request: Request): NlAnswer;
}

const handlers = new Map<number, Handler>([
  [Rtm.GETLINK, { head: IFINFO, run: getLink }],
  [Rtm.NEWLINK, { head: IFINFO, run: setLink }],
  [Rtm.SETLINK, { head: IFINFO, run: setLink }],
  [Rtm.GETADDR, { head: IFADDR, run: getAddresses }],
  [Rtm.NEWADDR, { head: IFADDR, run: newAddress }],
  [Rtm.DELADDR, { head: IFADDR, run: deleteAddress }],
  [Rtm.GETROUTE, { head: RTMSG, run: getRoutes }],
  [Rtm.NEWROUTE, { head: RTMSG, run: newRoute }],
  [Rtm.DELROUTE, { head: RTMSG, run: deleteRoute }],
  [Rtm.GETNEIGH, { head: NDMSG, run: getNeighbours }],
  [Rtm.NEWNEIGH, { head: NDMSG, run: newNeighbour }],
  [Rtm.DELNEIGH, { head: NDMSG, run: deleteNeighbour }],
  [Rtm.GETRULE, { head: RTMSG, run: getRules }],
]);

/** Answer one request. Families without a handler of their own share the unspecified one's, as in rtnetlink_rcv_msg. */
export function requests(kernel: Kernel, thread: Thread, socket: NetlinkSocket, message: NlMessage): NlAnswer {
  const { net } = kernel;
  const get = (message.type & 3) === 2;
  if (!get && !capable(thread.process.cred, Cap.NET_ADMIN)) return { error: -Errno.EPERM };
  const handler = handlers.get(message.type);
  const family = message.body[0] ?? 0;
  if (!handler || !net) {
    kernel.countUnknown(`netlink ${rtmName(message.type)}`, thread.process.comm);
    return { error: -Errno.EOPNOTSUPP };
  }
  const dump = get && (message.flags & Nlm.DUMP) !== 0;
  // A dump may be asked for with struct rtgenmsg alone: one byte of family.
  const short = message.body.length < handler.head;
  if (short && !(dump && message.body.length >= 1)) return { error: -Errno.EINVAL };
  const body = new Uint8Array(handler.head);
  body.set(message.body.subarray(0, handler.head));
  const attributes = readAttributes(message.body.subarray(handler.head), socket.strict);
  if (!attributes) return { error: -Errno.EINVAL };
  const answer = handler.run(net, { family, flags: message.flags, dump, body, attributes, strict: socket.strict && !short });
  if (answer.error === -Errno.EOPNOTSUPP || answer.error === -Errno.EAFNOSUPPORT) kernel.countUnknown(`netlink ${rtmName(message.type)}${family === AF.INET6 ? ' of AF_INET6' : ''}`, thread.process.comm);
  return answer;
}

const FRA_PRIORITY = 6;
const FRA_TABLE = 15;
const FR_ACT_TO_TBL = 1;

/** The three rules every machine starts with: local, main, default. They cannot be changed here. */
function getRules(_net: NetStack, { dump }: Request): NlAnswer {
  if (!dump) return { error: -Errno.EOPNOTSUPP };
  const rule = (priority: number, table: number): Uint8Array => {
    const body = new NlBody().raw(Uint8Array.of(AF.INET, 0, 0, 0, table, 0, 0, FR_ACT_TO_TBL)).raw(littleEndian(0)).u32(FRA_TABLE, table);
    return (priority === 0 ? body : body.u32(FRA_PRIORITY, priority)).bytes();
  };
  return { parts: [rule(0, 255), rule(32766, 254), rule(32767, 253)].map((body) => ({ type: Rtm.NEWRULE, body })) };
}
