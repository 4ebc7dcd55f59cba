import fc from 'fast-check';
import { Invariant } from '../../base/index.js';
import { readTcp, TcpView, writeTcp, type TcpSegment } from '../wire/index.js';
import { ByteQueue } from './byte-queue.js';
import { Ranges } from './ranges.js';
import { after, before, distance, plus } from './sequence.js';
import { SynQueue, type HalfOpen } from './syn-queue.js';

const u32 = fc.integer({ min: 0, max: 0xffffffff });
const u16 = fc.integer({ min: 0, max: 0xffff });

/** Options that fit together: three SACK blocks at most beside the time stamps. */
const options = fc.record({
  mss: fc.oneof(fc.constant(0), fc.integer({ min: 1, max: 0xffff })), windowScale: fc.integer({ min: -1, max: 14 }), sackPermitted: fc.boolean(),
  sack: fc.array(u32, { maxLength: 4 }).map((edges) => edges.slice(0, edges.length & ~1)),
  timestamp: fc.oneof(fc.constant(null), fc.record({ value: u32, echo: u32 })),
});

const segment: fc.Arbitrary<TcpSegment> = fc.record({
  sourcePort: u16, destinationPort: u16, sequence: u32, acknowledgment: u32, flags: fc.integer({ min: 0, max: 255 }), window: u16, urgent: u16, options,
  payload: fc.uint8Array({ maxLength: 100 }),
});

test('a segment written and read is the same', () => {
  fc.assert(fc.property(segment, u32, u32, (given, source, destination) => {
    const bytes = writeTcp(given, source, destination);
    expect(bytes.length % 4 === given.payload.length % 4 && bytes.length <= 60 + given.payload.length).toBe(true);
    expect(readTcp(bytes, source, destination)).toEqual(given);
    if (source >>> 0 !== destination) expect(typeof readTcp(bytes, source, (destination ^ 1) >>> 0)).toBe('string');
  }));
});

test('one flipped bit is noticed', () => {
  fc.assert(fc.property(segment, fc.nat(), (given, at) => {
    const bytes = writeTcp(given, 1, 2);
    bytes[(at >>> 3) % bytes.length] ^= 1 << (at & 7);
    expect(typeof readTcp(bytes, 1, 2)).toBe('string');
  }));
});

test('whatever the bytes: a segment or a reason, never an exception; a view reads beyond the end as zeros', () => {
  fc.assert(fc.property(fc.uint8Array({ maxLength: 80 }), fc.boolean(), (bytes, mend) => {
    // With the checksum mended, the options are read too.
    if (mend && bytes.length >= 20) for (let i = 0; i < 0x10000 && readTcp(bytes, 0, 0) === 'tcp.checksum'; i += 1) [bytes[16], bytes[17]] = [i >> 8, i];
    const read = readTcp(bytes, 0, 0);
    expect(typeof read === 'string' || read.payload.length <= bytes.length).toBe(true);
    expect(new TcpView(bytes).window).toBeLessThan(0x10000);
  }), { numRuns: 30 });
});

test('more options than a header holds are our own mistake', () => {
  const given = { mss: 1, windowScale: 1, sackPermitted: true, sack: [1, 2, 3, 4, 5, 6], timestamp: { value: 1, echo: 2 } };
  expect(() => writeTcp({ sourcePort: 1, destinationPort: 2, sequence: 0, acknowledgment: 0, flags: 0, window: 0, urgent: 0, options: given, payload: new Uint8Array(0) }, 0, 0)).toThrow(Invariant);
});

test('sequence numbers compare across the wrap', () => {
  fc.assert(fc.property(u32, fc.integer({ min: 1, max: 0x7fffffff }), (from, step) => {
    const to = plus(from, step);
    expect([before(from, to), after(to, from), before(to, from), distance(from, to)]).toEqual([true, true, false, step]);
  }));
});

test('the byte queue is a queue', () => {
  fc.assert(fc.property(fc.array(fc.oneof(fc.uint8Array({ maxLength: 3000 }), fc.nat(3000)), { maxLength: 40 }), (steps) => {
    const queue = new ByteQueue();
    let model: number[] = [];
    for (const step of steps) {
      if (typeof step === 'number') {
        const count = Math.min(step, model.length);
        queue.drop(count);
        model = model.slice(count);
      } else {
        queue.append(step);
        model.push(...step);
      }
      expect(queue.length).toBe(model.length);
      const offset = model.length >> 1;
      expect([...queue.copy(offset, 700)]).toEqual(model.slice(offset, offset + 700));
      expect([...queue.view(offset, 700)]).toEqual(model.slice(offset, offset + 700));
    }
  }), { numRuns: 40 });
});

test('ranges are a set of sequence numbers', () => {
  const base = 0xffff_ffc0;
  const range = fc.tuple(fc.nat(120), fc.integer({ min: 1, max: 20 }));
  fc.assert(fc.property(fc.array(range, { maxLength: 15 }), fc.nat(140), (pieces, cut) => {
    const ranges = new Ranges();
    const model = new Set<number>();
    for (const [start, length] of pieces) {
      const size = model.size;
      for (let i = start; i < start + length; i++) model.add(i);
      expect(ranges.add(plus(base, start), plus(base, start + length))).toBe(model.size > size);
    }
    ranges.dropBefore(plus(base, cut));
    for (let i = 0; i < cut; i++) model.delete(i);
    expect(ranges.bytes).toBe(model.size);
    expect(ranges.missing(plus(base, cut), plus(base, 150))).toBe([...Array(150).keys()].filter((i) => i >= cut && !model.has(i)).length);
    const gap = ranges.gap(plus(base, cut), plus(base, 150));
    const first = [...Array(150).keys()].find((i) => i >= cut && !model.has(i));
    expect(gap === null ? undefined : distance(base, gap.start)).toBe(first);
  }));
});

const entryOf = (remote: number, irs: number): HalfOpen => ({
  local: 1, localPort: 80, remote, remotePort: remote & 0xffff, irs, iss: irs ^ 5, listener: remote % 3, mss: 1460, window: 1000, scale: remote % 15 - 1, sack: remote % 2 === 0,
  timestamps: remote % 3 === 0, tsRecent: 7,
});

test('the half-open queue keeps what it was given, finds it, and gives it back in the order of its deadlines', () => {
  const step = fc.record({ what: fc.constantFrom('add', 'add', 'remove', 'again'), remote: fc.nat(60) });
  fc.assert(fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
    const queue = new SynQueue();
    const model = new Map<number, HalfOpen>();
    steps.forEach(({ what, remote }, now) => {
      const at = queue.find(1, 80, remote, remote & 0xffff);
      expect(at >= 0).toBe(model.has(remote));
      if (at < 0 && what === 'add') {
        model.set(remote, entryOf(remote, now));
        queue.add(entryOf(remote, now), now + 1000);
      } else if (at >= 0 && what === 'remove') {
        model.delete(remote);
        queue.remove(at);
      } else if (at >= 0 && what === 'again' && queue.triesOf(at) < 5) {
        queue.again(at, now + 1000 * 2 ** queue.triesOf(at) * 2);
      }
    });
    expect(queue.count).toBe(model.size);
    for (const [remote, entry] of model) expect(queue.get(queue.find(1, 80, remote, remote & 0xffff))).toEqual(entry);
    expect(queue.of(1).length).toBe([...model.values()].filter(({ listener }) => listener === 1).length);
    let last = 0;
    for (let at = queue.first(); at >= 0; at = queue.first()) {
      expect(queue.deadlineOf(at)).toBeGreaterThanOrEqual(last);
      last = queue.deadlineOf(at);
      queue.remove(at);
    }
    expect(queue.count).toBe(0);
  }));
});

test('100 000 half-open connections cost megabytes', () => {
  const queue = new SynQueue();
  for (let i = 0; i < 100_000; i++) queue.add(entryOf(0x0a000000 + i, i), i);
  expect(queue.bytes).toBeLessThan(8 << 20);
  expect(queue.get(queue.find(1, 80, 0x0a000000 + 77_777, (0x0a000000 + 77_777) & 0xffff)).irs).toBe(77_777);
});
