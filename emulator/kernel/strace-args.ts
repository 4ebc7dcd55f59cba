import { failed, hex, type Fail } from '../base/index.js';
import { formatIp6, readIp6 } from '../net/wire/index.js';
import { signalName } from './signal-numbers.js';
import { NSIG, setFromBytes, setHas, SIGSET_BYTES, type Sigset } from './sigset.js';
import { enums, flagNames, futexOps, socketTypes } from './strace-names.js';
import type { Thread } from './thread.js';
import { AT_FDCWD } from './user-path.js';

/** What an argument's printer may look at. `result` is null while the call is still under way. */
export interface Shown {
  thread: Thread;
  value: number;
  args: readonly number[];
  index: number;
  result: number | null;
}

/** Null: the value is an output and not there yet. */
type Printer = (shown: Shown) => string | null;

const STRING_SHOWN = 32;
const SHOWN_STRINGS = 32;
const PATH_SHOWN = 4096;

// Guest memory is looked at with peek: nothing is paged in and nothing charged, so that tracing changes nothing.
function peek(thread: Thread, va: number, length: number): Uint8Array | Fail {
  return thread.process.space.peek(va, length);
}

function peekWords(thread: Thread, va: number, count: number): Int32Array | Fail {
  return thread.process.space.peekWords(va, count);
}

function peekString(thread: Thread, va: number): Uint8Array | Fail {
  const text = thread.process.space.peekString(va, PATH_SHOWN);
  return failed(text) ? text : Buffer.from(text, 'latin1');
}

/** strace writes no 0x0. */
const zeroOrHex = (value: number): string => (value === 0 ? '0' : hex(value));
const pointer = (value: number): string => (value === 0 ? 'NULL' : hex(value));

const escapes: Record<number, string> = { 9: '\\t', 10: '\\n', 11: '\\v', 12: '\\f', 13: '\\r', 34: '\\"', 92: '\\\\' };

/** Bytes as strace quotes them: C escapes, octal for the rest, "..." when cut. */
export function quote(bytes: Uint8Array, total = bytes.length): string {
  let text = '';
  const shown = bytes.subarray(0, STRING_SHOWN);
  shown.forEach((byte, i) => {
    if (escapes[byte]) text += escapes[byte];
    else if (byte >= 32 && byte < 127) text += String.fromCharCode(byte);
    else {
      const next = shown[i + 1];
      text += '\\' + (next >= 48 && next <= 55 ? byte.toString(8).padStart(3, '0') : byte.toString(8));
    }
  });
  return `"${text}"${total > shown.length ? '...' : ''}`;
}

function buffer(thread: Thread, va: number, length: number): string {
  if (va === 0) return 'NULL';
  const bytes = peek(thread, va >>> 0, Math.min(length, STRING_SHOWN));
  return failed(bytes) ? pointer(va) : quote(bytes, length);
}

function path(thread: Thread, va: number): string {
  if (va === 0) return 'NULL';
  const bytes = peekString(thread, va);
  if (failed(bytes)) return pointer(va);
  // Paths are shown whole.
  let shown = '';
  for (let at = 0; at < bytes.length; at += STRING_SHOWN) shown += quote(bytes.subarray(at, at + STRING_SHOWN)).slice(1, -1);
  return `"${shown}"`;
}

function strings(thread: Thread, va: number): string {
  if (va === 0) return 'NULL';
  const shown: string[] = [];
  for (let at = va >>> 0; shown.length < SHOWN_STRINGS; at += 4) {
    const word = peekWords(thread, at, 1);
    if (failed(word)) return pointer(va);
    if (word[0] === 0) return `[${shown.join(', ')}]`;
    shown.push(path(thread, word[0]));
  }
  return `[${shown.join(', ')}, ...]`;
}

function countStrings(thread: Thread, va: number): string {
  if (va === 0) return 'NULL';
  let count = 0;
  for (let at = va >>> 0; count < 4096; at += 4, count++) {
    const word = peekWords(thread, at, 1);
    if (failed(word)) return pointer(va);
    if (word[0] === 0) break;
  }
  return `${pointer(va)} /* ${count} var${count === 1 ? '' : 's'} */`;
}

function setText(set: Sigset): string {
  const members = Array.from({ length: NSIG }, (_, i) => i + 1).filter((signo) => setHas(set, signo));
  const name = (signo: number): string => signalName(signo).replace(/^SIG/, '');
  if (members.length > NSIG / 2) {
    const missing = Array.from({ length: NSIG }, (_, i) => i + 1).filter((signo) => !setHas(set, signo));
    return `~[${missing.map(name).join(' ')}]`;
  }
  return `[${members.map(name).join(' ')}]`;
}

function sigset(thread: Thread, va: number): string {
  if (va === 0) return 'NULL';
  const bytes = peek(thread, va >>> 0, SIGSET_BYTES);
  return failed(bytes) ? pointer(va) : setText(setFromBytes(bytes));
}

function sigaction(thread: Thread, va: number): string {
  if (va === 0) return 'NULL';
  const bytes = peek(thread, va >>> 0, 24);
  if (failed(bytes)) return pointer(va);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const handler = view.getUint32(4, true);
  const name = handler === 0 ? 'SIG_DFL' : handler === 1 ? 'SIG_IGN' : hex(handler);
  return `{sa_handler=${name}, sa_mask=${setText(setFromBytes(bytes.subarray(8)))}, sa_flags=${flagNames('sa', view.getUint32(0, true), '0')}}`;
}

function timespec(thread: Thread, va: number, wide: boolean): string {
  if (va === 0) return 'NULL';
  const words = peekWords(thread, va >>> 0, wide ? 4 : 2);
  if (failed(words)) return pointer(va);
  return `{tv_sec=${words[0]}, tv_nsec=${words[wide ? 2 : 1]}}`;
}

function stack(thread: Thread, va: number): string {
  if (va === 0) return 'NULL';
  const words = peekWords(thread, va >>> 0, 3);
  if (failed(words)) return pointer(va);
  const flags = words[2] === 0 ? '0' : words[2] === 1 ? 'SS_ONSTACK' : words[2] === 2 ? 'SS_DISABLE' : hex(words[2]);
  return `{ss_sp=${pointer(words[0])}, ss_flags=${flags}, ss_size=${words[1] >>> 0}}`;
}

function itimerval(thread: Thread, va: number): string {
  if (va === 0) return 'NULL';
  const words = peekWords(thread, va >>> 0, 4);
  if (failed(words)) return pointer(va);
  return `{it_interval={tv_sec=${words[0]}, tv_usec=${words[1]}}, it_value={tv_sec=${words[2]}, tv_usec=${words[3]}}}`;
}

function waitStatus(thread: Thread, va: number): string {
  if (va === 0) return 'NULL';
  const words = peekWords(thread, va >>> 0, 1);
  if (failed(words)) return pointer(va);
  const status = words[0];
  if ((status & 0x7f) === 0) return `[{WIFEXITED(s) && WEXITSTATUS(s) == ${(status >> 8) & 0xff}}]`;
  if ((status & 0xff) === 0x7f) return `[{WIFSTOPPED(s) && WSTOPSIG(s) == ${signalName(status >> 8)}}]`;
  if (status === 0xffff) return '[{WIFCONTINUED(s)}]';
  return `[{WIFSIGNALED(s) && WTERMSIG(s) == ${signalName(status & 0x7f)}${status & 0x80 ? ' && WCOREDUMP(s)' : ''}}]`;
}

/** AF_INET, AF_INET6 and AF_UNIX; `length` is the next argument, or what it points at. */
function sockaddr(thread: Thread, va: number, length: number): string {
  if (va === 0) return 'NULL';
  const bytes = peek(thread, va >>> 0, Math.max(2, Math.min(length, 110)));
  if (failed(bytes)) return pointer(va);
  const family = bytes[0] | (bytes[1] << 8);
  if (family === 2 && bytes.length >= 8) {
    return `{sa_family=AF_INET, sin_port=htons(${(bytes[2] << 8) | bytes[3]}), sin_addr=inet_addr("${bytes.subarray(4, 8).join('.')}")}`;
  }
  if (family === 10 && bytes.length >= 24) {
    const scope = bytes.length >= 28 ? bytes[24] | (bytes[25] << 8) : 0;
    return `{sa_family=AF_INET6, sin6_port=htons(${(bytes[2] << 8) | bytes[3]}), inet_pton(AF_INET6, "${formatIp6(readIp6(bytes, 8))}")${scope ? `, sin6_scope_id=${scope}` : ''}}`;
  }
  if (family === 1) return `{sa_family=AF_UNIX, sun_path=${quote(bytes.subarray(2, bytes.indexOf(0, 2) < 0 ? undefined : bytes.indexOf(0, 2)))}}`;
  return `{sa_family=${enums.domain[family] ?? family}}`;
}

function pollfds(thread: Thread, va: number, count: number, out: boolean): string {
  if (va === 0) return 'NULL';
  const words = peekWords(thread, va >>> 0, 2 * Math.min(count >>> 0, SHOWN_STRINGS));
  if (failed(words)) return pointer(va);
  const shown: string[] = [];
  for (let i = 0; i < words.length; i += 2) {
    const events = out ? words[i + 1] >>> 16 : words[i + 1] & 0xffff;
    if (!out || events) shown.push(`{fd=${words[i]}, ${out ? 'revents' : 'events'}=${flagNames('poll', events, '0')}}`);
  }
  return `[${shown.join(', ')}]`;
}

function pipeFds(thread: Thread, va: number): string {
  const words = peekWords(thread, va >>> 0, 2);
  return failed(words) ? pointer(va) : `[${words[0]}, ${words[1]}]`;
}

const flag = (set: string, none = '0'): Printer => ({ value }) => flagNames(set, value, none);
const named = (set: string): Printer => ({ value }) => enums[set][value] ?? String(value);
const output = (printer: (shown: Shown) => string): Printer => (shown) => (shown.result === null ? null : shown.result < 0 ? pointer(shown.value) : printer(shown));
const openAccess = ['O_RDONLY', 'O_WRONLY', 'O_RDWR', '0x3'];

/** By the words of a call's format string. */
const printers: Record<string, Printer> = {
  int: ({ value }) => String(value),
  uint: ({ value }) => String(value >>> 0),
  hex: ({ value }) => zeroOrHex(value),
  oct: ({ value }) => (value === 0 ? '000' : `0${(value >>> 0).toString(8)}`),
  ptr: ({ value }) => pointer(value),
  fd: ({ value }) => (value === AT_FDCWD ? 'AT_FDCWD' : String(value)),
  path: ({ thread, value }) => path(thread, value),
  argv: ({ thread, value }) => strings(thread, value),
  envp: ({ thread, value }) => countStrings(thread, value),
  /** Bytes whose count is the next argument. */
  buf: ({ thread, value, args, index }) => buffer(thread, value, args[index + 1] >>> 0),
  /** Bytes whose count is the result. */
  bufout: output(({ thread, value, result }) => buffer(thread, value, result ?? 0)),
  strout: output(({ thread, value }) => path(thread, value)),
  open: ({ value }) => {
    const rest = value & ~3;
    return openAccess[value & 3] + (rest ? `|${flagNames('open', rest, '0')}` : '');
  },
  sig: ({ value }) => (value === 0 ? '0' : signalName(value)),
  sigset: ({ thread, value }) => sigset(thread, value),
  sigsetout: output(({ thread, value }) => sigset(thread, value)),
  sigaction: ({ thread, value }) => sigaction(thread, value),
  sigactionout: output(({ thread, value }) => sigaction(thread, value)),
  stack: ({ thread, value }) => stack(thread, value),
  stackout: output(({ thread, value }) => stack(thread, value)),
  timespec: ({ thread, value }) => timespec(thread, value, false),
  timespec64: ({ thread, value }) => timespec(thread, value, true),
  timespecout: output(({ thread, value }) => timespec(thread, value, false)),
  timespec64out: output(({ thread, value }) => timespec(thread, value, true)),
  itimerval: ({ thread, value }) => itimerval(thread, value),
  status: output(({ thread, value, result }) => (result === 0 ? pointer(value) : waitStatus(thread, value))),
  pipe: output(({ thread, value }) => pipeFds(thread, value)),
  sockaddr: ({ thread, value, args, index }) => sockaddr(thread, value, args[index + 1]),
  sockaddrout: output(({ thread, value, args, index }) => {
    const length = peekWords(thread, args[index + 1] >>> 0, 1);
    return sockaddr(thread, value, failed(length) ? 16 : length[0]);
  }),
  pollfds: ({ thread, value, args, index }) => pollfds(thread, value, args[index + 1], false),
  socktype: ({ value }) => {
    const flags = value & ~15;
    return (socketTypes[value & 15] ?? String(value & 15)) + (flags ? `|${flagNames('socktype', flags, '0')}` : '');
  },
  clone: ({ value }) => {
    const signo = value & 0xff;
    const flags = flagNames('clone', value & ~0xff, '');
    return [flags, signo ? signalName(signo) : ''].filter((part) => part !== '').join('|') || '0';
  },
  futex: ({ value }) => {
    const name = futexOps[value & 0x7f] ?? zeroOrHex(value & 0x7f);
    return name + (value & 0x80 ? '_PRIVATE' : '') + (value & 0x100 ? '|FUTEX_CLOCK_REALTIME' : '');
  },
  access: ({ value }) => (value === 0 ? 'F_OK' : flagNames('access', value, '0')),
  prot: flag('prot', 'PROT_NONE'),
  map: flag('map'),
  wait: flag('wait'),
  msg: flag('msg'),
  at: flag('at'),
  chkpt: ({ value }) => {
    const rest = value & ~0xff;
    return (enums.chkptop[value & 0xff] ?? zeroOrHex(value & 0xff)) + (rest ? `|${hex(rest)}` : '');
  },
};
for (const set of ['whence', 'how', 'clock', 'itimer', 'rlimit', 'domain', 'madvise', 'prctl', 'fcntl']) printers[set] = named(set);

/** Formats of calls whose definition carries none. */
const formats: Record<string, string> = {
  read: 'fd bufout uint', write: 'fd buf uint', open: 'path open oct', openat: 'fd path open oct', close: 'fd', creat: 'path oct', link: 'path path', unlink: 'path',
  chdir: 'path', fchdir: 'fd', mknod: 'path oct hex', chmod: 'path oct', lseek: 'fd int whence', access: 'path access', rename: 'path path', mkdir: 'path oct', rmdir: 'path',
  dup: 'fd', pipe: '', umask: 'oct', chroot: 'path', dup2: 'fd fd', symlink: 'path path', readlink: 'path strout uint', mmap: 'ptr uint prot map fd uint', munmap: 'ptr uint',
  truncate: 'path int', ftruncate: 'fd int', fchmod: 'fd oct', fchown: 'fd int int', brk: 'ptr', ioctl: 'fd hex ptr', fcntl: 'fd fcntl hex', fcntl64: 'fd fcntl hex',
  mprotect: 'ptr uint prot', _llseek: 'fd int int ptr whence', getdents64: 'fd ptr uint', _newselect: 'int ptr ptr ptr ptr', readv: 'fd ptr int', writev: 'fd ptr int',
  mmap2: 'ptr uint prot map fd hex', mremap: 'ptr uint uint hex ptr', madvise: 'ptr uint madvise', stat64: 'path ptr', lstat64: 'path ptr', fstat64: 'fd ptr', fstatat64: 'fd path ptr at',
  statx: 'fd path at hex ptr', faccessat: 'fd path access', faccessat2: 'fd path access at', unlinkat: 'fd path at', mkdirat: 'fd path oct', mknodat: 'fd path oct hex', renameat: 'fd path fd path',
  renameat2: 'fd path fd path hex', symlinkat: 'path fd path', linkat: 'fd path fd path at', readlinkat: 'fd path strout uint', fchmodat: 'fd path oct', fchownat: 'fd path int int at', getcwd: 'strout uint',
  pipe2: 'pipe open', dup3: 'fd fd open', pread64: 'fd bufout uint hex int int', pwrite64: 'fd buf uint hex int int', poll: 'pollfds int int', ppoll: 'pollfds int timespec sigset int',
  pselect6: 'int ptr ptr ptr timespec ptr', select: 'int ptr ptr ptr ptr', sendfile: 'fd fd ptr uint', sendfile64: 'fd fd ptr uint', fsync: 'fd', fdatasync: 'fd', flock: 'fd int', chown: 'path int int', lchown: 'path int int',
  utimensat: 'fd path ptr at', statfs64: 'path uint ptr', fstatfs64: 'fd uint ptr', mount: 'path path path hex ptr', umount: 'path', umount2: 'path hex', epoll_create: 'int', epoll_create1: 'hex', epoll_ctl: 'fd int fd ptr',
  epoll_wait: 'fd ptr int int', epoll_pwait: 'fd ptr int int sigset int', eventfd2: 'uint hex', msync: 'ptr uint hex', mlock: 'ptr uint', munlock: 'ptr uint',
  socket: 'domain socktype int', socketpair: 'domain socktype int pipe', bind: 'fd sockaddr int', connect: 'fd sockaddr int', listen: 'fd int', accept: 'fd sockaddrout ptr', accept4: 'fd sockaddrout ptr socktype',
  getsockname: 'fd sockaddrout ptr', getpeername: 'fd sockaddrout ptr', send: 'fd buf uint msg', sendto: 'fd buf uint msg sockaddr int', recv: 'fd bufout uint msg', recvfrom: 'fd bufout uint msg sockaddrout ptr',
  sendmsg: 'fd ptr msg', recvmsg: 'fd ptr msg', setsockopt: 'fd int int buf uint', getsockopt: 'fd int int ptr ptr', shutdown: 'fd int',
  sys_checkpoint: 'chkpt int', persist: 'ptr uint', persist_check: 'ptr uint int int int', cache: 'int ptr uint', chkpt_status: 'int', checkpoint_ctl: 'int hex hex',
};

/** Only O_CREAT and O_TMPFILE make the mode of open an argument. */
function argumentCount(name: string, args: readonly number[], kinds: readonly string[]): number {
  if (name !== 'open' && name !== 'openat') return kinds.length;
  const flags = args[name === 'open' ? 1 : 2];
  return flags & 0x400100 ? kinds.length : kinds.length - 1;
}

/**
 * Arguments as text. While the call is under way (`result` null) they end before the first one that only the
 * result can show; `complete` says whether that happened.
 */
export function showArguments(thread: Thread, name: string, argc: number, format: string | undefined, result: number | null, skip = 0): { shown: string[]; complete: boolean } {
  const given = format ?? formats[name];
  const kinds = given === undefined ? new Array<string>(argc).fill('hex') : given === '' ? [] : given.split(' ');
  const { args } = thread.call;
  const count = argumentCount(name, args, kinds);
  const shown: string[] = [];
  for (let index = 0; index < count; index++) {
    const text = (printers[kinds[index]] ?? printers.hex)({ thread, value: args[index], args, index, result });
    if (text === null) return { shown: shown.slice(skip), complete: false };
    shown.push(text);
  }
  return { shown: shown.slice(skip), complete: true };
}
