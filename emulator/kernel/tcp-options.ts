import { Errno, type Fail, type Result } from '../base/index.js';
import { MAX_RECEIVE_BUFFER } from '../net/datagram-socket.js';
import type { TcpConnection, TcpState } from '../net/tcp/index.js';
import { ownMss, output, rto, segmentRoom, sendAck } from '../net/tcp/segment-out.js';
import { startKeepalive } from '../net/tcp/timers.js';
import { getIp6Option, setIp6Option } from './inet6-options.js';
import type { Kernel } from './kernel.js';
import { wordAt, wordBytes } from './socket-file.js';
import { IpOption, SO, SOL_IP, SOL_IPV6, SOL_SOCKET, SOL_TCP } from './socket-numbers.js';
import { getCommonOption, setCommonOption, unknownOption } from './socket-options.js';
import type { TcpSocket } from './tcp-socket.js';
import type { Thread } from './thread.js';

/** linux/tcp.h */
const TcpOption = {
  NODELAY: 1, MAXSEG: 2, CORK: 3, KEEPIDLE: 4, KEEPINTVL: 5, KEEPCNT: 6, SYNCNT: 7, LINGER2: 8, DEFER_ACCEPT: 9, WINDOW_CLAMP: 10,
  INFO: 11, QUICKACK: 12, CONGESTION: 13, MD5SIG: 14, USER_TIMEOUT: 18, FASTOPEN: 23,
} as const;

const SECOND = 1e9;
/** Linux: SOCK_MIN_SNDBUF, SOCK_MIN_RCVBUF. */
const MIN_BUFFER = 4608;
const MIN_RECEIVE = 2304;
/** Linux: MAX_TCP_KEEPIDLE, _KEEPINTVL, _KEEPCNT, _SYNCNT. */
const MAX_KEEP = 32_767;
const MAX_COUNT = 127;

export function setTcpOption(kernel: Kernel, thread: Thread, socket: TcpSocket, level: number, name: number, value: Uint8Array): Result {
  let result: Result | null = null;
  if (level === SOL_SOCKET) result = setSocketLevel(kernel, thread, socket, name, value);
  else if (level === SOL_IP) result = setIpLevel(socket, name, value);
  else if (level === SOL_IPV6) result = setIp6Option(kernel, socket, name, value);
  else if (level === SOL_TCP) result = value.length < 4 && name !== TcpOption.CONGESTION && name !== TcpOption.MD5SIG ? -Errno.EINVAL : setTcpLevel(socket, name, value);
  return result ?? unknownOption(kernel, thread, 'setsockopt', level, name);
}

function setSocketLevel(kernel: Kernel, thread: Thread, socket: TcpSocket, name: number, value: Uint8Array): Result | null {
  const { connection } = socket;
  if (name === SO.LINGER) {
    if (value.length < 8) return -Errno.EINVAL;
    connection.configure({ linger: wordAt(value) ? Math.max(0, wordAt(value, 4)) * SECOND : -1 });
    return 0;
  }
  if (name === SO.BINDTODEVICE) return bindToDevice(kernel, connection, value);
  if (value.length >= 4) {
    const set = setSocketNumber(kernel, thread, connection, name, wordAt(value));
    if (set !== null) return set;
  }
  return setCommonOption(socket, name, value);
}

function setSocketNumber(kernel: Kernel, thread: Thread, connection: TcpConnection, name: number, number: number): Result | null {
  const on = number !== 0;
  switch (name) {
    case SO.REUSEADDR: connection.configure({ reuseAddress: on }); return 0;
    case SO.REUSEPORT: connection.configure({ reusePort: on }); return 0;
    case SO.BROADCAST: return 0;
    case SO.OOBINLINE: connection.configure({ oobInline: on }); return 0;
    case SO.KEEPALIVE: keepAlive(connection, on); return 0;
    case SO.RCVLOWAT: connection.configure({ receiveLowWater: number < 0 ? 0x7fffffff : Math.max(1, number) }); return 0;
    case SO.SNDBUF: connection.configure({ sendBuffer: doubled(number, MIN_BUFFER), sendBufferFixed: true }); return 0;
    case SO.RCVBUF: connection.configure({ receiveBuffer: doubled(number, MIN_RECEIVE) }); return 0;
    case SO.SNDBUFFORCE: case SO.RCVBUFFORCE: {
      if (thread.process.cred.euid !== 0) return -Errno.EPERM;
      // Forced past the maximum, yet a guest must not take the whole device: 4 MiB.
      const size = Math.max(MIN_BUFFER, Math.min((number >>> 0) * 2, 4 << 20));
      connection.configure(name === SO.RCVBUFFORCE ? { receiveBuffer: size } : { sendBuffer: size, sendBufferFixed: true });
      return 0;
    }
    case SO.BINDTOIFINDEX:
      if (number !== 0 && !kernel.net?.interface(number)) return -Errno.ENODEV;
      connection.configure({ device: number });
      return 0;
  }
  return null;
}

/** The value is doubled for bookkeeping (socket(7)). */
function doubled(wanted: number, least: number): number {
  return Math.max(least, Math.min(wanted < 0 ? 0x7fffffff : wanted * 2, MAX_RECEIVE_BUFFER));
}

function bindToDevice(kernel: Kernel, connection: TcpConnection, value: Uint8Array): Result {
  const end = value.indexOf(0);
  const name = Buffer.from(value.subarray(0, end < 0 ? 15 : Math.min(end, 15))).toString('latin1');
  const device = name === '' ? null : kernel.net?.interface(name);
  if (device === undefined) return -Errno.ENODEV;
  connection.configure({ device: device?.index ?? 0 });
  return 0;
}

function keepAlive(connection: TcpConnection, on: boolean): void {
  connection.configure({ keepAlive: on });
  if (on) startKeepalive(connection);
  else connection.lifeAt = Infinity;
}

function setIpLevel(socket: TcpSocket, name: number, value: Uint8Array): Result | null {
  if (value.length < 1) return -Errno.EINVAL;
  const number = value.length >= 4 ? wordAt(value) : value[0];
  switch (name) {
    case IpOption.TOS: socket.connection.configure({ tos: number & 0xff }); return 0;
    case IpOption.TTL:
      if (number !== -1 && (number < 1 || number > 255)) return -Errno.EINVAL;
      socket.connection.configure({ ttl: number === -1 ? 64 : number });
      return 0;
    case IpOption.MTU_DISCOVER:
      if (number < 0 || number > 5) return -Errno.EINVAL;
      break;
    case IpOption.RECVERR: case IpOption.FREEBIND: case IpOption.MINTTL: case IpOption.BIND_ADDRESS_NO_PORT: case IpOption.RECVTTL: case IpOption.RECVTOS:
    case IpOption.PKTINFO: break;
    default: return null;
  }
  socket.kept.set(0x10000 + name, number);
  return 0;
}

function setTcpLevel(socket: TcpSocket, name: number, value: Uint8Array): Result | null {
  const { connection } = socket;
  const number = wordAt(value);
  const on = number !== 0;
  switch (name) {
    case TcpOption.NODELAY:
      connection.configure({ noDelay: on });
      // Setting it sends what Nagle's algorithm held back (tcp(7)).
      if (on) output(connection);
      return 0;
    case TcpOption.CORK:
      connection.configure({ cork: on });
      if (!on) output(connection);
      return 0;
    case TcpOption.QUICKACK:
      connection.quickAck = on;
      if (on && connection.ackAt !== Infinity) sendAck(connection);
      return 0;
    case TcpOption.MAXSEG:
      if (number !== 0 && (number < 88 || number > 32_767)) return -Errno.EINVAL;
      connection.configure({ maxSegment: number });
      return 0;
    case TcpOption.LINGER2: case TcpOption.WINDOW_CLAMP: case TcpOption.FASTOPEN:
      socket.kept.set(0x20000 + name, number);
      return 0;
    case TcpOption.CONGESTION:
      return Buffer.from(value).toString('latin1').replace(/\0.*$/s, '') === 'reno' ? 0 : -Errno.ENOENT;
    case TcpOption.MD5SIG: return -Errno.ENOPROTOOPT;
  }
  return setTimes(connection, name, number);
}

function setTimes(connection: TcpConnection, name: number, number: number): Result | null {
  const outside = (limit: number): boolean => number < 1 || number > limit;
  switch (name) {
    case TcpOption.KEEPIDLE:
      if (outside(MAX_KEEP)) return -Errno.EINVAL;
      connection.configure({ keepIdle: number * SECOND });
      if (connection.settings.keepAlive) startKeepalive(connection);
      return 0;
    case TcpOption.KEEPINTVL:
      if (outside(MAX_KEEP)) return -Errno.EINVAL;
      connection.configure({ keepInterval: number * SECOND });
      return 0;
    case TcpOption.KEEPCNT:
      if (outside(MAX_COUNT)) return -Errno.EINVAL;
      connection.configure({ keepCount: number });
      return 0;
    case TcpOption.SYNCNT:
      if (outside(MAX_COUNT)) return -Errno.EINVAL;
      connection.configure({ synRetries: number });
      return 0;
    case TcpOption.USER_TIMEOUT:
      if (number < 0) return -Errno.EINVAL;
      connection.configure({ userTimeout: number * 1e6 });
      return 0;
    case TcpOption.DEFER_ACCEPT:
      connection.configure({ deferAccept: deferred(number) });
      return 0;
  }
  return null;
}

/** Seconds to a number of SYN-ACKs that are repeated after 1, 2, 4, … seconds (secs_to_retrans). */
function deferred(seconds: number): number {
  if (seconds <= 0) return 0;
  let count = 1;
  for (let period = 1, timeout = 1; seconds > period && count < 255; count++) {
    timeout = Math.min(timeout * 2, 120);
    period += timeout;
  }
  return count;
}

/** And back (retrans_to_secs). */
function deferredSeconds(count: number): number {
  let period = 0;
  for (let i = 0, timeout = 1; i < count; i++, timeout = Math.min(timeout * 2, 120)) period += timeout;
  return period;
}

export function getTcpOption(kernel: Kernel, thread: Thread, socket: TcpSocket, level: number, name: number): Uint8Array | Fail {
  let found: Uint8Array | Fail | null = null;
  if (level === SOL_SOCKET) found = getSocketLevel(kernel, socket, name);
  else if (level === SOL_IP) found = getIpLevel(socket, name);
  else if (level === SOL_IPV6) found = getIp6Option(kernel, socket, name);
  else if (level === SOL_TCP) found = getTcpLevel(socket, name);
  return found ?? unknownOption(kernel, thread, 'getsockopt', level, name);
}

function getSocketLevel(kernel: Kernel, socket: TcpSocket, name: number): Uint8Array | null {
  const { connection } = socket;
  const { settings } = connection;
  switch (name) {
    case SO.LINGER: return wordBytes(settings.linger >= 0 ? 1 : 0, Math.max(0, settings.linger) / SECOND);
    case SO.REUSEADDR: return wordBytes(settings.reuseAddress ? 1 : 0);
    case SO.REUSEPORT: return wordBytes(settings.reusePort ? 1 : 0);
    case SO.BROADCAST: return wordBytes(0);
    case SO.OOBINLINE: return wordBytes(settings.oobInline ? 1 : 0);
    case SO.KEEPALIVE: return wordBytes(settings.keepAlive ? 1 : 0);
    case SO.RCVLOWAT: return wordBytes(settings.receiveLowWater);
    case SO.SNDBUF: return wordBytes(connection.sendLimit);
    case SO.RCVBUF: return wordBytes(settings.receiveBuffer);
    case SO.ACCEPTCONN: return wordBytes(connection.state === 'LISTEN' ? 1 : 0);
    case SO.BINDTOIFINDEX: return wordBytes(settings.device);
    case SO.BINDTODEVICE: {
      const device = kernel.net?.interface(settings.device);
      return device && settings.device !== 0 ? Buffer.from(`${device.name}\0`, 'latin1') : new Uint8Array(0);
    }
  }
  return getCommonOption(socket, name);
}

function getIpLevel(socket: TcpSocket, name: number): Uint8Array | Fail | null {
  const { connection } = socket;
  switch (name) {
    case IpOption.TOS: return wordBytes(connection.settings.tos);
    case IpOption.TTL: return wordBytes(connection.settings.ttl);
    case IpOption.MTU_DISCOVER: return wordBytes(socket.kept.get(0x10000 + name) ?? 1);
    case IpOption.MTU: return connection.connected ? wordBytes(connection.tcp.pathMss(connection.remoteAddress, connection.settings.device) + 40) : -Errno.ENOTCONN;
  }
  const kept = socket.kept.get(0x10000 + name);
  return kept === undefined ? null : wordBytes(kept);
}

function getTcpLevel(socket: TcpSocket, name: number): Uint8Array | Fail | null {
  const { connection } = socket;
  const { settings } = connection;
  switch (name) {
    case TcpOption.NODELAY: return wordBytes(settings.noDelay ? 1 : 0);
    case TcpOption.CORK: return wordBytes(settings.cork ? 1 : 0);
    case TcpOption.QUICKACK: return wordBytes(connection.quickAck ? 1 : 0);
    case TcpOption.MAXSEG: return wordBytes(connection.connected ? segmentRoom(connection) : settings.maxSegment || 536);
    case TcpOption.KEEPIDLE: return wordBytes(settings.keepIdle / SECOND);
    case TcpOption.KEEPINTVL: return wordBytes(settings.keepInterval / SECOND);
    case TcpOption.KEEPCNT: return wordBytes(settings.keepCount);
    case TcpOption.SYNCNT: return wordBytes(settings.synRetries);
    case TcpOption.USER_TIMEOUT: return wordBytes(settings.userTimeout / 1e6);
    case TcpOption.DEFER_ACCEPT: return wordBytes(deferredSeconds(settings.deferAccept));
    case TcpOption.CONGESTION: return Buffer.from('reno'.padEnd(16, '\0'), 'latin1');
    case TcpOption.INFO: return info(connection);
    case TcpOption.LINGER2: return wordBytes(socket.kept.get(0x20000 + name) ?? 60);
    case TcpOption.WINDOW_CLAMP: case TcpOption.FASTOPEN: return wordBytes(socket.kept.get(0x20000 + name) ?? 0);
    case TcpOption.MD5SIG: return -Errno.ENOPROTOOPT;
  }
  return null;
}

/** net/tcp_states.h */
export const STATE_NUMBER: Readonly<Record<TcpState, number>> = {
  ESTABLISHED: 1, SYN_SENT: 2, SYN_RECEIVED: 3, FIN_WAIT_1: 4, FIN_WAIT_2: 5, TIME_WAIT: 6, CLOSED: 7, CLOSE_WAIT: 8, LAST_ACK: 9, LISTEN: 10, CLOSING: 11,
};

const CA_STATE = { open: 0, fast: 3, loss: 4 } as const;

/** struct tcp_info up to tcpi_total_retrans (104 bytes): eight bytes, then words; times in microseconds or milliseconds. */
function info(c: TcpConnection): Uint8Array {
  const { clock } = c.tcp.net;
  const us = (cycles: number): number => Math.floor(clock.toNanoseconds(cycles) / 1000);
  const ms = (since: number): number => Math.floor(clock.toNanoseconds(clock.cycles - since) / 1e6);
  const room = c.connected ? segmentRoom(c) : 536;
  const flags = (c.timestamps ? 1 : 0) | (c.sackPermitted ? 2 : 0) | (c.scaling ? 4 : 0);
  const segments = (bytes: number): number => Math.ceil(bytes / room);
  const head = STATE_NUMBER[c.state] | (CA_STATE[c.recovery] << 8) | (c.retries << 16) | (c.probes << 24);
  const second = c.backoff | (flags << 8) | ((c.sndScale | (c.rcvScale << 4)) << 16);
  const ssthresh = c.ssthresh === Infinity ? 0x7fffffff : segments(c.ssthresh);
  return wordBytes(
    head, second, us(rto(c)), 40_000, room, c.rcvMss, c.state === 'LISTEN' ? c.listener?.queue.length ?? 0 : segments(c.unacknowledged),
    c.state === 'LISTEN' ? c.listener?.backlog ?? 0 : segments(c.sacked.bytes), 0, 0, 0,
    ms(c.lastSent), 0, ms(c.lastReceived), ms(c.lastReceived), c.connected ? ownMss(c) + 40 : 0, c.settings.receiveBuffer >>> 1,
    us(c.srtt), us(c.rttvar), ssthresh, segments(c.cwnd) || 10, c.connected ? ownMss(c) : 536, 3, 0, c.settings.receiveBuffer >>> 1, c.totalRetransmits,
  );
}

