import { Errno, failed, snapshotClass, WaitQueue, type Fail, type Result } from '../../base/index.js';
import type { BpfProgram } from '../../net/bpf.js';
import { capable, Cap } from '../capabilities.js';
import type { Kernel } from '../kernel.js';
import { ObjectBytes, type KernelMemory } from '../kernel-memory.js';
import { Poll } from '../open-file.js';
import { dropFilter, setFilterOption } from '../socket-filter.js';
import { familyOf, SocketFile, wordAt, wordBytes, type Control, type Incoming, type Outgoing } from '../socket-file.js';
import { AF, Msg, SO, SocketType, SOL_NETLINK, SOL_SOCKET } from '../socket-numbers.js';
import { getCommonOption, setCommonOption, setUnusedOption, unknownOption } from '../socket-options.js';
import type { Thread } from '../thread.js';
import { netlinkPorts, type NetlinkPorts } from './ports.js';
import { requests } from './rtnetlink.js';
import { HEADER, littleEndian, Nlm, NlType, readMessages, NlBody, writeMessage, type NlMessage } from './message.js';

/** Linux: net.core.rmem_default of 32-bit machines; SO_RCVBUF changes it. */
const RECEIVE_BUFFER = 163_840;
/** A dump comes in datagrams of up to this: programs read into 4 KiB, as NLMSG_GOODSIZE leaves it. */
const DATAGRAM = 3_584;
const NETLINK_ROUTE = 0;
/** NETLINK_KOBJECT_UEVENT: nothing is ever plugged in here, so its listeners hear nothing. */
const NETLINK_UEVENT = 15;
/** RTNLGRP_MAX */
const GROUP_MAX = 36;
const NLMSGERR_ATTR_MSG = 1;

export const NetlinkOption = {
  ADD_MEMBERSHIP: 1, DROP_MEMBERSHIP: 2, PKTINFO: 3, BROADCAST_ERROR: 4, NO_ENOBUFS: 5, LISTEN_ALL_NSID: 8, LIST_MEMBERSHIPS: 9, CAP_ACK: 10, EXT_ACK: 11, STRICT_CHECK: 12,
} as const;

interface Queued {
  bytes: Uint8Array;
  /** Port it came from, 0 the kernel; group it was sent to, 0 none. */
  port: number;
  group: number;
}

/** What a request came to: parts of an answer, each a message's type and body; or an errno and why. */
export interface NlAnswer {
  parts?: { type: number; body: Uint8Array }[];
  error?: Fail;
  /** For programs that asked for extended acknowledgements. */
  reason?: string;
}

/** struct sockaddr_nl: 0 family:16 | 4 port id | 8 groups */
function netlinkAddress(port: number, groups: number): Uint8Array {
  return wordBytes(AF.NETLINK, port, groups);
}

/** A socket of NETLINK_ROUTE (rtnetlink(7)). Requests are answered at once, into the socket's own queue. */
export class NetlinkSocket extends SocketFile {
  override readonly kind = 'socket.netlink';
  port = 0;
  filter: BpfProgram | null = null;
  private readonly ports: NetlinkPorts;
  private readonly memory: KernelMemory;
  private readonly groups = new Set<number>();
  private destination = { port: 0, group: 0 };
  private readonly queue: Queued[] = [];
  private queuedBytes = 0;
  private receiveBuffer = RECEIVE_BUFFER;
  private overrun = false;
  private readonly arrived = new WaitQueue();
  /** NETLINK_* options that are switched on. */
  private readonly options = new Set<number>();

  constructor(kernel: Kernel, type: number, protocol: number, flags: number) {
    super(kernel, AF.NETLINK, type, protocol, flags);
    this.ports = netlinkPorts(kernel);
    this.memory = kernel.memory;
    this.ports.sockets.push(this);
  }

  get strict(): boolean {
    return this.options.has(NetlinkOption.STRICT_CHECK);
  }

  // ---- addresses

  bind(_kernel: Kernel, thread: Thread, address: Uint8Array): Result {
    if (address.length < 12) return -Errno.EINVAL;
    if (familyOf(address) !== AF.NETLINK) return -Errno.EINVAL;
    const port = wordAt(address, 4);
    if (this.port !== 0 && port !== this.port && port !== 0) return -Errno.EINVAL;
    const bound = this.port !== 0 ? 0 : this.takePort(thread, port);
    if (bound) return bound;
    const mask = wordAt(address, 8) >>> 0;
    for (let group = 1; group <= 32; group++) {
      if ((mask >>> (group - 1)) & 1) this.groups.add(group);
      else this.groups.delete(group);
    }
    return 0;
  }

  /** Port 0: the process's own id, or a number below 0 when that is taken. */
  private takePort(thread: Thread, wanted: number): Result {
    if (wanted !== 0 && this.ports.find(this.protocol, wanted)) return -Errno.EADDRINUSE;
    this.port = wanted || this.ports.choose(this.protocol, thread.process.pid);
    return 0;
  }

  connect(_kernel: Kernel, thread: Thread, address: Uint8Array): Result {
    if (address.length < 2) return -Errno.EINVAL;
    const family = familyOf(address);
    if (family === AF.UNSPEC) {
      this.destination = { port: 0, group: 0 };
      return 0;
    }
    if (family !== AF.NETLINK || address.length < 12) return -Errno.EINVAL;
    const to = addressee(thread, address);
    if (failed(to)) return to;
    this.destination = to;
    return this.port === 0 ? this.takePort(thread, 0) : 0;
  }

  private get groupMask(): number {
    let mask = 0;
    for (const group of this.groups) if (group <= 32) mask |= 1 << (group - 1);
    return mask;
  }

  localName(): Uint8Array {
    return netlinkAddress(this.port, this.groupMask);
  }

  peerName(): Uint8Array {
    return netlinkAddress(this.destination.port, this.destination.group === 0 ? 0 : 1 << (this.destination.group - 1));
  }

  // ---- sending

  send(kernel: Kernel, thread: Thread, message: Outgoing): number {
    if (message.flags & Msg.OOB) return -Errno.EOPNOTSUPP;
    const to = message.address ? addressee(thread, message.address) : this.destination;
    if (failed(to)) return to;
    if (message.bytes.length > this.receiveBuffer) return -Errno.EMSGSIZE;
    if (this.port === 0) this.takePort(thread, 0);
    if (to.port === 0) {
      if (this.protocol === NETLINK_ROUTE) for (const request of readMessages(message.bytes)) this.request(kernel, thread, request);
    } else if (!this.ports.find(this.protocol, to.port)?.deliver(message.bytes, this.port, 0)) {
      return -Errno.ECONNREFUSED;
    }
    if (to.group !== 0) this.ports.multicast(this.protocol, to.group, message.bytes, this.port, this);
    return message.bytes.length;
  }

  /** rtnetlink_rcv: control messages and what is no request are passed over. */
  private request(kernel: Kernel, thread: Thread, request: NlMessage): void {
    if (!(request.flags & Nlm.REQUEST)) return;
    const answer = request.type < HEADER ? {} : requests(kernel, thread, this, request);
    const dump = answer.parts !== undefined && (request.flags & Nlm.DUMP) !== 0 && isGet(request.type);
    if (dump) this.dump(request, answer.parts ?? []);
    else for (const { type, body } of answer.parts ?? []) this.deliver(writeMessage(type, 0, request.sequence, this.port, body), 0, 0);
    if (answer.error !== undefined || (request.flags & Nlm.ACK && !dump)) this.acknowledge(request, answer);
  }

  private dump(request: NlMessage, parts: { type: number; body: Uint8Array }[]): void {
    const done = writeMessage(NlType.DONE, Nlm.MULTI, request.sequence, this.port, littleEndian(0));
    const filtered = this.strict && request.body.length > 4 ? Nlm.DUMP_FILTERED : 0;
    let datagram: Uint8Array[] = [];
    let length = 0;
    const flush = (): void => {
      if (length > 0) this.deliver(Buffer.concat(datagram, length), 0, 0);
      [datagram, length] = [[], 0];
    };
    for (const { type, body } of parts) {
      const bytes = writeMessage(type, Nlm.MULTI | filtered, request.sequence, this.port, body);
      if (length + bytes.length > DATAGRAM) flush();
      datagram.push(bytes);
      length += bytes.length;
    }
    flush();
    this.deliver(done, 0, 0);
  }

  /** NLMSG_ERROR: the errno (0 is success), the request's header, on failure all of it unless CAP_ACK, then the reason. */
  private acknowledge(request: NlMessage, { error = 0, reason }: NlAnswer): void {
    const capped = error === 0 || this.options.has(NetlinkOption.CAP_ACK);
    const body = new NlBody().raw(littleEndian(error)).raw(capped ? request.bytes.subarray(0, HEADER) : request.bytes);
    let flags = capped ? Nlm.CAPPED : 0;
    if (reason !== undefined && this.options.has(NetlinkOption.EXT_ACK)) {
      body.text(NLMSGERR_ATTR_MSG, reason);
      flags |= Nlm.ACK_TLVS;
    }
    this.deliver(writeMessage(NlType.ERROR, flags, request.sequence, this.port, body.bytes()), 0, 0);
  }

  // ---- receiving

  isMember(group: number): boolean {
    return this.groups.has(group);
  }

  /** False when the buffer is full: the reader is told ENOBUFS, unless it does not want to know. */
  deliver(bytes: Uint8Array, port: number, group: number): boolean {
    if (this.filter?.run({ bytes, network: 0, protocol: this.protocol, kind: 0, device: 0 }) === 0) return true;
    if (this.queuedBytes >= this.receiveBuffer || this.memory.take(bytes.length + ObjectBytes.message) < 0) {
      if (!this.options.has(NetlinkOption.NO_ENOBUFS)) this.overrun = true;
      this.arrived.wakeAll();
      return false;
    }
    this.queue.push({ bytes: bytes.slice(), port, group });
    this.queuedBytes += bytes.length + ObjectBytes.message;
    this.arrived.wakeAll();
    return true;
  }

  receive(kernel: Kernel, thread: Thread, length: number, flags: number): Incoming | number {
    if (flags & Msg.OOB) return -Errno.EOPNOTSUPP;
    const error = this.takeError();
    if (error) return -error;
    const [first] = this.queue;
    if (!first) return this.waitForInput(kernel, thread, 'netlink.recv', [this.arrived], flags);
    if (!(flags & Msg.PEEK)) {
      this.queue.shift();
      this.queuedBytes -= first.bytes.length + ObjectBytes.message;
      this.memory.give(first.bytes.length + ObjectBytes.message);
      this.consumed += first.bytes.length;
    }
    const control: Control[] = this.options.has(NetlinkOption.PKTINFO) ? [{ level: SOL_NETLINK, type: NetlinkOption.PKTINFO, data: wordBytes(first.group) }] : [];
    const mask = first.group === 0 || first.group > 32 ? 0 : 1 << (first.group - 1);
    return {
      bytes: first.bytes.subarray(0, length), length: first.bytes.length, address: netlinkAddress(first.port, mask),
      control, flags: first.bytes.length > length ? Msg.TRUNC : 0, files: [],
    };
  }

  /** For /proc/net/netlink. */
  listing(): { groups: number; queued: number } {
    return { groups: this.groupMask, queued: this.queuedBytes };
  }

  shutdown(_how: number): Result {
    return -Errno.EOPNOTSUPP;
  }

  override poll(): number {
    const readable = this.queue.length > 0 ? Poll.IN | Poll.RDNORM : 0;
    return Poll.OUT | Poll.WRBAND | readable | (this.overrun ? Poll.ERR : 0);
  }

  override waitQueues(_events: number): WaitQueue[] {
    return [this.arrived];
  }

  dropUnread(): number {
    const bytes = this.unreadBytes();
    this.queue.length = 0;
    this.memory.give(this.queuedBytes);
    this.queuedBytes = 0;
    return bytes;
  }

  private unreadBytes(): number {
    return this.queue.reduce((sum, { bytes }) => sum + bytes.length, 0);
  }

  unread(): number {
    return this.queue[0]?.bytes.length ?? 0;
  }

  takeError(): number {
    const error = this.overrun ? Errno.ENOBUFS : 0;
    this.overrun = false;
    return error;
  }

  // ---- options

  setOption(kernel: Kernel, thread: Thread, level: number, name: number, value: Uint8Array): Result {
    if (level === SOL_SOCKET) return this.setSocketLevel(kernel, thread, name, value);
    if (level !== SOL_NETLINK) return -Errno.ENOPROTOOPT;
    if (value.length < 4) return -Errno.EINVAL;
    const number = wordAt(value);
    switch (name) {
      case NetlinkOption.ADD_MEMBERSHIP: case NetlinkOption.DROP_MEMBERSHIP:
        if (number < 1 || number > GROUP_MAX) return -Errno.EINVAL;
        if (name === NetlinkOption.ADD_MEMBERSHIP) this.groups.add(number);
        else this.groups.delete(number);
        return 0;
      case NetlinkOption.PKTINFO: case NetlinkOption.BROADCAST_ERROR: case NetlinkOption.NO_ENOBUFS: case NetlinkOption.CAP_ACK:
      case NetlinkOption.EXT_ACK: case NetlinkOption.STRICT_CHECK:
        if (number) this.options.add(name);
        else this.options.delete(name);
        return 0;
    }
    return unknownOption(kernel, thread, 'setsockopt', level, name);
  }

  private setSocketLevel(kernel: Kernel, thread: Thread, name: number, value: Uint8Array): Result {
    if (name === SO.RCVBUF || name === SO.RCVBUFFORCE) {
      if (value.length < 4) return -Errno.EINVAL;
      if (name === SO.RCVBUFFORCE && !capable(thread.process.cred, Cap.NET_ADMIN)) return -Errno.EPERM;
      this.receiveBuffer = Math.max(2304, Math.min((wordAt(value) >>> 0) * 2, name === SO.RCVBUF ? RECEIVE_BUFFER * 2 : 4 << 20));
      return 0;
    }
    return setFilterOption(thread, this, name, value) ?? setCommonOption(this, name, value) ?? setUnusedOption(this, name, value)
      ?? unknownOption(kernel, thread, 'setsockopt', SOL_SOCKET, name);
  }

  getOption(kernel: Kernel, thread: Thread, level: number, name: number): Uint8Array | Fail {
    if (level === SOL_SOCKET) {
      if (name === SO.RCVBUF) return wordBytes(this.receiveBuffer);
      return getCommonOption(this, name) ?? unknownOption(kernel, thread, 'getsockopt', level, name);
    }
    if (level !== SOL_NETLINK) return -Errno.ENOPROTOOPT;
    if (name === NetlinkOption.LIST_MEMBERSHIPS) {
      const high = [...this.groups].some((group) => group > 32);
      return wordBytes(this.groupMask, high ? [...this.groups].reduce((mask, group) => (group > 32 ? mask | (1 << (group - 33)) : mask), 0) : 0);
    }
    return wordBytes(this.options.has(name) ? 1 : 0);
  }

  override close(kernel: Kernel): Result {
    this.dropUnread();
    dropFilter(kernel.memory, this);
    this.ports.remove(this);
    return 0;
  }
}
snapshotClass('NetlinkSocket', NetlinkSocket);

/** GET requests are every fourth, from RTM_GETLINK 18. */
function isGet(type: number): boolean {
  return (type & 3) === 2;
}

function addressee(thread: Thread, address: Uint8Array): { port: number; group: number } | Fail {
  if (address.length < 12 || familyOf(address) !== AF.NETLINK) return -Errno.EINVAL;
  const port = wordAt(address, 4);
  const group = lowestBit(wordAt(address, 8));
  if ((group !== 0 || port !== 0) && !capable(thread.process.cred, Cap.NET_ADMIN)) return -Errno.EPERM;
  return { port, group };
}

function lowestBit(mask: number): number {
  return mask === 0 ? 0 : 32 - Math.clz32(mask & -mask);
}


/** socket(AF_NETLINK, …). Other protocols are parts of Linux this machine does not have. */
export function netlinkSocket(kernel: Kernel, thread: Thread, type: number, protocol: number, flags: number): NetlinkSocket | Fail {
  if (type !== SocketType.RAW && type !== SocketType.DGRAM) return -Errno.ESOCKTNOSUPPORT;
  if (protocol < 0 || protocol >= 32) return -Errno.EPROTONOSUPPORT;
  if (protocol === NETLINK_ROUTE || protocol === NETLINK_UEVENT) return new NetlinkSocket(kernel, type, protocol, flags);
  kernel.countUnknown(`socket AF_NETLINK protocol ${protocol}`, thread.process.comm);
  return -Errno.EPROTONOSUPPORT;
}
