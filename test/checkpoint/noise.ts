import type { Random } from '../../emulator/base/index.js';
import { endThread } from '../../emulator/kernel/exit.js';
import { Signal, type Process } from '../../emulator/kernel/index.js';
import { Access, PAGE_SIZE, Prot } from '../../emulator/memory/index.js';

/** Noise in everything a thaw must bring back: what a program gone wild could do, and more. */
export function makeNoise(process: Process, random: Random): void {
  noiseInMemory(process, random);
  noiseInMappings(process, random);
  noiseInDescriptors(process, random);
  noiseInThreads(process, random);
  noiseInSettings(process, random);
}

function noiseInMemory(process: Process, random: Random): void {
  const { space } = process;
  const { ram } = space;
  for (const region of space.regions) {
    if (!(region.prot & Prot.write)) continue;
    for (let va = region.start; va < region.end; va += PAGE_SIZE) {
      // Untouched pages too, but not so many that the device runs out of memory.
      if (space.frameAt(va) < 0 && (region.shared ? region.pager?.resident(region.index(va)) ?? -1 : -1) < 0 && random.below(16) !== 0) continue;
      if (space.frameAt(va) < 0 && ram.free() < 256) continue;
      if (region.shared && region.pager?.markDirty && space.frameAt(va) < 0) continue;
      const at = space.resolve(va, Access.write);
      if (at >= 0) ram.u8.fill(random.below(256), at, at + PAGE_SIZE);
    }
  }
}

function noiseInMappings(process: Process, random: Random): void {
  const { space } = process;
  const regions = [...space.regions];
  for (const region of regions) {
    const what = random.below(5);
    if (what === 0) space.unmap(region.start, region.end - region.start);
    else if (what === 1) space.protect(region.start, PAGE_SIZE, random.below(8));
    else if (what === 2 && !region.shared) space.discard(region.start, region.end - region.start);
  }
  for (let i = 0; i < 3; i++) {
    const victim = regions[random.below(regions.length)];
    space.map({ addr: victim.start, length: PAGE_SIZE * (1 + random.below(3)), prot: 3, fixed: true, shared: random.below(2) === 0 });
    const at = space.map({ length: PAGE_SIZE * (1 + random.below(5)), prot: 3 });
    if (at > 0) space.writeWords(at, [random.next()]);
  }
}

/** Every number ends up elsewhere or nowhere; no open file is closed for good and no lock let go, for those do not come back. */
function noiseInDescriptors(process: Process, random: Random): void {
  const { fds, kernel } = process;
  const files = fds.list().map((fd) => fds.get(fd));
  // Past RLIMIT_NOFILE, which may be low.
  for (const file of files) {
    let fd = 100 + random.below(50);
    while (fds.get(fd)) fd++;
    if (file) fds.put(fd, file, false);
  }
  for (const fd of fds.list()) if (fd < 100 && random.below(4) !== 0) fds.take(fd)?.release(kernel);
  for (const file of files) {
    if (!file) continue;
    if (random.below(2) === 0) fds.install(file, random.below(8), true);
    file.position = random.below(1000);
    file.flags ^= 0x80;
  }
}

function noiseInThreads(process: Process, random: Random): void {
  for (const thread of process.threads) {
    const { ctx } = thread;
    for (let i = 1; i < 32; i++) ctx.gpr[i] = random.next();
    for (let i = 0; i < 32; i++) ctx.fpr[i] = random.next();
    Object.assign(ctx, { hi: random.next() | 0, lo: random.next() | 0, pc: random.next(), fcsr: random.below(4), userLocal: random.next() | 0, llbit: 1, lladdr: 4096 });
    thread.sigmask = Uint32Array.from({ length: 4 }, () => random.next());
    thread.savedMask = random.below(2) ? Uint32Array.of(1, 2, 3, 4) : null;
    thread.altStack = { sp: random.next(), size: random.next(), flags: random.below(3) };
    if (thread.state !== 'stopped') thread.unblock();
    thread.clearTid = 0;
    thread.robustList = random.next() | 0;
    thread.call = { number: 4001, args: [1, 2, 3, 4, 5, 6, 7], nextPc: 0 };
    if (thread.tid !== process.pid && random.below(2) === 0) endThread(thread);
  }
}

function noiseInSettings(process: Process, random: Random): void {
  const { space } = process;
  for (let signo = 1; signo <= 128; signo++) {
    if (signo === Signal.KILL || signo === Signal.STOP) continue;
    process.actions[signo] = { handler: random.next(), flags: random.next() | 0, mask: Uint32Array.of(random.next(), 0, 0, random.next()) };
  }
  for (const which of [0, 1, 2]) process.itimers.set(which, 1 + random.below(1 << 30), random.below(1 << 30));
  process.umask = random.below(0o777);
  space.brk = space.brkStart + random.below(1 << 20);
  space.mapTop -= PAGE_SIZE * random.below(100);
  for (const limit of process.limits) limit.soft = Math.min(limit.hard, random.below(1 << 30));
}
