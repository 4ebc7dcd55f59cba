import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { failed, type Result } from '../../emulator/base/index.js';
import { installDevices } from '../../emulator/kernel/devfs.js';
import { ProcFs } from '../../emulator/kernel/procfs.js';
import { Kernel, type KernelConfig, type Process, type SpawnOptions } from '../../emulator/kernel/index.js';
import { NetStack } from '../../emulator/net/index.js';
import { OpenFlag } from '../../emulator/vfs/open-flags.js';
import { Vfs } from '../../emulator/vfs/vfs.js';
import { VOP_CLOSE, VOP_WRITE } from '../../emulator/vfs/vop.js';
import { mountRamdisk, type RamdiskKind } from './ramdisks.js';

/** A device of round numbers: one cycle an instruction, 100 MHz, 64 MiB; kernel work costs what it costs by default. */
const DEFAULTS: KernelConfig = { ram: 64 << 20, hz: 100e6, cpi: 1, quantum: 20_000, seed: 1, costs: {} };
/** Ten virtual minutes: a program that is not done by then hangs. */
const PATIENCE = 600;

export interface MachineOptions extends Partial<KernelConfig> {
  /** Instructions per cpu.run. */
  hostSlice?: number;
  /** Files to begin with: path -> contents; executable if the path starts with /bin/. */
  files?: Record<string, string | Uint8Array>;
  /** strace lines are collected. */
  strace?: boolean;
  /** Default: tmpfs. */
  ramdisk?: RamdiskKind;
}

export interface RunOutcome {
  /** Exit status, or 128 + signal as a shell has it. */
  status: number;
  signo: number;
  stdout: string;
  stderr: string;
  /** Why the machine stopped when the program did not end. */
  hung: string | null;
  strace: string;
}

/** A kernel with a ramdisk, devices and a console whose output is collected: what most guest tests need. */
export class TestMachine {
  readonly kernel: Kernel;
  stdout = '';
  stderr = '';
  strace = '';

  constructor(options: MachineOptions = {}, kernel?: Kernel) {
    const { hostSlice, files, strace, ramdisk, ...config } = options;
    this.kernel = kernel ?? TestMachine.build({ ...DEFAULTS, ...config }, files ?? {}, ramdisk ?? 'tmpfs');
    if (hostSlice !== undefined) this.kernel.options.hostSlice = hostSlice;
    if (strace) this.kernel.traceTo((text) => { this.strace += text; });
    this.kernel.console.sink = (bytes, stream) => {
      const text = Buffer.from(bytes).toString('latin1');
      if (stream === 'stderr') this.stderr += text;
      else this.stdout += text;
    };
  }

  private static build(config: KernelConfig, files: Record<string, string | Uint8Array>, ramdisk: RamdiskKind): Kernel {
    const kernel = new Kernel(config);
    kernel.vfs = new Vfs(kernel.meter, kernel.ram);
    mountRamdisk(kernel.vfs, ramdisk, config.ram / 2);
    for (const directory of ['/bin', '/etc', '/proc', '/tmp']) kernel.vfs.mkdir(kernel.vfs.kernelContext(), directory, directory === '/tmp' ? 0o777 : 0o755);
    installDevices(kernel);
    kernel.vfs.mount(kernel.vfs.kernelContext(), '/proc', new ProcFs(kernel));
    kernel.net = new NetStack(kernel.clock, kernel.events, kernel.meter, kernel.random.fork(1), kernel.log);
    kernel.net.programs = kernel.scheduler;
    kernel.console.isTerminal = false;
    for (const [path, content] of Object.entries(files)) writeFile(kernel, path, content, path.startsWith('/bin/') ? 0o755 : 0o644);
    return kernel;
  }

  writeFile(path: string, content: string | Uint8Array, mode = 0o644): void {
    writeFile(this.kernel, path, content, mode);
  }

  /** Start a program with the captured streams; `path` is in the machine's file system. */
  spawn(path: string, argv: string[], options: SpawnOptions & { env?: string[] } = {}): Process {
    const { env, ...spawnOptions } = options;
    const { console } = this.kernel;
    const stdio: SpawnOptions['stdio'] = [console.openFile('stdin'), console.openFile('stdout'), console.openFile('stderr')];
    const process = this.kernel.spawn(path, argv, env ?? [], { stdio, ...spawnOptions });
    if (failed(process)) throw new Error(`${path}: errno ${-process}`);
    return process;
  }

  feed(input: string): void {
    this.kernel.console.feed(Buffer.from(input, 'latin1'));
    this.kernel.console.endInput();
  }

  /** Run until the process ends, or nothing more can happen, or patience is over. */
  finish(process: Process, seconds = PATIENCE): RunOutcome {
    const { kernel } = this;
    const end = kernel.clock.cycles + seconds * kernel.clock.hz;
    let hung: string | null = null;
    while (process.state === 'alive' && hung === null) {
      const { reason } = kernel.run(Math.min(end, kernel.clock.cycles + kernel.clock.hz));
      if (reason !== 'time') hung = reason;
      else if (kernel.clock.cycles >= end) hung = 'time';
    }
    const ended = process.state !== 'alive';
    const signo = ended ? process.exitStatus & 0x7f : 0;
    return {
      status: signo ? 128 + signo : process.exitStatus >> 8, signo, stdout: this.stdout, stderr: this.stderr, hung: ended ? null : hung, strace: this.strace,
    };
  }

  /** An ELF program with argv (without the name), stdin and environment. */
  run(elf: Uint8Array, name: string, argv: string[] = [], options: { stdin?: string; env?: string[]; seconds?: number } = {}): RunOutcome {
    this.writeFile(`/bin/${name}`, elf, 0o755);
    this.feed(options.stdin ?? '');
    return this.finish(this.spawn(`/bin/${name}`, [name, ...argv], { env: options.env }), options.seconds);
  }
}

function writeFile(kernel: Kernel, path: string, content: string | Uint8Array, mode: number): void {
  const context = kernel.vfs.kernelContext();
  const vnode = kernel.vfs.open(context, path, OpenFlag.WRONLY | OpenFlag.CREAT | OpenFlag.TRUNC, mode);
  if (failed(vnode)) throw new Error(`${path}: errno ${-vnode}`);
  const written: Result = VOP_WRITE(vnode, 0, Buffer.from(content));
  VOP_CLOSE(vnode);
  if (failed(written)) throw new Error(`${path}: errno ${-written}`);
}

const guestFolder = join(process.cwd(), 'test/guest/bin');

/** One of the built programs of test/guest. */
export function guestBinary(name: string): Uint8Array {
  return readFileSync(join(guestFolder, name));
}

/** Run one of them in a fresh machine. */
export function runGuest(name: string, argv: string[] = [], options: MachineOptions & { stdin?: string; env?: string[]; seconds?: number } = {}): RunOutcome {
  const { stdin, env, seconds, ...machine } = options;
  return new TestMachine(machine).run(guestBinary(name), name, argv, { stdin, env, seconds });
}
