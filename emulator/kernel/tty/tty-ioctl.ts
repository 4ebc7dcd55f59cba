import { Errno, failed, type Result } from '../../base/index.js';
import { Ioctl } from '../ioctl.js';
import { Signal } from '../signal-numbers.js';
import type { Thread } from '../thread.js';
import { checkJob } from './job-control.js';
import { Packet, type Pty } from './pty.js';
import { Iflag, TERMIOS_BYTES } from './termios.js';

/** Requests both ends of a pseudo-terminal answer alike (ioctl_tty(2)); null: not one of them. */
export function terminalIoctl(thread: Thread, pty: Pty, request: number, argument: number, master: boolean): Result | null {
  const { space } = thread.process;
  const va = argument >>> 0;
  switch (request) {
    case Ioctl.TCGETS: return space.copyout(va, pty.discipline.termios.bytes);
    case Ioctl.TCSETS: case Ioctl.TCSETSW: case Ioctl.TCSETSF: return configure(thread, pty, va, request === Ioctl.TCSETSF);
    case Ioctl.TIOCGWINSZ: return space.writeWords(va, [pty.rows | (pty.columns << 16), pty.pixels]);
    case Ioctl.TIOCSWINSZ: {
      const size = space.readWords(va, 2);
      if (failed(size)) return size;
      pty.resize(size[0] & 0xffff, size[0] >>> 16, size[1]);
      return 0;
    }
    case Ioctl.TCFLSH: return flush(pty, argument);
    case Ioctl.TCXONC: return flow(pty, argument);
    case Ioctl.TCSBRK: case Ioctl.TCSBRKP: case Ioctl.TIOCEXCL: case Ioctl.TIOCNXCL: return 0;
    case Ioctl.TIOCGETD: return space.writeWords(va, [0]);
    case Ioctl.TIOCSCTTY: return takeControl(thread, pty, argument);
    case Ioctl.TIOCNOTTY: return giveUp(thread, pty);
    case Ioctl.TIOCGPGRP: return master || pty.controls(thread.process) ? space.writeWords(va, [pty.foreground]) : -Errno.ENOTTY;
    case Ioctl.TIOCGSID: return pty.session !== 0 && (master || pty.controls(thread.process)) ? space.writeWords(va, [pty.session]) : -Errno.ENOTTY;
    case Ioctl.TIOCSPGRP: return setForeground(thread, pty, va);
    default: return null;
  }
}

function configure(thread: Thread, pty: Pty, va: number, flushing: boolean): Result {
  const stopped = checkJob(thread, pty, Signal.TTOU);
  if (stopped) return stopped;
  const bytes = thread.process.space.copyin(va, TERMIOS_BYTES);
  if (failed(bytes)) return bytes;
  const { discipline } = pty;
  const before = discipline.termios.input(Iflag.IXON);
  if (flushing) discipline.flushInput();
  discipline.configure(bytes.slice());
  const after = discipline.termios.input(Iflag.IXON);
  if (pty.packetMode && before !== after) pty.packetStatus = (pty.packetStatus & ~(Packet.DOSTOP | Packet.NOSTOP)) | (after ? Packet.DOSTOP : Packet.NOSTOP);
  pty.input.wakeAll();
  return 0;
}

/** TCIFLUSH 0, TCOFLUSH 1, TCIOFLUSH 2 */
function flush(pty: Pty, which: number): Result {
  if (which < 0 || which > 2) return -Errno.EINVAL;
  if (which !== 1) pty.discipline.flushInput();
  if (which !== 0) pty.flushOutput();
  return 0;
}

/** TCOOFF 0, TCOON 1; TCIOFF 2 and TCION 3 would be sent to the other end, which has no use for them. */
function flow(pty: Pty, action: number): Result {
  if (action < 0 || action > 3) return -Errno.EINVAL;
  if (action < 2) pty.discipline.setStopped(action === 0);
  return 0;
}

function takeControl(thread: Thread, pty: Pty, force: number): Result {
  const { process } = thread;
  if (process.pid === process.sid && pty.controls(process)) return 0;
  if (process.pid !== process.sid || process.terminal !== null) return -Errno.EPERM;
  if (pty.session !== 0) {
    if (force !== 1 || process.cred.euid !== 0) return -Errno.EPERM;
    pty.hangUp();
  }
  pty.takeSession(process);
  return 0;
}

function giveUp(thread: Thread, pty: Pty): Result {
  const { process } = thread;
  if (!pty.controls(process)) return -Errno.ENOTTY;
  if (process.pid === process.sid) pty.hangUp();
  process.terminal = null;
  return 0;
}

function setForeground(thread: Thread, pty: Pty, va: number): Result {
  const { process } = thread;
  if (!pty.controls(process)) return -Errno.ENOTTY;
  const stopped = checkJob(thread, pty, Signal.TTOU);
  if (stopped) return stopped;
  const words = process.space.readWords(va, 1);
  if (failed(words)) return words;
  const [group] = words;
  if (group < 0) return -Errno.EINVAL;
  const members = [...process.kernel.processes.values()].filter((one) => one.pgid === group);
  if (members.length === 0) return -Errno.ESRCH;
  if (members.some((one) => one.sid !== process.sid)) return -Errno.EPERM;
  pty.foreground = group;
  return 0;
}
