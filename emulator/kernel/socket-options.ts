import { Errno, type Fail, type Result } from '../base/index.js';
import type { Kernel } from './kernel.js';
import { wordAt, wordBytes, type SocketFile } from './socket-file.js';
import { SO, SOL_SOCKET } from './socket-numbers.js';
import type { Thread } from './thread.js';
import { pair } from './user-memory.js';

/** Options that are remembered and told back, and otherwise change nothing in this network. */
const keptOptions: readonly number[] = [
  SO.DEBUG, SO.KEEPALIVE, SO.PRIORITY, SO.DONTROUTE, SO.MARK, SO.OOBINLINE, SO.NO_CHECK, SO.RCVLOWAT, SO.SNDLOWAT,
  SO.SNDBUF, SO.SNDBUFFORCE, SO.RXQ_OVFL,
];

const defaults = new Map<number, number>([[SO.SNDBUF, 163_840], [SO.RCVLOWAT, 1], [SO.SNDLOWAT, 1]]);

/** Setting SOL_SOCKET options every family has (socket(7)); null: not one of them. */
export function setCommonOption(socket: SocketFile, name: number, value: Uint8Array): Result | null {
  switch (name) {
    case SO.RCVTIMEO: case SO.RCVTIMEO_NEW: return setWait(value, name === SO.RCVTIMEO_NEW, (ns) => { socket.receiveTimeout = ns; });
    case SO.SNDTIMEO: case SO.SNDTIMEO_NEW: return setWait(value, name === SO.SNDTIMEO_NEW, (ns) => { socket.sendTimeout = ns; });
    case SO.LINGER:
      if (value.length < 8) return -Errno.EINVAL;
      socket.kept.set(SO.LINGER, wordAt(value) ? wordAt(value, 4) + 1 : 0);
      return 0;
    case SO.TYPE: case SO.ERROR: case SO.PROTOCOL: case SO.DOMAIN: case SO.ACCEPTCONN: return -Errno.ENOPROTOOPT;
  }
  if (value.length < 4) return isInt(name) ? -Errno.EINVAL : null;
  switch (name) {
    case SO.TIMESTAMP: case SO.TIMESTAMPNS: case SO.TIMESTAMP_NEW: case SO.TIMESTAMPNS_NEW:
      socket.timestamp = wordAt(value) ? name : 0;
      return 0;
    case SO.PASSCRED:
      socket.passCredentials = wordAt(value) !== 0;
      return 0;
  }
  if (!keptOptions.includes(name)) return null;
  const size = name === SO.SNDBUF || name === SO.SNDBUFFORCE;
  // The kernel doubles buffer sizes to allow for its own bookkeeping (socket(7)).
  socket.kept.set(size ? SO.SNDBUF : name, size ? Math.max(4608, Math.min(wordAt(value) >>> 0, 163_840) * 2) : wordAt(value));
  return 0;
}

/** SO_BROADCAST and SO_REUSEADDR of families to which they mean nothing; null: another option. */
export function setUnusedOption(socket: SocketFile, name: number, value: Uint8Array): Result | null {
  if (name !== SO.BROADCAST && name !== SO.REUSEADDR) return null;
  if (value.length < 4) return -Errno.EINVAL;
  socket.kept.set(name, wordAt(value) ? 1 : 0);
  return 0;
}

function isInt(name: number): boolean {
  return keptOptions.includes(name) || [SO.TIMESTAMP, SO.TIMESTAMPNS, SO.TIMESTAMP_NEW, SO.TIMESTAMPNS_NEW, SO.PASSCRED].includes(name as never);
}

/** struct timeval (two words), or two 64-bit words. */
function setWait(value: Uint8Array, wide: boolean, store: (ns: number) => void): Result {
  if (value.length < (wide ? 16 : 8)) return -Errno.EINVAL;
  const seconds = wide ? pair(wordAt(value), wordAt(value, 4)) : wordAt(value);
  const micros = wordAt(value, wide ? 8 : 4);
  if (micros < 0 || micros >= 1e6) return -Errno.EDOM;
  // Negative: the call times out at once; 1 ns is the shortest wait there is.
  if (seconds < 0) store(1);
  else store(Math.min(seconds, 9_000_000) * 1e9 + micros * 1000);
  return 0;
}

function timeBytes(ns: number, wide: boolean): Uint8Array {
  const seconds = Math.floor(ns / 1e9);
  const micros = Math.floor((ns - seconds * 1e9) / 1000);
  return wide ? wordBytes(seconds, 0, micros, 0) : wordBytes(seconds, micros);
}

export function getCommonOption(socket: SocketFile, name: number): Uint8Array | null {
  switch (name) {
    case SO.TYPE: return wordBytes(socket.type);
    case SO.DOMAIN: return wordBytes(socket.domain);
    case SO.PROTOCOL: return wordBytes(socket.protocol);
    case SO.ERROR: return wordBytes(socket.takeError());
    case SO.RCVTIMEO: case SO.RCVTIMEO_NEW: return timeBytes(socket.receiveTimeout, name === SO.RCVTIMEO_NEW);
    case SO.SNDTIMEO: case SO.SNDTIMEO_NEW: return timeBytes(socket.sendTimeout, name === SO.SNDTIMEO_NEW);
    case SO.TIMESTAMP: case SO.TIMESTAMPNS: case SO.TIMESTAMP_NEW: case SO.TIMESTAMPNS_NEW: return wordBytes(socket.timestamp === name ? 1 : 0);
    case SO.PASSCRED: return wordBytes(socket.passCredentials ? 1 : 0);
    case SO.LINGER: {
      const linger = socket.kept.get(SO.LINGER) ?? 0;
      return wordBytes(linger > 0 ? 1 : 0, Math.max(0, linger - 1));
    }
  }
  if (!keptOptions.includes(name) && !socket.kept.has(name)) return null;
  return wordBytes(socket.kept.get(name) ?? defaults.get(name) ?? 0);
}

/** An option nobody here knows: named in the end-of-run report. */
export function unknownOption(kernel: Kernel, thread: Thread, call: 'setsockopt' | 'getsockopt', level: number, name: number): Fail {
  const where = level === SOL_SOCKET ? 'SOL_SOCKET' : String(level);
  kernel.countUnknown(`${call} ${where} ${name}`, thread.process.comm);
  return -Errno.ENOPROTOOPT;
}
