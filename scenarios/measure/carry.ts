import { failed, errnoName, Invariant } from '../../emulator/base/index.js';
import { dropCheckpoint, freezeProcess, Store, thawProcess } from '../../emulator/checkpoint/index.js';
import { findSyscall } from '../../emulator/kernel/index.js';
import { profiles, type ProfileName } from '../../emulator/router/profiles.js';
import { workOf } from './model.js';
import { writePages } from './rungs.js';
import { largestMapping, type Subject } from './subject.js';

/** What it costs to carry a range over a thaw with each of the paper's two calls, in cycles. */
export interface CarryRow {
  bytes: number;
  /** cache(IN) at every update, cache(OUT) once after each thaw. */
  cacheUpdate: number;
  cacheBack: number;
  /** persist() once; what it adds to each thaw. */
  persistOnce: number;
  persistThaw: number;
  /** Updates between two thaws from which on persist is the cheaper one. */
  crossover: number;
}

export interface CarryResult {
  kind: 'carry';
  profile: ProfileName;
  hz: number;
  store: 'shunt/share' | 'shunt/fresh';
  rows: CarryRow[];
}

const SIZES = [4, 64, 1024, 4096, 65536];
const Call = { persist: 4901, cache: 4902 } as const;
const Direction = { in: 1, out: 2 } as const;

/** A system call made as the process itself would make it. */
function call(subject: Subject, number: number, ...args: number[]): void {
  const { process, router: { kernel } } = subject;
  const found = findSyscall(number);
  if (!found) throw new Invariant(`no system call ${number}`);
  kernel.meter.charge('syscall');
  const result = found.handler(kernel, process.threads[0], args[0] ?? 0, args[1] ?? 0, args[2] ?? 0, 0, 0, 0, 0);
  if (failed(result)) throw new Invariant(`${found.name}: ${errnoName(-result)}`);
}

function thawCycles(subject: Subject, descriptor: number): number {
  writePages(subject);
  return workOf(subject, () => {
    const result = thawProcess(subject.router.kernel, subject.process, descriptor);
    if (failed(result)) throw new Invariant(`thaw: ${errnoName(-result)}`);
  }).cycles;
}

export function measureCarry(subject: Subject, profile: ProfileName, store: CarryResult['store']): CarryResult {
  const { process, router: { kernel } } = subject;
  const region = largestMapping(subject);
  if (region.end - region.start < Math.max(...SIZES)) throw new Invariant('the process is too small to carry from');
  const descriptor = freezeProcess(kernel, process, { store: store === 'shunt/share' ? Store.share : Store.copy });
  if (failed(descriptor)) throw new Invariant(`freeze: ${errnoName(-descriptor)}`);
  const plain = thawCycles(subject, descriptor);
  const rows = SIZES.map((bytes): CarryRow => {
    // The first update of an address makes its place; those that follow are what a program pays.
    call(subject, Call.cache, Direction.in, region.start, bytes);
    const cacheUpdate = workOf(subject, () => call(subject, Call.cache, Direction.in, region.start, bytes)).cycles;
    thawCycles(subject, descriptor);
    const cacheBack = workOf(subject, () => call(subject, Call.cache, Direction.out, region.start, bytes)).cycles;
    const persistOnce = workOf(subject, () => call(subject, Call.persist, region.start, bytes)).cycles;
    const persistThaw = thawCycles(subject, descriptor) - plain;
    call(subject, Call.persist, region.start, 0);
    return { bytes, cacheUpdate, cacheBack, persistOnce, persistThaw, crossover: Math.max(0, (persistThaw - cacheBack) / cacheUpdate) };
  });
  dropCheckpoint(kernel, process, descriptor);
  return { kind: 'carry', profile, hz: profiles[profile].hz, store, rows };
}
