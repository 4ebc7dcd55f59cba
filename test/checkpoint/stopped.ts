import { failed } from '../../emulator/base/index.js';
import { installCheckpoints, type CheckpointLayer } from '../../emulator/checkpoint/index.js';
import type { CheckpointOptions, Kernel, Process } from '../../emulator/kernel/index.js';
import type { Attr } from '../../emulator/vfs/vnode.js';
import { guestBinary, TestMachine, type MachineOptions } from '../support/machine.js';

export interface Stopped {
  machine: TestMachine;
  kernel: Kernel;
  process: Process;
  layer: CheckpointLayer;
}

/** A machine in which a guest program has come to a stop after so many instructions. */
export function stopped(program: string, instructions: number, options: Partial<CheckpointOptions> = {}, config: MachineOptions = {}): Stopped {
  const machine = new TestMachine(config);
  const layer = installCheckpoints(machine.kernel, { poolFrames: 512, ...options });
  machine.writeFile(`/bin/${program}`, guestBinary(program), 0o755);
  machine.feed('');
  const process = machine.spawn(`/bin/${program}`, [program]);
  const { kernel } = machine;
  kernel.run(kernel.clock.cycles + 600 * kernel.clock.hz, instructions);
  return { machine, kernel, process, layer };
}

/** Names in a directory without `.` and `..`. */
export function list(kernel: Kernel, path: string): string[] {
  const directory = kernel.vfs.find(kernel.vfs.kernelContext(), path);
  if (failed(directory)) throw new Error(`${path}: ${directory}`);
  const entries = directory.readdir(0);
  return failed(entries) ? [] : entries.map((entry) => entry.name).filter((name) => name !== '.' && name !== '..').sort();
}

export function attrOf(kernel: Kernel, path: string): Attr {
  const vnode = kernel.vfs.find(kernel.vfs.kernelContext(), path);
  if (failed(vnode)) throw new Error(`${path}: ${vnode}`);
  return vnode.getattr();
}

export function contents(kernel: Kernel, path: string): Uint8Array {
  const vnode = kernel.vfs.find(kernel.vfs.kernelContext(), path);
  if (failed(vnode)) throw new Error(`${path}: ${vnode}`);
  return Uint8Array.from(vnode.read(0, vnode.getattr().size) as Uint8Array);
}

export function overwrite(kernel: Kernel, path: string, at: number, bytes: Uint8Array): void {
  const vnode = kernel.vfs.find(kernel.vfs.kernelContext(), path);
  if (failed(vnode) || failed(vnode.write(at, bytes))) throw new Error(path);
}

export function truncate(kernel: Kernel, path: string, size: number): void {
  const vnode = kernel.vfs.find(kernel.vfs.kernelContext(), path);
  if (failed(vnode) || failed(vnode.setattr({ size }))) throw new Error(path);
}
