import { Errno, failed, type Fail, type Result } from '../../base/index.js';
import { OpenFlag } from '../../vfs/open-flags.js';
import { inetSocket } from '../inet-socket.js';
import type { Kernel } from '../kernel.js';
import { netlinkSocket } from '../netlink/netlink-socket.js';
import type { OpenFile } from '../open-file.js';
import { packetSocket } from '../packet-socket.js';
import { progressOf, SocketFile, wordAt, wordBytes, type Control, type Incoming, type Outgoing } from '../socket-file.js';
import {
  AF, Msg, SCM_CREDENTIALS, SCM_RIGHTS, SOCK_CLOEXEC, SOCK_NONBLOCK, SOCK_TYPE_MASK, SocketType, SOL_SOCKET,
} from '../socket-numbers.js';
import { BLOCKED, defineSyscalls, type Handler } from '../syscall-table.js';
import type { Thread } from '../thread.js';
import { UnixSocket } from '../unix-socket.js';
import { readTimespec, toNanoseconds } from '../user-memory.js';

/** sizeof(struct sockaddr_storage): no address is longer. */
const ADDRESS_MAX = 128;
const IOV_MAX = 1024;
const CONTROL_MAX = 10_240;
const SCM_MAX_FD = 253;
const MMSG_MAX = 1024;

function socketAt(thread: Thread, fd: number): SocketFile | Fail {
  const file = thread.process.fds.get(fd);
  if (!file) return -Errno.EBADF;
  return file instanceof SocketFile ? file : -Errno.ENOTSOCK;
}

// ---- addresses

function copyinAddress(thread: Thread, va: number, length: number): Uint8Array | Fail {
  if (length < 0 || length > ADDRESS_MAX) return -Errno.EINVAL;
  return thread.process.space.copyin(va >>> 0, length);
}

/** Value-result length: the address is cut to the buffer, the length told is the whole. */
function copyoutAddress(thread: Thread, address: Uint8Array, va: number, lengthVa: number): Result {
  const { space } = thread.process;
  const words = space.readWords(lengthVa >>> 0, 1);
  if (failed(words)) return words;
  if (words[0] < 0) return -Errno.EINVAL;
  const result = space.copyout(va >>> 0, address.subarray(0, words[0]));
  return failed(result) ? result : space.writeWords(lengthVa >>> 0, [address.length]);
}

// ---- making sockets

function newSocket(kernel: Kernel, thread: Thread, domain: number, type: number, protocol: number): SocketFile | Fail {
  const flags = type & SOCK_NONBLOCK ? OpenFlag.NONBLOCK : 0;
  if (type & ~(SOCK_TYPE_MASK | SOCK_NONBLOCK | SOCK_CLOEXEC)) return -Errno.EINVAL;
  const kind = type & SOCK_TYPE_MASK;
  if (kind > SocketType.PACKET) return -Errno.EINVAL;
  if (domain === AF.INET || domain === AF.INET6) return inetSocket(kernel, thread, domain, kind, protocol, flags);
  if (domain === AF.UNIX) {
    if (protocol !== 0 && protocol !== AF.UNIX) return -Errno.EPROTONOSUPPORT;
    if (kind !== SocketType.STREAM && kind !== SocketType.DGRAM && kind !== SocketType.SEQPACKET) return -Errno.ESOCKTNOSUPPORT;
    return new UnixSocket(kernel, thread, kind, flags);
  }
  if (domain === AF.PACKET) return packetSocket(kernel, thread, kind, protocol, flags);
  if (domain === AF.NETLINK) return netlinkSocket(kernel, thread, kind, protocol, flags);
  kernel.countUnknown(`socket family ${domain} type ${kind} protocol ${protocol}`, thread.process.comm);
  return -Errno.EAFNOSUPPORT;
}

function install(kernel: Kernel, thread: Thread, socket: SocketFile, type: number): Result {
  const fd = thread.process.fds.install(socket, 0, (type & SOCK_CLOEXEC) !== 0);
  if (failed(fd)) socket.close(kernel);
  return fd;
}

const socket: Handler = (kernel, thread, domain, type, protocol) => {
  const made = newSocket(kernel, thread, domain, type, protocol);
  return failed(made) ? made : install(kernel, thread, made, type);
};

const socketpair: Handler = (kernel, thread, domain, type, protocol, va) => {
  if (domain !== AF.UNIX) return domain === AF.INET || domain === AF.INET6 ? -Errno.EOPNOTSUPP : -Errno.EAFNOSUPPORT;
  const [a, b] = [newSocket(kernel, thread, domain, type, protocol), newSocket(kernel, thread, domain, type, protocol)];
  if (failed(a)) return a;
  if (!(a instanceof UnixSocket && b instanceof UnixSocket)) return -Errno.EOPNOTSUPP;
  a.pairWith(b);
  const { fds, space } = thread.process;
  const first = install(kernel, thread, a, type);
  if (failed(first)) return first;
  const second = install(kernel, thread, b, type);
  const result = failed(second) ? second : space.writeWords(va >>> 0, [first, second]);
  if (!failed(result)) return 0;
  fds.close(kernel, first);
  if (!failed(second)) fds.close(kernel, second);
  return result;
};

const bind: Handler = (kernel, thread, fd, va, length) => {
  const file = socketAt(thread, fd);
  if (failed(file)) return file;
  const address = copyinAddress(thread, va, length);
  return failed(address) ? address : file.bind(kernel, thread, address);
};

const connect: Handler = (kernel, thread, fd, va, length) => {
  const file = socketAt(thread, fd);
  if (failed(file)) return file;
  const address = copyinAddress(thread, va, length);
  return failed(address) ? address : file.connect(kernel, thread, address);
};

const listen: Handler = (kernel, thread, fd, backlog) => {
  const file = socketAt(thread, fd);
  return failed(file) ? file : file.listen(kernel, backlog);
};

const accept4: Handler = (kernel, thread, fd, va, lengthVa, flags) => {
  const file = socketAt(thread, fd);
  if (failed(file)) return file;
  if (flags & ~(SOCK_NONBLOCK | SOCK_CLOEXEC)) return -Errno.EINVAL;
  const room = thread.process.fds.lowestFree();
  if (failed(room)) return room;
  const connection = file.accept(kernel, thread, flags & SOCK_NONBLOCK ? OpenFlag.NONBLOCK : 0);
  if (typeof connection === 'number') return connection;
  if (va !== 0) {
    const peer = connection.clientName();
    const result = failed(peer) ? peer : copyoutAddress(thread, peer, va, lengthVa);
    if (failed(result)) {
      connection.close(kernel);
      return result;
    }
  }
  return install(kernel, thread, connection, flags);
};

const accept: Handler = (kernel, thread, fd, va, lengthVa) => accept4(kernel, thread, fd, va, lengthVa, 0, 0, 0, 0);

const getsockname: Handler = (_kernel, thread, fd, va, lengthVa) => {
  const file = socketAt(thread, fd);
  return failed(file) ? file : copyoutAddress(thread, file.localName(), va, lengthVa);
};

const getpeername: Handler = (_kernel, thread, fd, va, lengthVa) => {
  const file = socketAt(thread, fd);
  if (failed(file)) return file;
  const name = file.peerName();
  return failed(name) ? name : copyoutAddress(thread, name, va, lengthVa);
};

const shutdown: Handler = (_kernel, thread, fd, how) => {
  const file = socketAt(thread, fd);
  if (failed(file)) return file;
  return how < 0 || how > 2 ? -Errno.EINVAL : file.shutdown(how);
};

// ---- options

const setsockopt: Handler = (kernel, thread, fd, level, name, va, length) => {
  const file = socketAt(thread, fd);
  if (failed(file)) return file;
  if (length < 0) return -Errno.EINVAL;
  const value = thread.process.space.copyin(va >>> 0, Math.min(length, 256));
  return failed(value) ? value : file.setOption(kernel, thread, level, name, value);
};

const getsockopt: Handler = (kernel, thread, fd, level, name, va, lengthVa) => {
  const file = socketAt(thread, fd);
  if (failed(file)) return file;
  const { space } = thread.process;
  const words = space.readWords(lengthVa >>> 0, 1);
  if (failed(words)) return words;
  if (words[0] < 0) return -Errno.EINVAL;
  const value = file.getOption(kernel, thread, level, name);
  if (failed(value)) return value;
  const shown = value.subarray(0, words[0]);
  const result = space.copyout(va >>> 0, shown);
  return failed(result) ? result : space.writeWords(lengthVa >>> 0, [shown.length]);
};

// ---- sending

const sendto: Handler = (kernel, thread, fd, va, length, flags, addressVa, addressLength) => {
  const file = socketAt(thread, fd);
  if (failed(file)) return file;
  if (length < 0) return -Errno.EINVAL;
  const bytes = thread.process.space.copyin(va >>> 0, length);
  if (failed(bytes)) return bytes;
  const address = addressVa === 0 ? null : copyinAddress(thread, addressVa, addressLength);
  if (failed(address)) return address;
  return file.sendOrSignal(kernel, thread, { bytes, address, control: [], flags, files: [] });
};

const send: Handler = (kernel, thread, fd, va, length, flags) => sendto(kernel, thread, fd, va, length, flags, 0, 0, 0);

/** struct msghdr (28 bytes): 0 name | 4 name length | 8 iovec | 12 count | 16 control | 20 control length | 24 flags */
interface MessageHeader {
  va: number;
  name: number;
  nameLength: number;
  vectors: { base: number; length: number }[];
  control: number;
  controlLength: number;
}

function readHeader(thread: Thread, va: number): MessageHeader | Fail {
  const { space } = thread.process;
  const words = space.readWords(va >>> 0, 7);
  if (failed(words)) return words;
  const [name, nameLength, iov, count, control, controlLength] = words;
  if (count < 0 || count > IOV_MAX) return -Errno.EMSGSIZE;
  const entries = count === 0 ? new Int32Array(0) : space.readWords(iov >>> 0, count * 2);
  if (failed(entries)) return entries;
  const vectors = Array.from({ length: count }, (_, i) => ({ base: entries[2 * i] >>> 0, length: entries[2 * i + 1] }));
  let total = 0;
  for (const { length } of vectors) {
    if (length < 0 || (total += length) > 0x7fffffff) return -Errno.EINVAL;
  }
  return { va: va >>> 0, name: name >>> 0, nameLength, vectors, control: control >>> 0, controlLength };
}

function gather(thread: Thread, header: MessageHeader): Uint8Array | Fail {
  const total = header.vectors.reduce((sum, { length }) => sum + length, 0);
  if (total > thread.process.space.ram.bytes) return -Errno.ENOMEM;
  // Nothing a socket here takes in one call is longer than the device's memory; copyin says ENOMEM.
  const parts: Uint8Array[] = [];
  for (const { base, length } of header.vectors) {
    const part = thread.process.space.copyin(base, length);
    if (failed(part)) return part;
    parts.push(part);
  }
  return parts.length === 1 ? parts[0] : Buffer.concat(parts, total);
}

/** Control messages: cmsghdr {length, level, type}, data, padded to 4. EINVAL for a malformed list. */
function readControl(thread: Thread, header: MessageHeader): { control: Control[]; files: OpenFile[] } | Fail {
  const { process } = thread;
  if (header.control === 0 || header.controlLength === 0) return { control: [], files: [] };
  if (header.controlLength < 0 || header.controlLength > CONTROL_MAX) return -Errno.ENOBUFS;
  const bytes = process.space.copyin(header.control, header.controlLength);
  if (failed(bytes)) return bytes;
  const control: Control[] = [];
  const files: OpenFile[] = [];
  for (let at = 0; at + 12 <= bytes.length;) {
    const length = wordAt(bytes, at);
    if (length < 12 || at + length > bytes.length) return -Errno.EINVAL;
    const entry = { level: wordAt(bytes, at + 4), type: wordAt(bytes, at + 8), data: bytes.slice(at + 12, at + length) };
    if (entry.level === SOL_SOCKET && entry.type === SCM_RIGHTS) {
      if (entry.data.length > SCM_MAX_FD * 4) return -Errno.EINVAL;
      for (let i = 0; i + 4 <= entry.data.length; i += 4) {
        const file = process.fds.get(wordAt(entry.data, i));
        if (!file) return -Errno.EBADF;
        files.push(file);
      }
    } else if (entry.level === SOL_SOCKET && entry.type === SCM_CREDENTIALS) {
      if (entry.data.length < 12) return -Errno.EINVAL;
      if (wordAt(entry.data) !== process.pid && process.cred.euid !== 0) return -Errno.EPERM;
    } else {
      control.push(entry);
    }
    at += (length + 3) & ~3;
  }
  return { control, files };
}

function outgoing(thread: Thread, va: number, flags: number): Outgoing | Fail {
  const header = readHeader(thread, va);
  if (failed(header)) return header;
  const bytes = gather(thread, header);
  if (failed(bytes)) return bytes;
  const address = header.name === 0 || header.nameLength === 0 ? null : copyinAddress(thread, header.name, header.nameLength);
  if (failed(address)) return address;
  const control = readControl(thread, header);
  return failed(control) ? control : { bytes, address, flags, ...control };
}

const sendmsg: Handler = (kernel, thread, fd, va, flags) => {
  const file = socketAt(thread, fd);
  if (failed(file)) return file;
  const message = outgoing(thread, va, flags);
  return failed(message) ? message : file.sendOrSignal(kernel, thread, message);
};

/** struct mmsghdr: a msghdr and, at 28, the bytes moved. */
const MMSGHDR = 32;

const sendmmsg: Handler = (kernel, thread, fd, va, count, flags) => {
  const file = socketAt(thread, fd);
  if (failed(file)) return file;
  const progress = progressOf(thread);
  const total = Math.min(count >>> 0, MMSG_MAX);
  while (progress.messages < total) {
    const at = (va >>> 0) + progress.messages * MMSGHDR;
    const message = outgoing(thread, at, flags);
    const sent = failed(message) ? message : file.sendOrSignal(kernel, thread, message);
    if (sent === BLOCKED) return blockedWith(thread, progress.messages, progress.sent);
    if (failed(sent)) return progress.messages > 0 ? progress.messages : sent;
    const result = thread.process.space.writeWords(at + 28, [sent]);
    if (failed(result)) return result;
    progress.messages++;
    progress.sent = 0;
    if (thread.blocked) thread.blocked.data = progress;
  }
  return progress.messages;
};

/** The record of a call that did some messages and waits for the next: a signal ends it with that count. */
function blockedWith(thread: Thread, messages: number, sent: number): number {
  if (thread.blocked) {
    thread.blocked.data = { messages, sent };
    thread.blocked.partial = messages > 0 ? messages : null;
  }
  return BLOCKED;
}

// ---- receiving

const recvfrom: Handler = (kernel, thread, fd, va, length, flags, addressVa, lengthVa) => {
  const file = socketAt(thread, fd);
  if (failed(file)) return file;
  if (length < 0) return -Errno.EINVAL;
  const message = file.receive(kernel, thread, length, flags);
  if (typeof message === 'number') return message;
  for (const passed of message.files) passed.release(kernel);
  const result = thread.process.space.copyout(va >>> 0, message.bytes);
  if (failed(result)) return result;
  if (addressVa !== 0) {
    const named = copyoutAddress(thread, message.address ?? new Uint8Array(0), addressVa, lengthVa);
    if (failed(named)) return named;
  }
  return flags & Msg.TRUNC ? message.length : message.bytes.length;
};

const recv: Handler = (kernel, thread, fd, va, length, flags) => recvfrom(kernel, thread, fd, va, length, flags, 0, 0, 0);

function scatter(thread: Thread, header: MessageHeader, bytes: Uint8Array): Result {
  let at = 0;
  for (const { base, length } of header.vectors) {
    if (at >= bytes.length) return 0;
    const result = thread.process.space.copyout(base, bytes.subarray(at, at + length));
    if (failed(result)) return result;
    at += length;
  }
  return 0;
}

/** Install the descriptors that came along, as many as fit; MSG_CTRUNC when some do not. */
function receiveFiles(kernel: Kernel, thread: Thread, files: OpenFile[], room: number, cloexec: boolean): { control: Control[]; lost: boolean } {
  const descriptors: number[] = [];
  let lost = false;
  for (const file of files) {
    const fits = 12 + (descriptors.length + 1) * 4 <= room;
    const fd = fits ? thread.process.fds.install(file, 0, cloexec) : -Errno.EMFILE;
    if (failed(fd)) lost = true;
    else descriptors.push(fd);
    file.release(kernel);
  }
  const control = descriptors.length > 0 ? [{ level: SOL_SOCKET, type: SCM_RIGHTS, data: wordBytes(...descriptors) }] : [];
  return { control, lost };
}

/** The control list cut to the caller's buffer, as put_cmsg cuts it. */
function packControl(control: Control[], room: number): { bytes: Uint8Array; used: number; truncated: boolean } {
  const bytes = new Uint8Array(room);
  let used = 0;
  for (const { level, type, data } of control) {
    if (room - used < 12) return { bytes, used, truncated: true };
    const length = Math.min(12 + data.length, room - used);
    bytes.set(wordBytes(length, level, type), used);
    bytes.set(data.subarray(0, length - 12), used + 12);
    used = Math.min(room, used + ((length + 3) & ~3));
    if (length < 12 + data.length) return { bytes, used, truncated: true };
  }
  return { bytes, used, truncated: false };
}

function deliverMessage(kernel: Kernel, thread: Thread, header: MessageHeader, message: Incoming, flags: number): number {
  const { space } = thread.process;
  const data = scatter(thread, header, message.bytes);
  if (failed(data)) {
    for (const file of message.files) file.release(kernel);
    return data;
  }
  let outFlags = message.flags;
  const room = header.control === 0 ? 0 : Math.max(0, Math.min(header.controlLength, CONTROL_MAX));
  const passed = receiveFiles(kernel, thread, message.files, room, (flags & Msg.CMSG_CLOEXEC) !== 0);
  const packed = packControl([...message.control, ...passed.control], room);
  if (packed.truncated || passed.lost) outFlags |= Msg.CTRUNC;
  if (flags & Msg.CMSG_CLOEXEC) outFlags |= Msg.CMSG_CLOEXEC;
  const address = message.address ?? new Uint8Array(0);
  const results = [
    header.name === 0 ? 0 : space.copyout(header.name, address.subarray(0, Math.max(0, header.nameLength))),
    header.name === 0 ? 0 : space.writeWords(header.va + 4, [address.length]),
    packed.used === 0 ? 0 : space.copyout(header.control, packed.bytes.subarray(0, packed.used)),
    space.writeWords(header.va + 20, [packed.used, outFlags]),
  ];
  const bad = results.find((result) => failed(result));
  if (bad !== undefined) return bad;
  return flags & Msg.TRUNC ? message.length : message.bytes.length;
}

function receiveInto(kernel: Kernel, thread: Thread, file: SocketFile, va: number, flags: number): number {
  const header = readHeader(thread, va);
  if (failed(header)) return header;
  const room = header.vectors.reduce((sum, { length }) => sum + length, 0);
  const message = file.receive(kernel, thread, room, flags);
  return typeof message === 'number' ? message : deliverMessage(kernel, thread, header, message, flags);
}

const recvmsg: Handler = (kernel, thread, fd, va, flags) => {
  const file = socketAt(thread, fd);
  return failed(file) ? file : receiveInto(kernel, thread, file, va, flags);
};

/** recvmmsg(2). The time-out is looked at after each message only, as the manual page says of Linux. */
function receiveMany(kernel: Kernel, thread: Thread, fd: number, va: number, count: number, flags: number, timeoutVa: number, wide: boolean): number {
  const file = socketAt(thread, fd);
  if (failed(file)) return file;
  const timeout = timeoutVa === 0 ? null : readTimespec(thread.process.space, timeoutVa, wide);
  if (failed(timeout)) return timeout;
  const progress = progressOf(thread) as ManyProgress;
  progress.began ??= kernel.clock.cycles;
  const deadline = timeout ? progress.began + kernel.clock.toCycles(toNanoseconds(timeout)) : Infinity;
  const total = Math.min(count >>> 0, MMSG_MAX);
  while (progress.messages < total) {
    const at = (va >>> 0) + progress.messages * MMSGHDR;
    const got = receiveInto(kernel, thread, file, at, flags & ~Msg.WAITFORONE | (flags & Msg.WAITFORONE && progress.messages > 0 ? Msg.DONTWAIT : 0));
    if (got === BLOCKED) {
      blockedWith(thread, progress.messages, 0);
      if (thread.blocked) (thread.blocked.data as ManyProgress).began = progress.began;
      return BLOCKED;
    }
    if (failed(got)) return progress.messages > 0 ? progress.messages : got;
    const result = thread.process.space.writeWords(at + 28, [got]);
    if (failed(result)) return result;
    progress.messages++;
    if (kernel.clock.cycles >= deadline) break;
  }
  return progress.messages;
}

interface ManyProgress {
  sent: number;
  messages: number;
  /** Cycles at which the call began. */
  began?: number;
}

const recvmmsg: Handler = (kernel, thread, fd, va, count, flags, timeout) => receiveMany(kernel, thread, fd, va, count, flags, timeout, false);
const recvmmsg64: Handler = (kernel, thread, fd, va, count, flags, timeout) => receiveMany(kernel, thread, fd, va, count, flags, timeout, true);

// ---- socketcall: number in linux/net.h -> handler and how many words of arguments it has

const calls: readonly (readonly [Handler, number] | null)[] = [
  null, [socket, 3], [bind, 3], [connect, 3], [listen, 2], [accept, 3], [getsockname, 3], [getpeername, 3], [socketpair, 4],
  [send, 4], [recv, 4], [sendto, 6], [recvfrom, 6], [shutdown, 2], [setsockopt, 5], [getsockopt, 5], [sendmsg, 3],
  [recvmsg, 3], [accept4, 4], [recvmmsg, 5], [sendmmsg, 4],
];

const socketcall: Handler = (kernel, thread, number, va) => {
  const entry = calls[number];
  if (!entry) return -Errno.EINVAL;
  const [handler, count] = entry;
  const words = thread.process.space.readWords(va >>> 0, count);
  if (failed(words)) return words;
  const a = [...words, 0, 0, 0, 0, 0, 0];
  return handler(kernel, thread, a[0], a[1], a[2], a[3], a[4], a[5], a[6]);
};

defineSyscalls({
  4102: ['socketcall', 2, socketcall],
  4168: ['accept', 3, accept],
  4169: ['bind', 3, bind],
  4170: ['connect', 3, connect],
  4171: ['getpeername', 3, getpeername],
  4172: ['getsockname', 3, getsockname],
  4173: ['getsockopt', 5, getsockopt],
  4174: ['listen', 2, listen],
  4175: ['recv', 4, recv],
  4176: ['recvfrom', 6, recvfrom],
  4177: ['recvmsg', 3, recvmsg],
  4178: ['send', 4, send],
  4179: ['sendmsg', 3, sendmsg],
  4180: ['sendto', 6, sendto],
  4181: ['setsockopt', 5, setsockopt],
  4182: ['shutdown', 2, shutdown],
  4183: ['socket', 3, socket],
  4184: ['socketpair', 4, socketpair],
  4334: ['accept4', 4, accept4],
  4335: ['recvmmsg', 5, recvmmsg],
  4343: ['sendmmsg', 4, sendmmsg],
  4417: ['recvmmsg_time64', 5, recvmmsg64],
});
