import { Errno, failed, snapshotClass, WaitQueue, type EventLog, type Fail, type Result } from '../base/index.js';
import { OpenFlag } from '../vfs/open-flags.js';
import type { Attr, Gather } from '../vfs/vnode.js';
import type { Opened } from '../vfs/vfs.js';
import { VOP_CLOSE, VOP_GETATTR } from '../vfs/vop.js';
import { Ioctl } from './ioctl.js';
import type { Kernel } from './kernel.js';
import { OpenFile, Poll } from './open-file.js';
import type { Thread } from './thread.js';

/** Which of the host's streams bytes were written to; /dev/console is 'console'. */
export type ConsoleStream = 'console' | 'stdin' | 'stdout' | 'stderr';

const LINE_MAX = 4096;
/** Few lines have any; the others are spared the way through UTF-8. */
const NOT_ASCII = /[\x80-\xff]/;
const ICANON = 2;
/** struct termios of MIPS: iflag oflag cflag lflag (u32 each), line, cc[23]. */
const TERMIOS_BYTES = 40;

/** What a terminal is like when nobody has changed it: ICRNL|IXON, OPOST|ONLCR, B115200|CS8|CREAD, ISIG|ICANON|ECHO|ECHOE|ECHOK|IEXTEN. */
function defaultTermios(): Uint8Array {
  const termios = new Uint8Array(TERMIOS_BYTES);
  new Uint32Array(termios.buffer).set([0x500, 0x5, 0x10b2, 0x13b]);
  termios.set([3, 28, 127, 21, 1, 0, 0, 0, 17, 19, 26], 17);
  termios[17 + 16] = 4;
  return termios;
}

/**
 * The serial console. Output goes to the event log line by line and, as it comes, to a sink of the host; input was fed
 * before or is asked of a source of the host when a program wants it. Sink and source are no state.
 */
export class Console {
  static readonly transient = ['sink', 'source'];
  private readonly log: EventLog;
  private input: Uint8Array[] = [];
  private inputEnded = false;
  readonly readable = new WaitQueue();
  private lines: Record<string, string> = {};
  termios = defaultTermios();
  rows = 24;
  columns = 80;
  /** Foreground process group. */
  foreground = 0;
  /** Programs see a terminal (isatty) or a plain stream. */
  isTerminal = true;
  /** Lines go to the event log. */
  logLines = true;
  sink: ((bytes: Uint8Array, stream: ConsoleStream) => void) | null = null;
  /** More input, or null at its end; may wait for the host. */
  source: (() => Uint8Array | null) | null = null;

  constructor(log: EventLog) {
    this.log = log;
  }

  afterLoad(): void {
    this.sink = null;
    this.source = null;
  }

  /** An open file for it, for reading and writing. */
  openFile(stream: ConsoleStream = 'console'): ConsoleFile {
    return new ConsoleFile(this, OpenFlag.RDWR, stream);
  }

  /** Bytes arrive at the input. */
  feed(bytes: Uint8Array): void {
    if (bytes.length > 0) this.input.push(bytes);
    this.readable.wakeAll();
  }

  /** No more input will come: readers see the end of file. */
  endInput(): void {
    this.inputEnded = true;
    this.readable.wakeAll();
  }

  get available(): number {
    return this.input.reduce((sum, chunk) => sum + chunk.length, 0);
  }

  get readyToRead(): boolean {
    return this.input.length > 0 || this.inputEnded || this.source !== null;
  }

  /** Input up to `length` bytes, on a terminal in canonical mode up to the end of the line; null when there is none yet. */
  take(length: number): Uint8Array | null {
    if (this.input.length === 0) this.askSource();
    const [first] = this.input;
    if (!first) return this.inputEnded ? new Uint8Array(0) : null;
    const canonical = this.isTerminal && new Uint32Array(this.termios.buffer, this.termios.byteOffset, 4)[3] & ICANON;
    const lineEnd = canonical ? first.indexOf(10) + 1 : 0;
    const taken = first.subarray(0, Math.min(length, lineEnd > 0 ? lineEnd : first.length));
    if (taken.length === first.length) this.input.shift();
    else this.input[0] = first.subarray(taken.length);
    return taken;
  }

  private askSource(): void {
    if (!this.source || this.inputEnded) return;
    const more = this.source();
    if (more === null) this.inputEnded = true;
    else if (more.length > 0) this.input.push(more);
  }

  write(bytes: Uint8Array, stream: ConsoleStream): void {
    this.sink?.(bytes, stream);
    if (!this.logLines) return;
    const text = (this.lines[stream] ?? '') + Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('latin1');
    const lines = text.split('\n');
    this.lines[stream] = lines.pop() as string;
    for (const line of lines) this.logLine(line, stream);
    if (this.lines[stream].length > LINE_MAX) {
      this.logLine(this.lines[stream], stream);
      this.lines[stream] = '';
    }
  }

  private logLine(line: string, stream: ConsoleStream): void {
    if (line.length > LINE_MAX) {
      for (let at = 0; at < line.length; at += LINE_MAX) this.logLine(line.slice(at, at + LINE_MAX), stream);
      return;
    }
    const ended = line.endsWith('\r') ? line.slice(0, -1) : line;
    const text = NOT_ASCII.test(ended) ? Buffer.from(ended, 'latin1').toString('utf8') : ended;
    this.log.add('console.line', stream === 'console' ? { text } : { text, stream });
  }
}
snapshotClass('Console', Console);

/** An open console: /dev/console, /dev/tty, or one of the streams a program was started with. */
export class ConsoleFile extends OpenFile {
  readonly kind = 'console';
  private readonly console: Console;
  private readonly stream: ConsoleStream;
  private readonly opened: Opened | null;

  constructor(console: Console, flags: number, stream: ConsoleStream = 'console', opened: Opened | null = null) {
    super(flags);
    this.console = console;
    this.stream = stream;
    this.opened = opened;
    this.vnode = opened?.vnode ?? null;
  }

  override get gathers(): boolean { return true; }

  override read(kernel: Kernel, thread: Thread, length: number): Uint8Array | number {
    if (length === 0) return new Uint8Array(0);
    const bytes = this.console.take(length);
    if (bytes) {
      this.consumed += bytes.length;
      kernel.ledger.count('console.in', bytes.length);
      return bytes;
    }
    return this.nonBlocking ? -Errno.EAGAIN : thread.block('console.read', [this.console.readable]);
  }

  override write(kernel: Kernel, _thread: Thread, bytes: Gather): number {
    let written = 0;
    for (const part of bytes instanceof Uint8Array ? [bytes] : bytes) {
      this.console.write(part, this.stream);
      written += part.length;
    }
    kernel.meter.charge('copy.bytes', written);
    return written;
  }

  override poll(): number {
    return Poll.OUT | (this.console.readyToRead ? Poll.IN | Poll.RDNORM : 0);
  }

  override waitQueues(): WaitQueue[] {
    return [this.console.readable];
  }

  override ioctl(_kernel: Kernel, thread: Thread, request: number, argument: number): Result {
    const { console } = this;
    const { space } = thread.process;
    if (request === Ioctl.FIONREAD) return space.writeWords(argument >>> 0, [console.available]);
    if (!console.isTerminal) return -Errno.ENOTTY;
    switch (request) {
      case Ioctl.TCGETS: return space.copyout(argument >>> 0, console.termios);
      case Ioctl.TCSETS: case Ioctl.TCSETSW: case Ioctl.TCSETSF: {
        const termios = space.copyin(argument >>> 0, TERMIOS_BYTES);
        if (failed(termios)) return termios;
        console.termios = termios;
        return 0;
      }
      case Ioctl.TIOCGWINSZ: return space.writeWords(argument >>> 0, [console.rows | (console.columns << 16), 0]);
      case Ioctl.TIOCSWINSZ: {
        const size = space.readWords(argument >>> 0, 1);
        if (failed(size)) return size;
        console.rows = size[0] & 0xffff;
        console.columns = size[0] >>> 16;
        return 0;
      }
      case Ioctl.TIOCGPGRP: return space.writeWords(argument >>> 0, [console.foreground || thread.process.pgid]);
      case Ioctl.TIOCSPGRP: {
        const group = space.readWords(argument >>> 0, 1);
        if (failed(group)) return group;
        console.foreground = group[0];
        return 0;
      }
      case Ioctl.TIOCGSID: return space.writeWords(argument >>> 0, [thread.process.sid]);
      case Ioctl.TIOCSCTTY: case Ioctl.TIOCNOTTY: case Ioctl.TCFLSH: case Ioctl.TCSBRK: return 0;
      default: return -Errno.ENOTTY;
    }
  }

  /** A stream without a node of its own looks like the console's character device (5:1), or like a pipe. */
  stat(): Attr | Fail {
    if (this.vnode) return VOP_GETATTR(this.vnode);
    const never = { sec: 0, nsec: 0 };
    const type = this.console.isTerminal ? 'chr' : 'fifo';
    return {
      type, mode: 0o620, uid: 0, gid: 0, ino: 1, dev: 0, nlink: 1, size: 0, rdev: type === 'chr' ? 0x501 : 0,
      atime: never, mtime: never, ctime: never, blocks: 0, blksize: 1024,
    };
  }

  describe(): string {
    return this.console.isTerminal || this.opened ? '/dev/console' : `pipe:[${this.stream}]`;
  }

  override close(): Result {
    return this.vnode ? VOP_CLOSE(this.vnode) : 0;
  }
}
snapshotClass('ConsoleFile', ConsoleFile);
