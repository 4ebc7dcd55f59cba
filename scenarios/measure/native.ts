import { spawn } from 'node:child_process';
import { closeSync, existsSync, mkdtempSync, openSync, readdirSync, readFileSync, renameSync, rmSync, statSync, unlinkSync, writeFileSync, writeSync } from 'node:fs';
import { release } from 'node:os';
import { join } from 'node:path';
import { timeRungs, type HarnessOptions, type Rung } from './harness.js';
import { ratios, summarize, type Summary } from './statistics.js';

/** The same ratios on this computer, without Shuntbox: files of a real kernel's tmpfs against a warm copy of as many bytes. */
export interface NativeRow {
  key: string;
  title: string;
  bytes: number;
  seconds: Summary;
  /** Over the warm copy of the same round. */
  ratio: Summary;
}

export interface NativeSkip {
  what: string;
  reason: string;
}

export interface NativeResult {
  kind: 'native';
  folder: string;
  kernel: string;
  rows: NativeRow[];
  skips: NativeSkip[];
}

const SHM = '/dev/shm';
const SMALL = 4096;

export async function measureNative(sizes: readonly number[], options: HarnessOptions, coreSizes: readonly number[]): Promise<NativeResult> {
  const result: NativeResult = { kind: 'native', folder: SHM, kernel: release(), rows: [], skips: [] };
  if (!existsSync(SHM)) {
    result.skips.push({ what: 'files in memory', reason: `this computer has no ${SHM}` });
    return result;
  }
  const folder = mkdtempSync(join(SHM, 'shuntbox-'));
  try {
    for (const bytes of sizes) result.rows.push(...measureFiles(folder, bytes, options));
    const reason = whyNoCore();
    if (reason) result.skips.push({ what: 'core dump', reason });
    else for (const bytes of coreSizes) await measureCore(folder, bytes, options.rounds, result);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  return result;
}

// ---- files

const titles = {
  copy: 'warm copy (the floor)', empty: 'empty file, made and unlinked', new: 'new file, unlinked afterwards', inPlace: 'over the existing file',
  renamed: 'written aside and renamed', small: 'new file in 4 KiB writes',
} as const;

function measureFiles(folder: string, bytes: number, options: HarnessOptions): NativeRow[] {
  const source = Buffer.alloc(bytes);
  for (let i = 0; i < bytes; i += 4) source.writeUInt32LE((i * 2654435761) >>> 0, i);
  const target = Buffer.alloc(bytes, 1);
  const [path, aside, kept] = ['new', 'aside', 'kept'].map((name) => join(folder, name));
  writeFileSync(kept, source);
  const write = (name: string, flags: string, piece = bytes): void => {
    const fd = openSync(name, flags, 0o600);
    for (let at = 0; at < bytes; at += piece) writeSync(fd, source, at, Math.min(piece, bytes - at), at);
    closeSync(fd);
  };
  const work: Record<keyof typeof titles, () => void> = {
    copy: () => { target.set(source); },
    empty: () => { closeSync(openSync(path, 'wx', 0o600)); unlinkSync(path); },
    new: () => { write(path, 'wx'); unlinkSync(path); },
    inPlace: () => write(kept, 'r+'),
    renamed: () => { write(aside, 'wx'); renameSync(aside, kept); },
    small: () => { write(path, 'wx', SMALL); unlinkSync(path); },
  };
  const keys = Object.keys(titles) as (keyof typeof titles)[];
  const times = timeRungs(keys.map((key): Rung => ({ name: key, run: work[key] })), options);
  return keys.map((key, i) => ({ key, title: titles[key], bytes, seconds: summarize(times[i]), ratio: summarize(ratios(times[i], times[0])) }));
}

// ---- core dumps: the kernel's own writer, as in the paper

const PATTERN = '/proc/sys/kernel/core_pattern';

/** Settings of the computer are looked at, never changed. */
function whyNoCore(): string | null {
  if (!existsSync(PATTERN)) return `there is no ${PATTERN} here`;
  const pattern = readFileSync(PATTERN, 'latin1').trim();
  if (pattern.startsWith('|')) return `this computer hands its cores to a program (${PATTERN} is "${pattern}")`;
  if (pattern === '') return `this computer writes no cores (${PATTERN} is empty)`;
  return pattern.includes('/') ? `this computer writes its cores to a fixed place (${PATTERN} is "${pattern}"), which need not be memory` : null;
}

interface Death {
  seconds: number;
  /** Bytes of the core on the ramdisk; 0 without one. */
  core: number;
}

/** A shell that holds `bytes` in a variable, and how long it takes to die of a signal. */
function dieOf(signal: 'SIGKILL' | 'SIGSEGV', folder: string, bytes: number): Promise<Death> {
  const script = `ulimit -c unlimited 2>/dev/null; x=$(head -c ${bytes} /dev/zero | tr '\\0' x); echo ready; read y`;
  return new Promise((resolve, reject) => {
    const child = spawn('sh', ['-c', script], { cwd: folder, stdio: ['pipe', 'pipe', 'ignore'] });
    let begin = 0;
    child.stdout.once('data', () => {
      begin = performance.now();
      child.kill(signal);
    });
    child.once('error', reject);
    child.once('exit', () => resolve({ seconds: (performance.now() - begin) / 1e3, core: takeCore(folder) }));
  });
}

function takeCore(folder: string): number {
  let bytes = 0;
  for (const name of readdirSync(folder).filter((one) => one.startsWith('core'))) {
    bytes += statSync(join(folder, name)).blocks * 512;
    unlinkSync(join(folder, name));
  }
  return bytes;
}

/** What a death with a core takes longer than one without, against a warm copy of the bytes the core holds. */
async function measureCore(folder: string, bytes: number, rounds: number, result: NativeResult): Promise<void> {
  const kills: number[] = [];
  const deaths: number[] = [];
  const copies: number[] = [];
  let core = 0;
  for (let round = 0; round < Math.max(3, rounds); round++) {
    const killed = await dieOf('SIGKILL', folder, bytes);
    const dumped = await dieOf('SIGSEGV', folder, bytes);
    core = dumped.core;
    if (core === 0) break;
    kills.push(killed.seconds);
    deaths.push(dumped.seconds);
    copies.push(warmCopy(core));
  }
  // Either way of dying scatters by more than a small core takes: it is the usual death that is subtracted, not the one of the same round.
  const usual = summarize(kills).median;
  const dumps = deaths.map((seconds) => Math.max(0, seconds - usual));
  if (core === 0) result.skips.push({ what: 'core dump', reason: 'no core appeared: its size is limited to 0 here, or dumping is forbidden' });
  else result.rows.push({ key: 'core', title: `core dump of a shell with ${Math.round(bytes / 1024)} KiB`, bytes: core, seconds: summarize(dumps), ratio: summarize(ratios(dumps, copies)) });
}

/** The median of some; the first ones bring everything into place. */
function warmCopy(bytes: number): number {
  const [from, to] = [Buffer.alloc(bytes, 1), Buffer.alloc(bytes, 2)];
  const seconds: number[] = [];
  for (let i = 0; i < 9; i++) {
    const begin = performance.now();
    to.set(from);
    if (i > 1) seconds.push((performance.now() - begin) / 1e3);
  }
  return summarize(seconds).median;
}
