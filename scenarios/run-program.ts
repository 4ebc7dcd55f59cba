import { readSync, writeSync } from 'node:fs';
import { basename } from 'node:path';
import { Router, type ProfileName } from '../emulator/index.js';
import { signalName, type Process } from '../emulator/kernel/index.js';
import type { RamdiskKind } from '../ramdisk/index.js';
import { CoreCollector } from './core-collector.js';

export interface RunOptions {
  profile?: ProfileName;
  ramdisk?: RamdiskKind;
  ram?: number;
  /** Root filesystem archive, or null for an empty one. */
  image: Uint8Array | null;
  /** Path of the program on the router, and its contents when it comes from the host. */
  path: string;
  program: Uint8Array | null;
  args: readonly string[];
  strace?: (line: string) => void;
  /** Where input comes from and output goes to; the process's own by default. */
  input?: () => Uint8Array | null;
  output?: (bytes: Uint8Array, stream: 'stdout' | 'stderr') => void;
  seed?: number;
  /** Virtual seconds after which the program is given up. */
  limitSeconds?: number;
}

export interface RunOutcome {
  /** As a shell gives it: the exit status, or 128 + the signal. */
  status: number;
  /** What a shell would say: "Segmentation fault (core dumped)". */
  message: string | null;
  core: Uint8Array | null;
  unknown: { call: string; times: number }[];
  instructions: number;
  virtualSeconds: number;
}

const ENVIRONMENT = ['PATH=/usr/sbin:/usr/bin:/sbin:/bin', 'HOME=/', 'TERM=dumb'];
const STEP_NS = 100e6;

/** strsignal's words for the signals that end a program (signal(7)). */
const words: Record<string, string> = {
  SIGHUP: 'Hangup', SIGINT: 'Interrupt', SIGQUIT: 'Quit', SIGILL: 'Illegal instruction', SIGTRAP: 'Trace/breakpoint trap', SIGABRT: 'Aborted',
  SIGFPE: 'Floating point exception', SIGKILL: 'Killed', SIGBUS: 'Bus error', SIGSEGV: 'Segmentation fault', SIGSYS: 'Bad system call',
  SIGPIPE: 'Broken pipe', SIGALRM: 'Alarm clock', SIGTERM: 'Terminated', SIGXCPU: 'CPU time limit exceeded', SIGXFSZ: 'File size limit exceeded',
};

/** Runs one program on an otherwise idle router until it ends. */
export function runProgram(options: RunOptions): RunOutcome {
  const files = options.program ? { [options.path]: options.program } : {};
  const router = Router.create({ profile: options.profile, ram: options.ram, ramdisk: options.ramdisk, image: options.image, files, executables: Object.keys(files), seed: options.seed });
  const { kernel } = router;
  router.powerOn();
  if (options.strace) kernel.traceTo(options.strace);
  const { console } = kernel;
  console.isTerminal = false;
  console.logLines = false;
  console.source = options.input ?? readInput;
  const output = options.output ?? ((bytes, stream) => writeOutput(bytes, stream === 'stderr' ? 2 : 1));
  console.sink = (bytes, stream) => output(bytes, stream === 'stderr' ? 'stderr' : 'stdout');
  const stdio = [console.openFile('stdin'), console.openFile('stdout'), console.openFile('stderr')] as const;
  const process = router.spawn(options.path, [options.path, ...options.args], { stdio: [...stdio] }, ENVIRONMENT);
  const cores = new CoreCollector([process.comm]);
  const message = cores.during(() => runToEnd(router, process, options.limitSeconds ?? Infinity));
  const report = router.report();
  return { ...ending(process, message), core: cores.first, unknown: report.unknown, instructions: report.instructions, virtualSeconds: report.virtualSeconds };
}

/** Null when the program ended, else why it will not. */
function runToEnd(router: Router, process: Process, limitSeconds: number): string | null {
  const { clock } = router.kernel;
  while (process.state === 'alive') {
    const { reason } = router.run(clock.cycles + clock.toCycles(STEP_NS));
    if (process.state !== 'alive') break;
    if (reason === 'halted') return null;
    if (reason === 'idle') return `it waits for something that can never come (${waits(process)})`;
    if (clock.cycles / clock.hz > limitSeconds) return `it did not end within ${limitSeconds} s of the router's time`;
  }
  return null;
}

const waits = (process: Process): string => process.threads.map((thread) => thread.blocked?.name ?? thread.state).join(', ');

function ending(process: Process, message: string | null): { status: number; message: string | null } {
  if (message !== null) return { status: 1, message: `${basename(process.exe)}: ${message}` };
  const signo = process.exitStatus & 0x7f;
  if (signo === 0) return { status: (process.exitStatus >> 8) & 0xff, message: null };
  const dumped = process.exitStatus & 0x80 ? ' (core dumped)' : '';
  return { status: 128 + signo, message: (words[signalName(signo)] ?? signalName(signo)) + dumped };
}

const CHUNK = 65536;
const NAP_MS = 10;

function nap(): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, NAP_MS);
}

/** Standard input, waiting until there is some; null at its end. */
function readInput(): Uint8Array | null {
  const buffer = Buffer.alloc(CHUNK);
  for (;;) {
    try {
      const length = readSync(0, buffer, 0, CHUNK, null);
      return length === 0 ? null : buffer.subarray(0, length);
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code === 'EOF') return null;
      if (code !== 'EAGAIN') return null;
      nap();
    }
  }
}

function writeOutput(bytes: Uint8Array, descriptor: number): void {
  for (let at = 0; at < bytes.length;) {
    try {
      at += writeSync(descriptor, bytes, at);
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code !== 'EAGAIN') return;
      nap();
    }
  }
}
