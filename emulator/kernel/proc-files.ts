import { failed, hexDigits, type Result } from '../base/index.js';
import { Prot } from '../memory/address-space.js';
import { FrameUse, PAGE_SIZE } from '../memory/ram.js';
import { filesystemTypes } from '../vfs/filesystem-types.js';
import { capabilitiesOf, type CapabilitySet } from './capabilities.js';
import type { Kernel } from './kernel.js';
import type { OpenFile } from './open-file.js';
import { procNet } from './proc-net.js';
import { sysctls6 } from './proc-sys6.js';
import type { ProcSpec } from './procfs.js';
import type { Process } from './process.js';
import { Rlimit, type Limit } from './limits.js';
import { setToBytes, type Sigset } from './sigset.js';
import type { Thread } from './thread.js';

/** The contents of /proc in the forms of proc(5), as far as programs on routers read them. */

const TICKS = 100;
const KIB = 1024;
const ANNOUNCED_RELEASE = '5.10.0-shuntbox';

const file = (read: () => string, write?: (text: string) => Result): ProcSpec => (write ? { type: 'reg', read, write } : { type: 'reg', read });
const dir = (entries: () => Record<string, ProcSpec>): ProcSpec => ({ type: 'dir', entries });

export function rootSpec(kernel: Kernel): ProcSpec {
  return dir(() => {
    const entries: Record<string, ProcSpec> = { ...machineFiles(kernel) };
    for (const process of kernel.processes.values()) entries[String(process.pid)] = processSpec(kernel, process);
    return entries;
  });
}

function machineFiles(kernel: Kernel): Record<string, ProcSpec> {
  return {
    self: { type: 'lnk', text: () => String(kernel.scheduler.current?.process.pid ?? 0) },
    cmdline: file(() => 'console=ttyS0 root=/dev/ram0 init=/sbin/init\n'),
    cpuinfo: file(() => cpuinfo(kernel)),
    diskstats: file(() => ''),
    partitions: file(() => 'major minor  #blocks  name\n\n'),
    swaps: file(() => 'Filename\t\t\t\tType\t\tSize\t\tUsed\t\tPriority\n'),
    filesystems: file(() => [...filesystemTypes(), 'proc', 'sysfs'].sort().map((name) => `nodev\t${name}\n`).join('')),
    loadavg: file(() => `0.00 0.00 0.00 ${kernel.scheduler.runnable}/${threadCount(kernel)} ${kernel.lastPid}\n`),
    meminfo: file(() => meminfo(kernel)),
    mounts: { type: 'lnk', text: () => 'self/mounts' },
    net: dir(() => procNet(kernel)),
    stat: file(() => stat(kernel)),
    sys: dir(() => sysctls(kernel)),
    uptime: file(() => `${seconds(kernel)} ${seconds(kernel)}\n`),
    version: file(() => `Linux version ${ANNOUNCED_RELEASE} (shuntbox) #1 Thu Jan 1 00:00:00 UTC 2026\n`),
    // There is no swap, and nothing is paged in from a device.
    vmstat: file(() => `nr_free_pages ${kernel.ram.free()}\npgpgin 0\npgpgout 0\npswpin 0\npswpout 0\npgfault ${kernel.ledger.get('fault.page')}\npgmajfault 0\n`),
  };
}

function threadCount(kernel: Kernel): number {
  return [...kernel.processes.values()].reduce((sum, { threads }) => sum + threads.length, 0);
}

function seconds(kernel: Kernel): string {
  const hundredths = Math.floor(kernel.clock.nanoseconds() / 1e7);
  return `${Math.floor(hundredths / 100)}.${String(hundredths % 100).padStart(2, '0')}`;
}

function cpuinfo(kernel: Kernel): string {
  const mhz = kernel.clock.hz / 1e6;
  return [
    'system type\t\t: Shuntbox router', 'machine\t\t\t: shuntbox', 'processor\t\t: 0', 'cpu model\t\t: MIPS 24KEc V5.5',
    `BogoMIPS\t\t: ${mhz.toFixed(2)}`, 'wait instruction\t: yes', 'microsecond timers\t: yes', 'tlb_entries\t\t: 32', 'extra interrupt vector\t: yes',
    'isa\t\t\t: mips1 mips2 mips32r1 mips32r2', 'ASEs implemented\t:', 'kscratch registers\t: 0', 'core\t\t\t: 0', '', '',
  ].join('\n');
}

function meminfo(kernel: Kernel): string {
  const { ram } = kernel;
  const kib = (frames: number): number => (frames * PAGE_SIZE) / KIB;
  const cached = ram.countUse(FrameUse.pageCache) + ram.withdrawnFrames;
  const lines: [string, number][] = [
    ['MemTotal', ram.frames], ['MemFree', ram.free()], ['MemAvailable', ram.free()], ['Buffers', 0], ['Cached', cached], ['SwapCached', 0],
    ['Active', ram.countUse(FrameUse.user)], ['Inactive', 0], ['SwapTotal', 0], ['SwapFree', 0], ['Dirty', 0], ['AnonPages', ram.countUse(FrameUse.user)],
    ['Mapped', ram.countUse(FrameUse.pageCache)], ['Shmem', ram.withdrawnFrames], ['Slab', ram.countUse(FrameUse.kernel)],
  ];
  return lines.map(([name, frames]) => `${`${name}:`.padEnd(16)}${String(kib(frames)).padStart(8)} kB\n`).join('');
}

function ticks(kernel: Kernel, cycles: number): number {
  return Math.floor((kernel.clock.toNanoseconds(cycles) / 1e9) * TICKS);
}

function stat(kernel: Kernel): string {
  const now = ticks(kernel, kernel.clock.cycles);
  let { user, system } = kernel.ended;
  for (const process of kernel.processes.values()) {
    user += process.usage.user;
    system += process.usage.system;
  }
  const busy = [ticks(kernel, user), ticks(kernel, system)];
  const times = `${busy[0]} 0 ${busy[1]} ${Math.max(0, now - busy[0] - busy[1])} 0 0 0 0 0 0`;
  return `cpu  ${times}\ncpu0 ${times}\nintr 0\nctxt ${kernel.ledger.get('context.switch')}\nbtime ${kernel.clock.realtime(0).seconds}\n`
    + `processes ${kernel.lastPid}\nprocs_running ${kernel.scheduler.runnable}\nprocs_blocked 0\n`;
}

/** proc(5): "id parent device root path options - type source options". */
function mountinfo(kernel: Kernel): string {
  return kernel.vfs.mounts.map(({ fs, path, options }, i) =>
    `${20 + i} ${i === 0 ? 1 : 20} ${fs.dev >> 8}:${fs.dev & 255} / ${path} ${options},noatime - ${fs.name} ${fs.name} ${options}\n`).join('');
}

function mounts(kernel: Kernel): string {
  return kernel.vfs.mounts.map(({ fs, path, options }) => `${fs.name} ${path} ${fs.name} ${options},noatime 0 0\n`).join('');
}

// ---- /proc/sys

function number(text: string): number | null {
  return /^\s*\d+\s*$/.test(text) ? Number(text) : null;
}

const EINVAL = -22;

function sysctls(kernel: Kernel): Record<string, ProcSpec> {
  const constant = (value: string | number): ProcSpec => file(() => `${value}\n`);
  const hostname = file(() => `${kernel.hostname}\n`, (text) => {
    kernel.hostname = text.trim().slice(0, 64);
    return 0;
  });
  const random = dir(() => ({ boot_id: file(() => `${bootId(kernel)}\n`), entropy_avail: constant(256), poolsize: constant(256) }));
  const kernelNode = dir(() => ({
    hostname, random, ostype: constant('Linux'), osrelease: constant(ANNOUNCED_RELEASE), version: constant('#1 Thu Jan 1 00:00:00 UTC 2026'),
    domainname: constant(kernel.domainname), pid_max: constant(32768), ngroups_max: constant(65536), cap_last_cap: constant(40), core_pattern: constant('core'),
    threads_max: constant(1024), randomize_va_space: constant(0), panic: constant(0),
  }));
  const vm = dir(() => ({ overcommit_memory: constant(0), min_free_kbytes: constant(0), drop_caches: file(() => '0\n', () => 0) }));
  const crypto = dir(() => ({ fips_enabled: constant(0) }));
  const fs = dir(() => ({ 'file-max': constant(8192), 'nr_open': constant(65536), 'pipe-max-size': constant(1 << 20) }));
  const net = dir(() => ({ ipv4: dir(() => ipv4(kernel)), ipv6: dir(() => sysctls6(kernel.net)), core: dir(() => ({ somaxconn: constant(128), rmem_max: constant(327680), wmem_max: constant(327680) })) }));
  return { kernel: kernelNode, vm, fs, net, crypto };
}

function ipv4(kernel: Kernel): Record<string, ProcSpec> {
  const { net } = kernel;
  if (!net) return {};
  const flag = (get: () => boolean, set: (on: boolean) => void): ProcSpec => file(() => `${get() ? 1 : 0}\n`, (text) => {
    const value = number(text);
    if (value === null) return EINVAL;
    set(value !== 0);
    return 0;
  });
  const forward = flag(() => net.forwarding, (on) => { net.forwarding = on; });
  const filter = flag(() => net.reversePath, (on) => { net.reversePath = on; });
  const conf = (): Record<string, ProcSpec> => Object.fromEntries(['all', 'default', ...net.interfaces.map((device) => device.name)]
    .map((name) => [name, dir(() => ({ forwarding: forward, rp_filter: filter, accept_redirects: file(() => '0\n'), send_redirects: file(() => '0\n'), proxy_arp: file(() => '0\n') }))]));
  const neigh = (): Record<string, ProcSpec> => Object.fromEntries(['default', ...net.interfaces.map((device) => device.name)]
    .map((name) => [name, dir(() => ({ retrans_time_ms: file(() => '1000\n'), mcast_solicit: file(() => '3\n'), base_reachable_time_ms: file(() => '60000\n') }))]));
  return { neigh: dir(neigh), ip_forward: forward, ip_default_ttl: file(() => '64\n'), ip_local_port_range: file(() => '32768\t60999\n'), conf: dir(conf) };
}

/** A UUID that belongs to this power-on: made from the seed without disturbing the random stream. */
function bootId(kernel: Kernel): string {
  const random = kernel.random.fork(0xb007);
  const bytes = new Uint8Array(16);
  random.fill(bytes);
  bytes[6] = (bytes[6] & 0x0f) | 0x40;
  bytes[8] = (bytes[8] & 0x3f) | 0x80;
  const hex = Buffer.from(bytes).toString('hex');
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-');
}

// ---- /proc/PID

function processSpec(kernel: Kernel, process: Process): ProcSpec {
  return dir(() => ({
    ...taskFiles(kernel, process, process.pid),
    auxv: file(() => words(process.auxv.flat().concat(0, 0))),
    cmdline: file(() => process.argv.map((argument) => `${argument}\0`).join('')),
    cwd: link(kernel, process, () => process.cwd),
    environ: file(() => process.envp.map((entry) => `${entry}\0`).join('')),
    exe: exeLink(kernel, process),
    fd: dir(() => descriptors(process)),
    fdinfo: dir(() => descriptorInfo(process)),
    limits: file(() => limits(process)),
    maps: file(() => maps(kernel, process)),
    mounts: file(() => mounts(kernel)),
    mountinfo: file(() => mountinfo(kernel)),
    net: dir(() => procNet(kernel)),
    oom_score_adj: file(() => '0\n', () => 0),
    root: link(kernel, process, () => process.root),
    task: dir(() => Object.fromEntries(process.threads.map((thread) => [String(thread.tid), dir(() => taskFiles(kernel, process, thread.tid))]))),
  }));
}

function taskFiles(kernel: Kernel, process: Process, tid: number): Record<string, ProcSpec> {
  const thread = process.threads.find((one) => one.tid === tid);
  return {
    comm: file(() => `${process.comm}\n`, (text) => {
      process.comm = text.replace(/\n$/, '').slice(0, 15);
      return 0;
    }),
    stat: file(() => processStat(kernel, process, thread)),
    statm: file(() => statm(process)),
    status: file(() => status(process, thread, tid)),
    wchan: file(() => thread?.blocked?.name ?? '0'),
  };
}

function link(kernel: Kernel, process: Process, get: () => Process['cwd']): ProcSpec {
  const text = (): string => {
    const path = kernel.vfs.pathOf(get(), process.root);
    return failed(path) ? '(unreachable)' : path;
  };
  return { type: 'lnk', text, jump: get };
}

function exeLink(kernel: Kernel, process: Process): ProcSpec {
  const jump = (): Process['cwd'] | null => {
    const vnode = kernel.vfs.find({ cwd: process.root, root: process.root, cred: kernel.vfs.kernelContext().cred, umask: 0 }, process.exe);
    return failed(vnode) ? null : vnode;
  };
  return { type: 'lnk', text: () => process.exe, jump };
}

function descriptors(process: Process): Record<string, ProcSpec> {
  const entries: Record<string, ProcSpec> = {};
  for (const fd of process.fds.list()) {
    const open = process.fds.get(fd) as OpenFile;
    entries[String(fd)] = { type: 'lnk', text: () => open.describe(), jump: () => open };
  }
  return entries;
}

function descriptorInfo(process: Process): Record<string, ProcSpec> {
  const entries: Record<string, ProcSpec> = {};
  for (const fd of process.fds.list()) {
    const open = process.fds.get(fd) as OpenFile;
    entries[String(fd)] = file(() => `pos:\t${open.position}\nflags:\t0${open.flags.toString(8)}\n`);
  }
  return entries;
}

function words(values: readonly number[]): string {
  return Buffer.from(Int32Array.from(values).buffer).toString('latin1');
}

/** proc(5): "address perms offset dev inode pathname". */
function maps(kernel: Kernel, process: Process): string {
  const context = { cwd: process.root, root: process.root, cred: kernel.vfs.kernelContext().cred, umask: 0 };
  return process.space.regions.map((region) => {
    const { prot } = region;
    const bits = `${prot & Prot.read ? 'r' : '-'}${prot & Prot.write ? 'w' : '-'}${prot & Prot.exec ? 'x' : '-'}${region.shared ? 's' : 'p'}`;
    const vnode = region.name.startsWith('/') ? kernel.vfs.find(context, region.name) : -1;
    const attr = failed(vnode) ? null : vnode.getattr();
    const head = `${hexDigits(region.start, 8)}-${hexDigits(region.end, 8)} ${bits} ${hexDigits((region.pageOffset * PAGE_SIZE) >>> 0, 8)} `
      + `${hexDigits(attr ? attr.dev >> 8 : 0, 2)}:${hexDigits(attr ? attr.dev & 255 : 0, 2)} ${attr?.ino ?? 0}`;
    return region.name ? `${head.padEnd(49)}${region.name}\n` : `${head} \n`;
  }).join('');
}

function stateLetter(process: Process, thread: Thread | undefined): string {
  if (process.state !== 'alive') return 'Z';
  if (process.stopSignal) return 'T';
  return thread?.state === 'blocked' ? 'S' : 'R';
}

const stateNames: Record<string, string> = { R: 'running', S: 'sleeping', T: 'stopped', Z: 'zombie' };

function processStat(kernel: Kernel, process: Process, thread: Thread | undefined): string {
  const t = (cycles: number): number => ticks(kernel, cycles);
  const { usage, childUsage } = process;
  const alive = process.state === 'alive';
  const fields = [
    process.parent?.pid ?? 0, process.pgid, process.sid, process.terminal ? 0x8800 | process.terminal.index : 0, process.terminal?.foreground || -1, 0, usage.minorFaults, childUsage.minorFaults, 0, 0,
    t(usage.user), t(usage.system), t(childUsage.user), t(childUsage.system), 20 + process.nice, process.nice, process.threads.length, 0,
    t(process.startTime), alive ? process.space.mappedBytes() : 0, alive ? process.space.residentPages() : 0, 0x7fffffff,
    0, 0, 0, (thread?.ctx.gpr[29] ?? 0) >>> 0, (thread?.ctx.pc ?? 0) >>> 0, 0, 0, 0, 0, 0, 0, 0, process.exitSignal, 0, 0, 0, 0, 0, 0,
  ];
  return `${thread?.tid ?? process.pid} (${process.comm}) ${stateLetter(process, thread)} ${fields.join(' ')}\n`;
}

function statm(process: Process): string {
  if (process.state !== 'alive') return '0 0 0 0 0 0 0\n';
  return `${process.space.mappedBytes() / PAGE_SIZE} ${process.space.residentPages()} 0 0 0 0 0\n`;
}

function maskText(set: Sigset): string {
  return Buffer.from(setToBytes(set)).reverse().toString('hex');
}

function status(process: Process, thread: Thread | undefined, tid: number): string {
  const { cred } = process;
  const letter = stateLetter(process, thread);
  const lines: [string, string | number][] = [
    ['Name', process.comm], ['Umask', `0${process.umask.toString(8).padStart(3, '0')}`], ['State', `${letter} (${stateNames[letter]})`], ['Tgid', process.pid],
    ['Pid', tid], ['PPid', process.parent?.pid ?? 0], ['TracerPid', 0], ['Uid', [cred.uid, cred.euid, cred.suid, cred.fsuid].join('\t')],
    ['Gid', [cred.gid, cred.egid, cred.sgid, cred.fsgid].join('\t')], ['FDSize', process.fds.list().length], ['Groups', cred.groups.join(' ')],
  ];
  if (process.state === 'alive') {
    const kib = (bytes: number): string => `${String(bytes / KIB).padStart(8)} kB`;
    lines.push(['VmSize', kib(process.space.mappedBytes())], ['VmRSS', kib(process.space.residentPages() * PAGE_SIZE)]);
  }
  lines.push(['Threads', process.threads.length]);
  const { inheritable, permitted, effective } = capabilitiesOf(cred);
  const mask = ([low, high]: CapabilitySet): string => hexDigits(high, 8) + hexDigits(low, 8);
  lines.push(['CapInh', mask(inheritable)], ['CapPrm', mask(permitted)], ['CapEff', mask(effective)]);
  if (thread) lines.push(['SigBlk', maskText(thread.sigmask)]);
  lines.push(['voluntary_ctxt_switches', process.usage.voluntarySwitches], ['nonvoluntary_ctxt_switches', process.usage.involuntarySwitches]);
  return lines.map(([name, value]) => `${name}:\t${value}\n`).join('');
}

const limitNames: readonly [string, number, string][] = [
  ['Max cpu time', Rlimit.CPU, 'seconds'], ['Max file size', Rlimit.FSIZE, 'bytes'], ['Max data size', Rlimit.DATA, 'bytes'],
  ['Max stack size', Rlimit.STACK, 'bytes'], ['Max core file size', Rlimit.CORE, 'bytes'], ['Max open files', Rlimit.NOFILE, 'files'],
  ['Max address space', Rlimit.AS, 'bytes'],
];

function limits(process: Process): string {
  const text = (value: Limit['soft']): string => (value === Infinity ? 'unlimited' : String(value)).padEnd(20);
  const lines = limitNames.map(([name, which, unit]) => `${name.padEnd(26)}${text(process.limits[which].soft)} ${text(process.limits[which].hard)} ${unit}`);
  return `${'Limit'.padEnd(26)}${'Soft Limit'.padEnd(20)} ${'Hard Limit'.padEnd(20)} Units\n${lines.join('\n')}\n`;
}
