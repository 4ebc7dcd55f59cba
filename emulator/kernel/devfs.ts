import { Errno, failed, snapshotClass, type Fail } from '../base/index.js';
import { gatherLength, type Gather } from '../vfs/vnode.js';
import type { Opened } from '../vfs/vfs.js';
import { ConsoleFile } from './console.js';
import type { Kernel } from './kernel.js';
import { NodeFile } from './node-file.js';
import type { OpenFile } from './open-file.js';
import type { Thread } from './thread.js';
import { Devpts } from './tty/devpts.js';
import { openMaster, PtySlave } from './tty/pty-file.js';

const READ_MAX = 16 << 20;

type MemoryDevice = 'null' | 'zero' | 'full' | 'random';

/** The memory devices (null(4), full(4), random(4)). Random bytes come from the machine's seeded generator. */
export class DeviceFile extends NodeFile {
  readonly kind = 'device';
  readonly device: MemoryDevice;

  constructor(device: MemoryDevice, opened: Opened, flags: number) {
    super(opened, flags);
    this.device = device;
  }

  override get gathers(): boolean { return true; }

  override read(kernel: Kernel, _thread: Thread, length: number): Uint8Array | number {
    if (this.device === 'null') return new Uint8Array(0);
    const bytes = new Uint8Array(Math.min(length, READ_MAX));
    if (this.device === 'random') kernel.random.fill(bytes);
    return bytes;
  }

  override write(_kernel: Kernel, _thread: Thread, bytes: Gather): number {
    return this.device === 'full' ? -Errno.ENOSPC : gatherLength(bytes);
  }

  override seek(): number { return 0; }

  /** mmap of /dev/zero gives zero-filled memory (null(4)). */
  override pager(): null | Fail { return this.device === 'zero' ? null : -Errno.ENODEV; }
}
snapshotClass('DeviceFile', DeviceFile);

type Opener = (kernel: Kernel, thread: Thread, flags: number, opened: Opened) => OpenFile | Fail;

const memory = (device: MemoryDevice): Opener => (_kernel, _thread, flags, opened) => new DeviceFile(device, opened, flags);
const console: Opener = (kernel, _thread, flags, opened) => new ConsoleFile(kernel.console, flags, 'console', opened);

/** /dev/tty: the process's own terminal; the console where there is none, which every program here was started from. */
/** tty(4): ENXIO without a controlling terminal, by which getpass() and pagers know to use their standard input. */
function controllingTerminal(_kernel: Kernel, thread: Thread, flags: number, opened: Opened): OpenFile | Fail {
  const { terminal } = thread.process;
  return terminal ? new PtySlave(terminal, flags, opened) : -Errno.ENXIO;
}

interface Device {
  name: string;
  rdev: number;
  mode: number;
  open: Opener;
}

/** Numbers of Linux: Documentation/admin-guide/devices.txt; (major << 8) | minor. */
const devices: readonly Device[] = [
  { name: 'null', rdev: 0x103, mode: 0o666, open: memory('null') },
  { name: 'zero', rdev: 0x105, mode: 0o666, open: memory('zero') },
  { name: 'full', rdev: 0x107, mode: 0o666, open: memory('full') },
  { name: 'random', rdev: 0x108, mode: 0o666, open: memory('random') },
  { name: 'urandom', rdev: 0x109, mode: 0o666, open: memory('random') },
  { name: 'tty', rdev: 0x500, mode: 0o666, open: controllingTerminal },
  { name: 'ptmx', rdev: 0x502, mode: 0o666, open: openMaster },
  { name: 'console', rdev: 0x501, mode: 0o600, open: console },
  { name: 'ttyS0', rdev: 0x440, mode: 0o600, open: console },
];

const links: readonly [name: string, target: string][] = [
  ['fd', '/proc/self/fd'], ['stdin', '/proc/self/fd/0'], ['stdout', '/proc/self/fd/1'], ['stderr', '/proc/self/fd/2'],
];

/** Open the device behind a node, whatever the node is called and wherever it stands. */
export function openDevice(kernel: Kernel, thread: Thread, flags: number, opened: Opened): OpenFile | Fail {
  const { type, rdev } = opened.vnode.getattr();
  const device = type === 'chr' ? devices.find((one) => one.rdev === rdev) : undefined;
  return device ? device.open(kernel, thread, flags, opened) : -Errno.ENXIO;
}

/** Make the nodes of all devices in `directory`; nodes that exist stay. */
export function installDevices(kernel: Kernel, directory = '/dev'): void {
  const context = kernel.vfs.kernelContext();
  kernel.vfs.mkdir(context, directory, 0o755);
  for (const { name, rdev, mode } of devices) kernel.vfs.mknod(context, `${directory}/${name}`, 'chr', mode, rdev);
  for (const [name, target] of links) {
    if (failed(kernel.vfs.find(context, `${directory}/${name}`, false))) kernel.vfs.symlink(context, target, `${directory}/${name}`);
  }
  kernel.vfs.mkdir(context, `${directory}/pts`, 0o755);
  kernel.vfs.mount(context, `${directory}/pts`, new Devpts(kernel));
}
