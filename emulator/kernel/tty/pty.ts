import { snapshotClass, WaitQueue } from '../../base/index.js';
import type { Kernel } from '../kernel.js';
import type { Process } from '../process.js';
import { Signal } from '../signal-numbers.js';
import { LineDiscipline, type LineUser } from './line-discipline.js';

/** What the master has not read; a program that writes beyond it waits. */
const OUTPUT_MAX = 16_384;
/** A pair's buffers, charged to the device as long as the master is open. */
export const PTY_BYTES = 2 * OUTPUT_MAX + 8192;

/** Status bits a master in packet mode reads (ioctl_tty(2), TIOCPKT). */
export const Packet = { DATA: 0, FLUSHREAD: 1, FLUSHWRITE: 2, STOP: 4, START: 8, NOSTOP: 0x10, DOSTOP: 0x20 } as const;

/** A pseudo-terminal (pty(7)): what a program reads and writes at the slave, somebody else writes and reads at the master. */
export class Pty implements LineUser {
  readonly index: number;
  readonly kernel: Kernel;
  readonly discipline: LineDiscipline;
  rows = 0;
  columns = 0;
  pixels = 0;
  /** The slave cannot be opened until TIOCSPTLCK unlocks it. */
  locked = true;
  uid = 0;
  gid = 0;
  mode = 0o620;
  /** Session whose controlling terminal this is, and its foreground process group; 0 for none. */
  session = 0;
  foreground = 0;
  /** Open files of either end; the slave's names hang on the master's life. */
  slaves = 0;
  hadSlave = false;
  masterOpen = true;
  packetMode = false;
  packetStatus = 0;
  private output: Uint8Array[] = [];
  private outputBytes = 0;
  /** For readers of the slave; for readers of the master; for writers of the slave; for writers of the master. */
  readonly input = new WaitQueue();
  readonly shown = new WaitQueue();
  readonly drained = new WaitQueue();
  readonly consumed = new WaitQueue();

  /** st_dev of its node. */
  get dev(): number {
    return this.kernel.vfs.mounts.find(({ fs }) => fs.name === 'devpts')?.fs.dev ?? 0;
  }

  constructor(kernel: Kernel, index: number) {
    this.kernel = kernel;
    this.index = index;
    this.discipline = new LineDiscipline(this);
  }

  // ---- the screen

  get pendingOutput(): number {
    return this.outputBytes;
  }

  get outputRoom(): boolean {
    return this.outputBytes < OUTPUT_MAX && !this.discipline.stopped;
  }

  display(bytes: Uint8Array): void {
    if (bytes.length === 0 || this.outputBytes >= 2 * OUTPUT_MAX) return;
    this.output.push(bytes.slice());
    this.outputBytes += bytes.length;
    this.shown.wakeAll();
  }

  takeOutput(length: number): Uint8Array {
    const parts: Uint8Array[] = [];
    let left = length;
    while (left > 0 && this.output.length > 0) {
      const [first] = this.output;
      const taken = first.subarray(0, left);
      parts.push(taken);
      left -= taken.length;
      if (taken.length === first.length) this.output.shift();
      else this.output[0] = first.subarray(taken.length);
    }
    this.outputBytes -= length - left;
    this.drained.wakeAll();
    return Buffer.concat(parts);
  }

  flushOutput(): void {
    this.output = [];
    this.outputBytes = 0;
    this.tell(Packet.FLUSHWRITE);
    this.drained.wakeAll();
  }

  // ---- what the line discipline says

  signal(signo: number): void {
    if (this.foreground !== 0) this.kernel.signalGroup(this.foreground, signo);
  }

  inputArrived(): void {
    this.input.wakeAll();
  }

  flushed(): void {
    this.tell(Packet.FLUSHREAD);
    this.consumed.wakeAll();
  }

  flowChanged(): void {
    this.tell(this.discipline.stopped ? Packet.STOP : Packet.START);
    this.drained.wakeAll();
  }

  private tell(status: number): void {
    if (!this.packetMode) return;
    this.packetStatus |= status;
    this.shown.wakeAll();
  }

  // ---- sessions

  controls(process: Process): boolean {
    return this.session !== 0 && process.sid === this.session && process.terminal === this;
  }

  takeSession(process: Process): void {
    process.terminal = this;
    this.session = process.sid;
    this.foreground = process.pgid;
  }

  /** The terminal is nobody's: its processes are told, as when a modem hangs up. */
  hangUp(): void {
    const { session, foreground, kernel } = this;
    this.session = this.foreground = 0;
    for (const process of kernel.processes.values()) if (process.terminal === this) process.terminal = null;
    const leader = session === 0 ? undefined : kernel.processes.get(session);
    if (leader?.state === 'alive') for (const signo of [Signal.HUP, Signal.CONT]) kernel.signal(leader, signo);
    if (foreground !== 0 && foreground !== leader?.pgid) for (const signo of [Signal.HUP, Signal.CONT]) kernel.signalGroup(foreground, signo);
  }

  resize(rows: number, columns: number, pixels: number): void {
    const same = this.rows === rows && this.columns === columns;
    [this.rows, this.columns, this.pixels] = [rows, columns, pixels];
    if (!same) this.signal(Signal.WINCH);
  }

  closeMaster(): void {
    this.masterOpen = false;
    this.discipline.flushInput();
    this.hangUp();
    this.output = [];
    this.outputBytes = 0;
    for (const queue of [this.input, this.drained]) queue.wakeAll();
  }

  closeSlave(): void {
    this.slaves--;
    if (this.slaves === 0) this.shown.wakeAll();
  }
}
snapshotClass('Pty', Pty);

/** A session leader that ends gives its terminal up (exit(3), "SIGHUP"). */
export function leaveTerminal(process: Process): void {
  const { terminal } = process;
  process.terminal = null;
  if (terminal && terminal.session === process.pid) terminal.hangUp();
}

/** All pseudo-terminals of the machine, by number. */
export function ptys(kernel: Kernel): Map<number, Pty> {
  let table = kernel.extension.get('ptys') as Map<number, Pty> | undefined;
  if (!table) kernel.extension.set('ptys', table = new Map<number, Pty>());
  return table;
}
