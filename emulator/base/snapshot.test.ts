import fc from 'fast-check';
import { loadGraph, saveGraph, snapshotClass, SnapshotError } from './snapshot.js';
import { EventQueue } from './events.js';
import { Random } from './random.js';

class Node {
  static readonly transient = ['cached'];
  name: string;
  next: Node | null = null;
  cached = 'not state';
  loaded = false;

  constructor(name: string) {
    this.name = name;
  }

  afterLoad(): void {
    this.cached = `rebuilt for ${this.name}`;
  }
}
snapshotClass('test.Node', Node);

class Counter {
  hits = 0;
  onEvent(): void {
    this.hits++;
  }
}
snapshotClass('test.Counter', Counter);

class Compact {
  values: number[];
  constructor(values: number[]) {
    this.values = values;
  }
  saveState(): unknown {
    return { sum: this.values.length, text: this.values.join(',') };
  }
  loadState(state: unknown): void {
    this.values = (state as { text: string }).text.split(',').map(Number);
  }
}
snapshotClass('test.Compact', Compact);

const copy = <T extends object>(value: T): T => loadGraph(saveGraph(value)) as T;

describe('the object graph of the machine', () => {
  test('cycles and shared references survive', () => {
    const a = new Node('a');
    a.next = new Node('b');
    a.next.next = a;
    const loaded = copy({ first: a, again: a });
    expect(loaded.first).toBe(loaded.again);
    expect(loaded.first.next?.next).toBe(loaded.first);
    expect(loaded.first).toBeInstanceOf(Node);
  });

  test('caches are left out and rebuilt', () => {
    expect(copy(new Node('x')).cached).toBe('rebuilt for x');
  });

  test('a class may choose its own form', () => {
    expect(copy({ compact: new Compact([3, 1, 2]) }).compact.values).toEqual([3, 1, 2]);
  });

  test('a closure in the state is named by its path', () => {
    expect(() => saveGraph({ process: { handler: () => 1 } })).toThrow('root.process.handler');
  });

  test('an unknown class is named by its path', () => {
    expect(() => saveGraph({ when: new (class Stray {})() })).toThrow(/Stray.*root\.when/);
  });

  test('maps, sets, typed arrays, big integers and odd numbers keep their values', () => {
    const state = {
      map: new Map<unknown, unknown>([[1, 'one'], ['k', new Set([2, 3])]]),
      words: new Int32Array([1, -2, 3]),
      bytes: Buffer.from('abc'),
      odd: [NaN, Infinity, -Infinity, -0, undefined, 12345678901234567890n],
    };
    const loaded = copy(state);
    expect(loaded.map.get('k')).toEqual(new Set([2, 3]));
    expect([...loaded.words]).toEqual([1, -2, 3]);
    expect(Buffer.from(loaded.bytes).toString()).toBe('abc');
    expect(Object.is(loaded.odd[3], -0)).toBe(true);
    expect(loaded.odd).toEqual(state.odd);
  });

  test('any JSON-like value comes back equal', () => {
    fc.assert(fc.property(fc.dictionary(fc.string().filter((key) => key !== '__proto__'), fc.jsonValue({ noUnicodeString: false }).filter((value) => !JSON.stringify(value).includes('__proto__'))), (value) => {
      expect(copy({ value: { ...value } })).toEqual({ value: { ...value } });
    }), { numRuns: 100 });
  });

  test('deadlines keep their order and their targets', () => {
    const queue = new EventQueue();
    const counter = new Counter();
    queue.at(20, counter, 'late');
    queue.at(10, counter, 'early');
    queue.at(10, counter, 'early too');
    const loaded = copy({ queue, counter });
    expect([loaded.queue.popDue(10)?.kind, loaded.queue.popDue(10)?.kind, loaded.queue.popDue(10)]).toEqual(['early', 'early too', null]);
    const last = loaded.queue.popDue(30);
    last?.target.onEvent(last.kind, null);
    expect(loaded.counter.hits).toBe(1);
  });

  test('a random stream goes on where it was', () => {
    const random = new Random(7);
    random.next();
    const loaded = copy({ random }).random;
    expect([loaded.next(), loaded.next()]).toEqual([random.next(), random.next()]);
  });

  test('a file that is no snapshot, cut off or of another version is refused with a reason', () => {
    const image = saveGraph({ a: new Node('x') });
    expect(() => loadGraph(Buffer.from('garbage'))).toThrow('not a Shuntbox snapshot');
    expect(() => loadGraph(image.subarray(0, 30))).toThrow('cut off');
    const newer = Buffer.from(image);
    newer.writeUInt32LE(99, 8);
    expect(() => loadGraph(newer)).toThrow('version 99');
  });

  test('whatever byte of a snapshot is damaged, it loads or is refused', () => {
    const image = saveGraph({ node: new Node('x'), words: new Int32Array([1, 2]), map: new Map([[1, 2]]) });
    fc.assert(fc.property(fc.nat(image.length - 1), fc.integer({ min: 1, max: 255 }), (at, mask) => {
      const damaged = Buffer.from(image);
      damaged[at] ^= mask;
      try {
        loadGraph(damaged);
      } catch (error) {
        expect(error).toBeInstanceOf(SnapshotError);
      }
    }), { numRuns: 300 });
  });
});
