import { snapshotClass } from '../../base/index.js';
import { Signal } from '../signal-numbers.js';
import { Cc, Iflag, Lflag, Oflag, Termios } from './termios.js';

const [TAB, NL, CR, DEL] = [9, 10, 13, 127];
/** Bytes of a line, and of all input nobody has read (N_TTY_BUF_SIZE). */
const INPUT_MAX = 4096;

/** What the discipline asks of its terminal. */
export interface LineUser {
  /** Bytes for whoever looks at the screen, after output processing. */
  display(bytes: Uint8Array): void;
  /** For the foreground process group. */
  signal(signo: number): void;
  inputArrived(): void;
  flushed(): void;
  flowChanged(): void;
}

/**
 * N_TTY, the discipline of terminals (termios(3)): editing of lines, echo, signals, flow control. Input is what the keyboard sends; `take` is what
 * a program reads; `process` is what becomes of a program's output.
 */
export class LineDiscipline {
  termios = new Termios();
  /** Output is held (^S). */
  stopped = false;
  private readonly user: LineUser;
  /** The line being edited. */
  private line: number[] = [];
  /** Finished lines, each with its end; without ICANON, bytes as they came. An empty one is the end of file. */
  private ready: Uint8Array[] = [];
  private literal = false;

  constructor(user: LineUser) {
    this.user = user;
  }

  get available(): number {
    return this.ready.reduce((sum, { length }) => sum + length, 0);
  }

  get hasInput(): boolean {
    return this.ready.length > 0;
  }

  get room(): boolean {
    return this.available + this.line.length < INPUT_MAX;
  }

  /** Up to `length` bytes: in canonical mode of one line only. Null when there is nothing. */
  take(length: number): Uint8Array | null {
    const canonical = this.termios.local(Lflag.ICANON);
    if (this.ready.length === 0) return null;
    if (!canonical) this.ready = [Buffer.concat(this.ready)];
    const [first] = this.ready;
    const taken = first.subarray(0, length);
    if (taken.length === first.length) this.ready.shift();
    else this.ready[0] = first.subarray(taken.length);
    return taken;
  }

  flushInput(): void {
    this.line = [];
    this.ready = [];
    this.user.flushed();
  }

  /** New settings: an unfinished line becomes readable when lines no longer count. */
  configure(bytes: Uint8Array): void {
    const was = this.termios.local(Lflag.ICANON);
    this.termios.bytes = bytes;
    if (was && !this.termios.local(Lflag.ICANON) && this.line.length > 0) this.finish();
    if (!this.termios.input(Iflag.IXON) && this.stopped) this.setStopped(false);
  }

  // ---- input

  /** Bytes from the keyboard. */
  receive(bytes: Uint8Array): void {
    const before = this.available;
    for (const byte of bytes) this.receiveByte(byte);
    if (!this.termios.local(Lflag.ICANON) && this.line.length > 0) this.finish();
    if (this.available !== before || this.hasInput) this.user.inputArrived();
  }

  private receiveByte(raw: number): void {
    const { termios } = this;
    let byte = termios.input(Iflag.ISTRIP) ? raw & 0x7f : raw;
    if (this.literal) {
      this.literal = false;
      this.keep(byte);
      return;
    }
    if (this.flowControl(byte) || this.interrupts(byte)) return;
    if (byte === CR) {
      if (termios.input(Iflag.IGNCR)) return;
      if (termios.input(Iflag.ICRNL)) byte = NL;
    } else if (byte === NL && termios.input(Iflag.INLCR)) {
      byte = CR;
    }
    if (termios.local(Lflag.ICANON)) this.edit(byte);
    else this.keep(byte);
  }

  private flowControl(byte: number): boolean {
    const { termios } = this;
    if (!termios.input(Iflag.IXON)) return false;
    const [start, stop] = [termios.is(byte, Cc.START), termios.is(byte, Cc.STOP)];
    if (stop && !(start && this.stopped)) this.setStopped(true);
    else if (start || (this.stopped && termios.input(Iflag.IXANY))) this.setStopped(false);
    return start || stop;
  }

  setStopped(stopped: boolean): void {
    if (this.stopped === stopped) return;
    this.stopped = stopped;
    this.user.flowChanged();
  }

  private interrupts(byte: number): boolean {
    const { termios } = this;
    if (!termios.local(Lflag.ISIG)) return false;
    const signo = termios.is(byte, Cc.INTR) ? Signal.INT : termios.is(byte, Cc.QUIT) ? Signal.QUIT : termios.is(byte, Cc.SUSP) ? Signal.TSTP : 0;
    if (signo === 0) return false;
    if (!termios.local(Lflag.NOFLSH)) this.flushInput();
    this.setStopped(false);
    if (termios.local(Lflag.ECHO)) this.echo(byte);
    this.user.signal(signo);
    return true;
  }

  private edit(byte: number): void {
    const { termios } = this;
    if (termios.is(byte, Cc.ERASE)) return this.erase(1);
    if (termios.is(byte, Cc.KILL)) return this.kill();
    if (termios.is(byte, Cc.EOF)) return this.finish();
    if (termios.local(Lflag.IEXTEN)) {
      if (termios.is(byte, Cc.WERASE)) return this.erase(this.lastWord());
      if (termios.is(byte, Cc.LNEXT)) {
        this.literal = true;
        if (termios.local(Lflag.ECHO) && termios.local(Lflag.ECHOCTL)) this.show([0x5e, 8]);
        return undefined;
      }
      if (termios.is(byte, Cc.REPRINT)) return this.reprint(byte);
    }
    this.keep(byte);
    if (byte === NL || termios.is(byte, Cc.EOL) || termios.is(byte, Cc.EOL2)) this.finish();
    return undefined;
  }

  private keep(byte: number): void {
    const { termios } = this;
    if (!this.room && byte !== NL) {
      if (termios.input(Iflag.IMAXBEL)) this.user.display(Uint8Array.of(7));
      return;
    }
    this.line.push(byte);
    if (termios.local(Lflag.ECHO) || (byte === NL && termios.local(Lflag.ECHONL) && termios.local(Lflag.ICANON))) this.echo(byte);
  }

  /** The line so far can be read. */
  private finish(): void {
    this.ready.push(Uint8Array.from(this.line));
    this.line = [];
  }

  private erase(count: number): void {
    const { termios } = this;
    for (let i = 0; i < count && this.line.length > 0; i++) {
      let byte = this.line.pop() as number;
      // A UTF-8 character goes as a whole.
      while (termios.input(Iflag.IUTF8) && byte >> 6 === 2 && this.line.length > 0) byte = this.line.pop() as number;
      if (!termios.local(Lflag.ECHO)) continue;
      if (!termios.local(Lflag.ECHOE)) this.echo(termios.cc(Cc.ERASE));
      else this.show(this.shown(byte).flatMap(() => [8, 32, 8]));
    }
  }

  private lastWord(): number {
    let at = this.line.length;
    const isWord = (byte: number): boolean => (byte >= 48 && byte <= 57) || (byte >= 65 && byte <= 90) || (byte >= 97 && byte <= 122) || byte === 95;
    while (at > 0 && !isWord(this.line[at - 1])) at--;
    while (at > 0 && isWord(this.line[at - 1])) at--;
    return this.line.length - at;
  }

  private kill(): void {
    const { termios } = this;
    if (termios.local(Lflag.ECHO) && termios.local(Lflag.ECHOK) && termios.local(Lflag.ECHOKE) && termios.local(Lflag.ECHOE)) return this.erase(this.line.length);
    this.line = [];
    if (!termios.local(Lflag.ECHO)) return undefined;
    this.echo(termios.cc(Cc.KILL));
    if (termios.local(Lflag.ECHOK)) this.echo(NL);
    return undefined;
  }

  private reprint(byte: number): void {
    if (!this.termios.local(Lflag.ECHO)) return;
    this.echo(byte);
    this.echo(NL);
    for (const one of this.line) this.echo(one);
  }

  // ---- echo and output

  /** How a byte appears: control characters as ^X, except tab and newline. */
  private shown(byte: number): number[] {
    const control = (byte < 32 && byte !== TAB && byte !== NL) || byte === DEL;
    return control && this.termios.local(Lflag.ECHOCTL) ? [0x5e, byte ^ 0x40] : [byte];
  }

  private echo(byte: number): void {
    this.show(this.shown(byte));
  }

  private show(bytes: readonly number[]): void {
    this.user.display(this.process(Uint8Array.from(bytes)));
  }

  /** Output processing (OPOST). */
  process(bytes: Uint8Array): Uint8Array {
    const { termios } = this;
    if (!termios.output(Oflag.OPOST)) return bytes;
    const out: number[] = [];
    for (const byte of bytes) {
      if (byte === NL && termios.output(Oflag.ONLCR)) out.push(CR, NL);
      else out.push(byte === CR && termios.output(Oflag.OCRNL) ? NL : byte);
    }
    return Uint8Array.from(out);
  }
}
snapshotClass('LineDiscipline', LineDiscipline);
