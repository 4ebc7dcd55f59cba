// Throws captures at a network stack and at booted routers, and holds what comes of it.
import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { Random } from '../../../emulator/base/index.js';
import { readCapture, type CapturePacket, type NetStack } from '../../../emulator/net/index.js';
import { Bare } from './bare.js';
import { Booted } from './booted.js';
import { Form, framesOf, payloadOf } from './forms.js';
import type { Subject } from './subject.js';
import { Unmodified } from './unmodified.js';

interface Options {
  seed: number;
  /** Substring of the names of the files to use. */
  file: string;
  subjects: readonly string[];
  json: boolean;
}

interface Read {
  name: string;
  packets: readonly CapturePacket[];
  error: string | null;
}

/** What one pass over all files gave. */
interface Pass {
  frames: Record<string, number>;
  digest: string;
  problems: string[];
  story: string;
  /** Host: seconds in all, longest for one batch of frames in ms, bytes grown. */
  seconds: number;
  longestMs: number;
  growth: number;
  fates: Record<string, number>;
}

/** A folder of unpacked packages, as for test/programs. */
const debian = process.env.SHUNTBOX_DEBIAN;
const subjects: Readonly<Record<string, () => Subject>> = {
  stack: () => new Bare(),
  router: () => new Booted('none'),
  'router, rollback': () => new Booted('rollback'),
  'router, transparent': () => new Booted('transparent'),
  ...(debian ? { unmodified: () => new Unmodified(debian) } : {}),
};

/** The same limits as for guests that take all they can get. */
const LONGEST_MS = 3000;
const GROWTH_MAX = 300e6;
const STREAM_MAX = 30_000;
const BURST = 300;
const DAMAGED = 8;
const READ_MS = 1000;

function read(folder: string, pattern: string): Read[] {
  const names = readdirSync(folder).filter((name) => /\.pcap(ng)?$/.test(name) && name.includes(pattern)).sort();
  return names.map((name) => ({ name, ...readCapture(readFileSync(join(folder, name))) }));
}

/** Packets of each file as Wireshark's reader counts them; empty without it. */
function counted(folder: string, files: readonly Read[]): Map<string, number> {
  const asked = spawnSync('capinfos', ['-T', '-r', '-M', '-c', ...files.map(({ name }) => join(folder, name))], { encoding: 'utf8', maxBuffer: 1 << 24 });
  const rows = (asked.stdout ?? '').trim().split('\n').map((line) => line.split('\t'));
  return new Map(rows.filter((row) => row.length === 2).map(([path, count]) => [basename(path), Number(count)]));
}

const clear = (error: string): boolean => /offset \d+/.test(error) && !error.includes('\n');

/** Copies of a file with flipped bits near its front, or an end cut off; none may take a reader longer than its bytes. */
function damaged(folder: string, files: readonly Read[], seed: number): string[] {
  const random = new Random(seed);
  const problems: string[] = [];
  for (const { name } of files) {
    const bytes = new Uint8Array(readFileSync(join(folder, name)));
    for (let i = 0; i < DAMAGED && bytes.length > 0; i++) {
      const copy = i === 0 ? bytes.slice(0, random.below(bytes.length)) : bytes.slice();
      for (let flips = i === 0 ? 0 : 1 + random.below(3); flips > 0; flips--) copy[random.below(Math.min(copy.length, 256))] ^= 1 << random.below(8);
      const begun = performance.now();
      const { error, packets } = readCapture(copy);
      if (performance.now() - begun > READ_MS) problems.push(`${name}, damaged: read in ${Math.round(performance.now() - begun)} ms`);
      if (error !== null && !clear(error)) problems.push(`${name}, damaged: "${error}" names no offset`);
      if (packets.reduce((sum, one) => sum + one.bytes.length, 0) > copy.length) problems.push(`${name}, damaged: more bytes in packets than in the file`);
    }
  }
  return problems;
}

/** A file gives its packets, or those before its damage and one sentence with the offset. */
function unreadable(folder: string, files: readonly Read[]): string[] {
  const theirs = counted(folder, files);
  if (theirs.size === 0) console.log('skipped: no capinfos, nobody else counts the packets');
  const differ = files.filter(({ name, packets }) => theirs.has(name) && theirs.get(name) !== packets.length);
  const unclear = files.filter(({ error }) => error !== null && !clear(error));
  return [...differ.map(({ name, packets }) => `${name}: ${packets.length} packets, capinfos counts ${theirs.get(name)}`), ...unclear.map(({ name, error }) => `${name}: "${error}" names no offset`)];
}

/** Names of docs/network.md, "Where packets go to die": lines "- `prefix.` name, name; name" with prefixes in between. */
function documented(): Set<string> {
  const text = readFileSync('docs/network.md', 'utf8');
  const section = text.slice(text.indexOf('## Where packets go to die'), text.indexOf('## Sockets beside UDP'));
  const names = new Set<string>();
  for (const [, prefix, list] of section.matchAll(/`([a-z0-9]+\.)`([^`]*)/g)) {
    for (const name of list.split(/\n- |\n\n/)[0].split(/[,;\s]+/)) names.add(prefix + name);
  }
  return names;
}

/** Fragments held now, and those that became part of a whole, of both protocols. */
function fragments({ reassembler, v6 }: NetStack): [still: number, joined: number] {
  return [reassembler.heldPieces + v6.reassembler.heldPieces, reassembler.joined + v6.reassembler.joined];
}

/** Every frame that came in has one fate with a name, drops are counted under theirs, and fragments that were held are somewhere. */
function accounted(of: string, stack: NetStack, known: ReadonlySet<string>): string[] {
  const { fates, drops, interfaces } = stack;
  const [still, joined] = fragments(stack);
  const problems: string[] = [];
  const taken = interfaces.reduce((sum, { rxPackets }) => sum + rxPackets, 0);
  if (fates.total('') !== taken) problems.push(`${of}: ${taken} frames came in, ${fates.total('')} have a fate`);
  if (fates.get('silent') > 0) problems.push(`${of}: ${fates.get('silent')} frames were dropped without a counter`);
  const missed = interfaces.reduce((sum, { rxMissed }) => sum + rxMissed, 0);
  if (missed > drops.get('interface.ring-full') + drops.get('interface.down')) problems.push(`${of}: ${missed} frames missed, fewer counted`);
  const lost = ['with-another', 'evicted', 'timeout'].reduce((sum, why) => sum + drops.get(`fragment.${why}`), 0);
  const held = fates.get('fragment.held');
  if (held !== still + joined + lost) problems.push(`${of}: ${held} fragments held, ${joined} joined, ${lost} lost, ${still} still there`);
  for (const name of new Set([...Object.keys(fates.snapshot()), ...Object.keys(drops.snapshot())])) {
    if (!known.has(name)) problems.push(`${of}: docs/network.md does not name ${name}`);
  }
  return problems;
}

class Runner {
  readonly pass: Pass = { frames: Object.fromEntries(Form.map((form) => [form, 0])), digest: '', problems: [], story: '', seconds: 0, longestMs: 0, growth: 0, fates: {} };
  private readonly subject: Subject;
  private readonly random: Random;
  private readonly start = process.memoryUsage().rss;
  private readonly offered: number;
  private waiting: Uint8Array[] = [];
  private room = 1;
  private number = 0;

  constructor(subject: Subject, seed: number) {
    this.subject = subject;
    this.random = new Random(seed);
    this.offered = subject.sender.framesSent;
  }

  private timed<T>(work: () => T): T {
    const before = performance.now();
    const result = work();
    this.pass.longestMs = Math.max(this.pass.longestMs, performance.now() - before);
    return result;
  }

  /** Few at a time, and now and then more than the ring holds. */
  private flush(): void {
    const frames = this.waiting;
    this.waiting = [];
    this.room = this.random.below(50) === 0 ? BURST : 1 + this.random.below(8);
    this.timed(() => this.subject.give(frames));
  }

  private throwAll(packets: readonly CapturePacket[]): void {
    for (const packet of packets) {
      for (const [form, frame] of framesOf(packet, this.number++, this.subject.target, this.random)) {
        this.pass.frames[form]++;
        this.waiting.push(frame);
        if (this.waiting.length >= this.room) this.flush();
      }
    }
    this.flush();
  }

  file({ name, packets }: Read): void {
    const payload = Buffer.concat(packets.map(({ bytes }) => payloadOf(bytes))).subarray(0, STREAM_MAX);
    const broken = this.subject.stream(payload, () => this.throwAll(packets));
    const silent = this.subject.ask();
    for (const problem of [broken, silent]) if (problem !== null) this.pass.problems.push(`${name}: ${problem}`);
    this.pass.growth = Math.max(this.pass.growth, process.memoryUsage().rss - this.start);
  }

  finish(known: ReadonlySet<string>): Pass {
    const { pass, subject } = this;
    subject.rest();
    const { port, sender } = subject;
    const arrived = port.rxPackets + port.rxMissed + port.ring.length;
    if (arrived !== sender.framesSent) pass.problems.push(`${sender.framesSent} frames were sent and ${arrived} arrived`);
    if (sender.framesSent - this.offered < Object.values(pass.frames).reduce((sum, count) => sum + count, 0)) pass.problems.push('not every frame was sent');
    for (const [of, stack] of Object.entries(subject.stacks)) pass.problems.push(...accounted(of, stack, known));
    if (pass.longestMs > LONGEST_MS) pass.problems.push(`a few frames took ${Math.round(pass.longestMs)} ms of the host's time`);
    if (pass.growth > GROWTH_MAX) pass.problems.push(`the host process grew by ${Math.round(pass.growth / 1e6)} MB`);
    return { ...pass, digest: subject.digest(), story: subject.story(), fates: Object.values(subject.stacks)[0].fates.snapshot() };
  }
}

function run(make: () => Subject, files: readonly Read[], seed: number): Pass {
  const begun = performance.now();
  const runner = new Runner(make(), seed);
  files.forEach((file, i) => {
    runner.file(file);
    if (process.stderr.isTTY) process.stderr.write(`\r${i + 1}/${files.length} ${file.name.padEnd(60)}`);
  });
  if (process.stderr.isTTY) process.stderr.write('\r');
  return { ...runner.finish(documented()), seconds: (performance.now() - begun) / 1000 };
}

const SHOWN = 20;

function tell(name: string, pass: Pass): void {
  const total = Object.values(pass.frames).reduce((sum, count) => sum + count, 0);
  console.log(`${pass.problems.length === 0 ? 'ok   ' : 'FAIL '} ${name}: ${total} frames in ${pass.seconds.toFixed(1)} s, longest batch ${Math.round(pass.longestMs)} ms, the host grew by ${Math.round(pass.growth / 1e6)} MB; ${pass.story}`);
  for (const problem of pass.problems.slice(0, SHOWN)) console.log(`      ${problem}`);
  if (pass.problems.length > SHOWN) console.log(`      and ${pass.problems.length - SHOWN} more`);
}

/** Every fate with its count, the largest first. */
function table(pass: Pass): string {
  return Object.entries(pass.fates).sort(([, a], [, b]) => b - a).map(([name, count]) => `${name} ${count}`).join(', ');
}

/** Exit status: 0 when everything held. */
export function main(folder: string, options: Options): number {
  const files = read(folder, options.file);
  const unclear = unreadable(folder, files);
  const packets = files.reduce((sum, file) => sum + file.packets.length, 0);
  console.log(`${unclear.length === 0 ? 'ok   ' : 'FAIL '} ${basename(folder)}: ${files.length} files, ${packets} packets; ${files.filter(({ error }) => error).length} files end in an error`);
  for (const line of unclear) console.log(`      ${line}`);
  const broken = damaged(folder, files, options.seed);
  console.log(`${broken.length === 0 ? 'ok   ' : 'FAIL '} ${files.length * DAMAGED} damaged copies of them give packets or one sentence with an offset`);
  for (const line of broken.slice(0, SHOWN)) console.log(`      ${line}`);
  let failures = Number(unclear.length > 0 || files.length === 0) + Number(broken.length > 0);
  let passes = 2 - failures;
  const results: Record<string, Pass> = {};
  for (const name of options.subjects) {
    const first = run(subjects[name], files, options.seed);
    tell(name, first);
    results[name] = first;
    const again = run(subjects[name], files, options.seed);
    const same = again.digest === first.digest;
    console.log(`${same ? 'ok   ' : 'FAIL '} ${name}: the same event log and counters twice (${first.digest.slice(0, 12)})`);
    console.log(`      ${table(first)}`);
    passes += Number(first.problems.length === 0) + Number(same);
    failures += Number(first.problems.length > 0) + Number(!same);
  }
  if (options.json) console.log(JSON.stringify(results, null, 2));
  console.log(`${passes} passed, ${failures} failed`);
  return failures > 0 ? 1 : 0;
}

export const subjectNames = Object.keys(subjects);
