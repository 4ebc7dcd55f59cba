import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { saveGraph } from '../../emulator/base/index.js';
import { installCheckpoints } from '../../emulator/checkpoint/index.js';
import { Signal, type Process } from '../../emulator/kernel/index.js';
import { FrameUse } from '../../emulator/memory/index.js';
import { profiles } from '../../emulator/router/profiles.js';
import type { Ramdisk } from '../../ramdisk/index.js';
import { guestBinary, TestMachine } from '../support/machine.js';

/** One attack on a fresh machine, in a process of its own so that its memory can be measured. */
export interface AttackRequest {
  name: string;
  count: number;
  /** Virtual seconds after which everything is killed. */
  seconds: number;
  ram: number;
}

export interface AttackOutcome {
  stdout: string;
  status: number;
  hung: string | null;
  /** Most the host process grew by, in bytes. */
  growth: number;
  /** Most processor time of the host for one slice (below) or for saving the machine, in ms: one operation takes no more. */
  longestMs: number;
  totalMs: number;
  /** Frames missing after all is over. */
  lost: number;
  /** What an ordinary program printed afterwards. */
  after: string;
  snapshotBytes: number;
  /** Of the event log: equal in every run. */
  digest: string;
  logLines: number;
  virtualSeconds: number;
}

/** A slice is about one long operation: after so many instructions or cycles (1 ms) charged, the next is measured by itself. */
const INSTRUCTIONS = 5000;
const CYCLES = 100_000;

class Watch {
  longestMs = 0;
  highest = 0;
  private readonly start = process.memoryUsage().rss;
  private steps = 0;

  step<T>(run: () => T): T {
    const before = process.cpuUsage();
    const result = run();
    const { user, system } = process.cpuUsage(before);
    this.longestMs = Math.max(this.longestMs, (user + system) / 1000);
    if ((this.steps++ & 63) === 0) this.sample();
    return result;
  }

  sample(): void {
    this.highest = Math.max(this.highest, process.memoryUsage().rss);
  }

  get growth(): number {
    return this.highest - this.start;
  }
}

/** Frames that are free, or hold files. */
function accounted({ kernel }: TestMachine): number {
  const disk = kernel.vfs.root.fs as Ramdisk;
  return kernel.ram.free() + disk.budget.usedPages + kernel.ram.countUse(FrameUse.pageCache);
}

function run(machine: TestMachine, program: Process, seconds: number, watch: Watch): string | null {
  const { kernel } = machine;
  const end = kernel.clock.cycles + seconds * kernel.clock.hz;
  const alive = (): boolean => program.state === 'alive' || [...kernel.processes.values()].some((one) => one.state === 'alive');
  while (alive()) {
    const { reason } = watch.step(() => kernel.run(Math.min(end, kernel.clock.cycles + CYCLES), kernel.retired + INSTRUCTIONS));
    if (reason === 'idle' || kernel.clock.cycles >= end) return alive() ? reason : null;
  }
  return null;
}

function killAll(machine: TestMachine): void {
  const { kernel } = machine;
  // A fork under way may add one more.
  for (let round = 0; round < 10 && kernel.processes.size > 0; round++) {
    for (const one of kernel.processes.values()) kernel.signal(one, Signal.KILL);
    kernel.run(kernel.clock.cycles + kernel.clock.hz);
  }
}

async function attack(request: AttackRequest): Promise<AttackOutcome> {
  const { createHash } = await import('node:crypto');
  const machine = new TestMachine({ ram: request.ram, hz: 100e6, cpi: 1.5, quantum: 200_000, costs: profiles.mt7628.costs });
  const { kernel } = machine;
  installCheckpoints(kernel, { poolFrames: 512 });
  machine.writeFile('/bin/attacks', readFileSync(join(process.cwd(), 'test/hostile/bin/attacks')), 0o755);
  machine.writeFile('/bin/hello', guestBinary('hello'), 0o755);
  machine.feed('');
  machine.finish(machine.spawn('/bin/hello', ['hello']), 10);
  const before = accounted(machine);
  const collected: string[] = [];
  let collectedBytes = 0;
  kernel.console.sink = (bytes) => {
    if ((collectedBytes += bytes.length) < 65_536) collected.push(Buffer.from(bytes).toString('latin1'));
  };
  const watch = new Watch();
  const started = performance.now();
  const program = machine.spawn('/bin/attacks', ['/bin/attacks', request.name, String(request.count)]);
  const hung = run(machine, program, request.seconds, watch);
  watch.sample();
  const virtualSeconds = kernel.clock.cycles / kernel.clock.hz;
  const snapshot = watch.step(() => (request.name === 'forkbomb' || request.name === 'deepdirs' ? machineSize(machine) : 0));
  killAll(machine);
  const totalMs = performance.now() - started;
  const stdout = collected.join('');
  collected.length = 0;
  collectedBytes = 0;
  machine.finish(machine.spawn('/bin/hello', ['hello']), 10);
  const lines = kernel.log.lines();
  return {
    stdout, status: program.exitStatus, hung, growth: watch.growth, longestMs: watch.longestMs, totalMs, virtualSeconds,
    lost: before - accounted(machine), after: collected.join(''), snapshotBytes: snapshot,
    digest: createHash('sha256').update(lines).digest('hex'), logLines: kernel.log.length,
  };
}

function machineSize(machine: TestMachine): number {
  return saveGraph(machine.kernel).length;
}

const request = JSON.parse(process.argv[2]) as AttackRequest;
process.stdout.write(JSON.stringify(await attack(request)));
