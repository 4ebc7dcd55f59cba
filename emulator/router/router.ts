import { textOf, failed, errnoName, loadGraph, saveGraph, snapshotClass, SnapshotError, type EventLog } from '../base/index.js';
import { installCheckpoints } from '../checkpoint/index.js';
import { Kernel, type CheckpointOptions, type RunResult, type SpawnOptions } from '../kernel/index.js';
import { installDevices } from '../kernel/devfs.js';
import { ProcFs } from '../kernel/procfs.js';
import { Cable, mac, NetStack, type Link } from '../net/index.js';
import type { Process } from '../kernel/index.js';
import { OpenFlag } from '../vfs/open-flags.js';
import { Vfs } from '../vfs/vfs.js';
import { VOP_CLOSE, VOP_WRITE } from '../vfs/vop.js';
import { BlockFilesystem, Ramdisk, unpackInitramfs, type FlashSource, type FlashUse, type RamdiskKind } from '../../ramdisk/index.js';
import { Lifecycle, type DaemonStatus } from './lifecycle/lifecycle.js';
import { profiles, type Profile, type ProfileName } from './profiles.js';

export interface RouterOptions {
  profile?: ProfileName;
  /** RAM in bytes, instead of the profile's. */
  ram?: number;
  /** Root filesystem: cpio newc, gzipped or not; null starts with an empty ramdisk. */
  image: Uint8Array | null;
  /** A read-only tree below the image's files: read when it is referred to, so that it takes no RAM before (as a filesystem in flash). For a tmpfs only. */
  flash?: FlashSource;
  /** What the root filesystem is: a tmpfs (default), or a file system on a memory block device behind a buffer cache. */
  ramdisk?: RamdiskKind;
  seed?: number;
  /** Files written over the image's own: path -> contents. */
  files?: Readonly<Record<string, string | Uint8Array>>;
  /** Paths of `files` that are made executable. */
  executables?: readonly string[];
  /** null: a router without checkpoint calls. */
  checkpoint?: Partial<CheckpointOptions> | null;
  /** Instructions the interpreter runs before the host gets a look; changes no event. */
  hostSlice?: number;
}

/** What could not be provided, and how often it was asked for. */
export interface RouterReport {
  profile: string;
  state: string;
  virtualSeconds: number;
  instructions: number;
  ram: { bytes: number; free: number; user: number; pageCache: number; images: number; kernel: number };
  daemons: DaemonStatus[];
  unknown: { call: string; times: number }[];
  /** What the network lost, by reason. */
  drops: Record<string, number>;
  /** What became of each frame that came in; see NetStack.fates. */
  frames: Record<string, number>;
  ledger: Record<string, number>;
  /** What was read of the tree in flash, and what could not be. */
  flash: (FlashUse & { unreadable: string[] }) | null;
}

export class RouterError extends Error {
  override readonly name = 'RouterError';
}

/** Why execve() refuses a program, for people. */
const START_WORDS: Record<string, string> = {
  ENOENT: ', it or the interpreter it names is not on the root filesystem',
  EACCES: ', it is not an executable file',
  ENOEXEC: ', it is neither a program for little-endian MIPS32 (o32) nor a script',
};

const PORT_MACS: Record<string, string> = { lan0: '02:5b:00:00:00:01', wan0: '02:5b:00:00:00:02' };
const ENVIRONMENT = ['PATH=/usr/sbin:/usr/bin:/sbin:/bin', 'HOME=/'];

/**
 * The machine as its users see it: made from a profile and a root filesystem, connected by its ports, booted, run for as
 * long as one likes, saved to bytes and loaded from them in another process, where it goes on as if nothing had happened.
 */
export class Router {
  static readonly transient = ['flash'];
  readonly profile: Profile;
  readonly kernel: Kernel;
  readonly lifecycle: Lifecycle;
  private readonly ramdiskKind: RamdiskKind;
  private image: Uint8Array | null;
  private flash: FlashSource | null;
  private readonly overlay: [string, string | Uint8Array, boolean][];

  /** Use Router.create. */
  constructor(options: RouterOptions) {
    const profile: Profile = profiles[options.profile ?? 'mt7628'];
    this.profile = profile;
    this.kernel = new Kernel({
      ram: options.ram ?? profile.ramBytes, hz: profile.hz, cpi: profile.cpi, quantum: profile.quantum,
      seed: options.seed ?? 1, costs: profile.costs,
    });
    const { kernel } = this;
    if (options.hostSlice !== undefined) kernel.options.hostSlice = options.hostSlice;
    if (options.checkpoint !== null) installCheckpoints(kernel, options.checkpoint);
    kernel.net = new NetStack(kernel.clock, kernel.events, kernel.meter, kernel.random.fork(1), kernel.log);
    kernel.net.programs = kernel.scheduler;
    this.lifecycle = new Lifecycle(kernel.clock, kernel.events, kernel.log);
    this.ramdiskKind = options.ramdisk ?? 'tmpfs';
    if (options.flash && this.ramdiskKind !== 'tmpfs') throw new RouterError('a folder as root filesystem lies below a tmpfs; leave out the block ramdisk, or give an archive');
    this.image = options.image;
    this.flash = options.flash ?? null;
    const executables = new Set(options.executables);
    this.overlay = Object.entries(options.files ?? {}).map(([path, content]) => [path, content, executables.has(path)]);
  }

  static create(options: RouterOptions): Router {
    return new Router(options);
  }

  /** Throws SnapshotError for anything but a whole router saved by this version. */
  static load(bytes: Uint8Array): Router {
    const loaded = loadGraph(bytes);
    if (!(loaded instanceof Router)) throw new SnapshotError('the snapshot holds no router');
    return loaded;
  }

  /** With everything the router is connected to. */
  save(): Uint8Array {
    return saveGraph(this);
  }

  afterLoad(): void {
    this.flash = null;
  }

  /** After load(): put back the tree in flash, which does not travel in a snapshot. */
  insertFlash(source: FlashSource): void {
    this.ramdisk?.flash?.insert(source);
  }

  private get ramdisk(): Ramdisk | null {
    const { fs } = this.kernel.vfs.root;
    return fs instanceof Ramdisk ? fs : null;
  }

  /** Connect a port before boot: the router sits at side 0 of the link. */
  attach(port: 'lan0' | 'wan0', link: Link): void {
    this.network.addInterface(port, mac(PORT_MACS[port]), link, 0, this.profile.rxRing);
  }

  private get network(): NetStack {
    return this.kernel.net as NetStack;
  }

  /** From power-on to the start of init; daemons come up while the router runs. */
  boot(): Process {
    this.powerOn();
    const init = this.spawn('/sbin/init', ['init'], { init: true });
    this.lifecycle.step('INIT_STARTED');
    return init;
  }

  /** Everything but init: RAM, root filesystem, devices, interfaces. For running a single program. */
  powerOn(): void {
    const { kernel, lifecycle } = this;
    lifecycle.step('POWER_ON');
    kernel.vfs = new Vfs(kernel.meter, kernel.ram);
    this.mountRoot(kernel.vfs);
    this.unpack();
    lifecycle.step('UNPACKED');
    this.mountSystem();
    for (const [path, content, executable] of this.overlay) this.writeFile(path, content, executable ? 0o755 : 0o644);
    for (const port of ['lan0', 'wan0'] as const) {
      if (!this.network.interface(port)) this.attach(port, new Cable(kernel.clock, kernel.events));
    }
    kernel.log.add('router.boot', { profile: this.profile.name, ram: kernel.ram.bytes, free: kernel.ram.free() });
  }

  /**
   * As tmpfs does by default: files may take half of the RAM, so that a full ramdisk is ENOSPC and not the end of a process. A
   * block device takes that half at once, and a sixteenth more for its buffers.
   */
  private mountRoot(vfs: Vfs): void {
    const half = vfs.ram.bytes / 2;
    if (this.ramdiskKind === 'tmpfs') {
      vfs.mountRoot(new Ramdisk(vfs, { name: 'rootfs', maxBytes: half, flash: this.flash ?? undefined }));
      return;
    }
    const fs = BlockFilesystem.make(vfs, { bytes: half, cacheBytes: half / 8 });
    if (!fs) throw new RouterError('the block ramdisk does not fit: it needs more than half of the RAM beside what is set aside for checkpoints');
    vfs.mountRoot(fs);
  }

  private unpack(): void {
    if (!this.image) return;
    const error = unpackInitramfs(this.kernel.vfs, this.image);
    this.image = null;
    if (error) throw new RouterError(`the root filesystem cannot be unpacked: ${error.message}${error.message.endsWith('ENOSPC') ? ', the device has too little RAM for it' : ''} (offset ${error.offset})`);
  }

  private mountSystem(): void {
    const { vfs } = this.kernel;
    const context = vfs.kernelContext();
    for (const path of ['/dev', '/proc', '/sys', '/tmp']) vfs.mkdir(context, path, path === '/tmp' ? 0o1777 : 0o755);
    installDevices(this.kernel, '/dev');
    for (const [path, type] of [['/proc', 'proc'], ['/sys', 'sysfs']] as const) {
      const mounted = vfs.mount(context, path, new ProcFs(this.kernel, type));
      if (failed(mounted)) throw new RouterError(`${path} cannot be mounted: ${errnoName(-mounted)}`);
    }
  }

  /** Write a file into the ramdisk from outside, as a flash tool would. */
  writeFile(path: string, content: string | Uint8Array, mode = 0o644): void {
    const { vfs } = this.kernel;
    const context = vfs.kernelContext();
    const parts = path.split('/').filter((part) => part !== '');
    for (let i = 1; i < parts.length; i++) vfs.mkdir(context, `/${parts.slice(0, i).join('/')}`, 0o755);
    const vnode = vfs.open(context, path, OpenFlag.CREAT | OpenFlag.TRUNC | OpenFlag.WRONLY, mode);
    if (failed(vnode)) throw new RouterError(`${path} cannot be written: ${errnoName(-vnode)}`);
    const bytes = typeof content === 'string' ? new TextEncoder().encode(content) : content;
    const written = bytes.length > 0 ? VOP_WRITE(vnode, 0, bytes) : 0;
    VOP_CLOSE(vnode);
    if (written !== bytes.length) throw new RouterError(`${path} cannot be written: ${written < 0 ? errnoName(-written) : 'no space left on the ramdisk'}`);
  }

  spawn(path: string, argv: string[], options: SpawnOptions = {}, environment: string[] = ENVIRONMENT): Process {
    const process = this.kernel.spawn(path, argv, environment, options);
    if (failed(process)) throw new RouterError(`${path} cannot be started: ${errnoName(-process)}${START_WORDS[errnoName(-process)] ?? ''}`);
    return process;
  }

  /** Run until virtual time `until`, in cycles; a machine in which nothing will ever happen again sleeps until then. */
  run(until: number): RunResult {
    const result = this.kernel.run(until);
    const { clock } = this.kernel;
    if (result.reason === 'idle' && until !== Infinity) clock.cycles = Math.max(clock.cycles, until);
    if (result.reason === 'halted' && this.state !== 'halted') this.lifecycle.step('HALT');
    return result;
  }

  /** Run in steps of `step` cycles until `holds()`, or until virtual time `limit`. Returns whether it held. */
  runUntil(holds: () => boolean, limit: number, step: number): boolean {
    const { clock } = this.kernel;
    while (!holds()) {
      if (clock.cycles >= limit || this.state === 'halted') return false;
      const { reason } = this.run(Math.min(limit, clock.cycles + step));
      if (reason === 'idle' && !holds()) return false;
    }
    return true;
  }

  /** Where in its life the router is: power, loader, ramdisk, daemons, running, degraded, halted. */
  get state(): string {
    return this.lifecycle.state;
  }

  get log(): EventLog {
    return this.kernel.log;
  }

  /** All lines written to the console so far. */
  consoleText(): string {
    return this.log.since().filter((entry) => entry.what === 'console.line').map((entry) => `${textOf(entry.text)}\n`).join('');
  }

  report(): RouterReport {
    const { kernel, profile } = this;
    const used = [0, 0, 0, 0, 0];
    for (const use of kernel.ram.use) used[use]++;
    const bytes = (frames: number): number => frames * 4096;
    return {
      profile: profile.name,
      state: this.state,
      virtualSeconds: kernel.clock.cycles / kernel.clock.hz,
      instructions: kernel.retired,
      ram: { bytes: kernel.ram.bytes, free: bytes(kernel.ram.free()), user: bytes(used[1]), pageCache: bytes(used[2]), images: bytes(used[3]), kernel: bytes(used[4]) },
      daemons: this.lifecycle.daemonStatus(),
      unknown: [...kernel.unknownCalls].map(([call, times]) => ({ call, times })).sort((a, b) => b.times - a.times),
      drops: this.network.drops.snapshot(),
      frames: this.network.fates.snapshot(),
      ledger: kernel.ledger.snapshot(),
      flash: this.flashReport(),
    };
  }

  private flashReport(): RouterReport['flash'] {
    const { flash, unreadable } = this.ramdisk ?? {};
    return flash ? { ...flash.use(), unreadable: [...(unreadable ?? [])] } : null;
  }
}
snapshotClass('Router', Router);
