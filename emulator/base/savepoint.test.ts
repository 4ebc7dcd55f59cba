import { Savepoint, snapshotClass } from './index.js';

class Part {
  static readonly transient = ['cache'];
  static readonly appendOnly = ['lines'];
  value = 1;
  cache = 0;
  lines = ['a'];
  bytes = Uint8Array.of(1, 2, 3);
  list: unknown[] = [1, { deep: [2] }];
  map = new Map<string, unknown>([['x', 1], ['y', new Set([1, 2])]]);
  self: Part | null = null;
  afterLoads = 0;
  afterLoad(): void {
    this.afterLoads++;
  }
}
snapshotClass('savepoint.test.Part', Part);

class Encoded {
  number = 5;
  saveState(): unknown {
    return { number: this.number, made: [1] };
  }
  loadState(state: { number: number; made: number[] }): void {
    this.number = state.number;
    state.made.push(9);
  }
}
snapshotClass('savepoint.test.Encoded', Encoded);

describe('a savepoint', () => {
  test('puts everything back into the same objects, as often as asked', () => {
    const part = new Part();
    part.self = part;
    const { bytes, list, map } = part;
    const point = new Savepoint({ part });
    for (let round = 0; round < 3; round++) {
      part.value = 2;
      (part as { late?: number }).late = 3;
      part.self = null;
      part.lines.push('b');
      bytes.fill(0);
      (list[1] as { deep: number[] }).deep.push(4);
      list.push(5);
      map.delete('x');
      map.set('x', 7);
      part.list = [];
      point.restore();
      expect(part.value).toBe(1);
      expect('late' in part).toBe(false);
      expect(part.self).toBe(part);
      expect(part.lines).toEqual(['a']);
      expect([...bytes]).toEqual([1, 2, 3]);
      expect(part.list).toBe(list);
      expect(list).toEqual([1, { deep: [2] }]);
      expect([...map.keys()]).toEqual(['x', 'y']);
      expect(map.get('x')).toBe(1);
    }
  });

  test('leaves caches alone and lets the class mend them', () => {
    const part = new Part();
    const point = new Savepoint(part);
    part.cache = 8;
    point.restore();
    expect(part.cache).toBe(8);
    expect(part.afterLoads).toBe(1);
  });

  test('a state that was encoded is given back as it was made, though loading it changed it', () => {
    const encoded = new Encoded();
    const point = new Savepoint(encoded);
    for (let round = 0; round < 2; round++) {
      encoded.number = 6;
      point.restore();
      expect(encoded.number).toBe(5);
    }
  });

  test('a function is no state', () => {
    expect(() => new Savepoint({ f: () => 1 })).toThrow(/no state/);
    expect(() => new Savepoint({ at: new Date(0) })).toThrow(/Date is not a snapshot class/);
  });
});
