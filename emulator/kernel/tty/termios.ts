import { snapshotClass } from '../../base/index.js';

/** struct termios of Linux/MIPS, 40 bytes: iflag, oflag, cflag, lflag (u32 each), 16 line, 17 cc[23]. */
export const TERMIOS_BYTES = 40;

export const Iflag = { ISTRIP: 0x20, INLCR: 0x40, IGNCR: 0x80, ICRNL: 0x100, IXON: 0x400, IXANY: 0x800, IMAXBEL: 0x2000, IUTF8: 0x4000 } as const;
export const Oflag = { OPOST: 1, ONLCR: 4, OCRNL: 8, ONLRET: 0x20 } as const;
export const Lflag = {
  ISIG: 1, ICANON: 2, ECHO: 8, ECHOE: 0x10, ECHOK: 0x20, ECHONL: 0x40, NOFLSH: 0x80, IEXTEN: 0x100, ECHOCTL: 0x200, ECHOKE: 0x800, TOSTOP: 0x8000,
} as const;
/** Indices of cc[]. */
export const Cc = { INTR: 0, QUIT: 1, ERASE: 2, KILL: 3, MIN: 4, TIME: 5, EOL2: 6, START: 8, STOP: 9, SUSP: 10, REPRINT: 12, WERASE: 14, LNEXT: 15, EOF: 16, EOL: 17 } as const;

const CC = 17;

export class Termios {
  bytes: Uint8Array;

  /** As Linux begins (tty_std_termios): ICRNL|IXON, OPOST|ONLCR, B38400|CS8|CREAD, ISIG|ICANON|ECHO|ECHOE|ECHOK|IEXTEN|ECHOCTL|ECHOKE. */
  constructor() {
    this.bytes = new Uint8Array(TERMIOS_BYTES);
    new Uint32Array(this.bytes.buffer).set([0x500, 0x5, 0xbf, 0xb3b]);
    this.bytes.set([3, 28, 127, 21, 1, 0, 0, 0, 17, 19, 26, 0, 18, 15, 23, 22, 4, 0], CC);
  }

  private flags(at: number): number {
    return this.bytes[at] | (this.bytes[at + 1] << 8) | (this.bytes[at + 2] << 16) | (this.bytes[at + 3] << 24);
  }

  input(flag: number): boolean { return (this.flags(0) & flag) !== 0; }
  output(flag: number): boolean { return (this.flags(4) & flag) !== 0; }
  local(flag: number): boolean { return (this.flags(12) & flag) !== 0; }
  cc(which: number): number { return this.bytes[CC + which]; }

  /** Is `byte` this control character? 0 (_POSIX_VDISABLE) switches one off. */
  is(byte: number, which: number): boolean {
    return byte !== 0 && byte === this.cc(which);
  }
}
snapshotClass('Termios', Termios);
