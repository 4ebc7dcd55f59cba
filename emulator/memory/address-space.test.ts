import fc from 'fast-check';
import { Clock, Errno, Ledger, loadGraph, Meter, saveGraph } from '../base/index.js';
import { Access, AddressSpace, AnonPager, Fault, Prot, PTE_COW, PTE_DIRTY, PTE_PRESENT, PTE_READ, PTE_WRITE, RegionFlag } from './address-space.js';
import { PAGE_SIZE, Ram } from './ram.js';
import { READ_TLB, TLB_EMPTY, TLB_ENTRIES, WRITE_TLB } from './tlb.js';

const BASE = 0x1000_0000;
const PAGES = 24;
const RW = Prot.read | Prot.write;

function machine(frames = 256): { ram: Ram; space: AddressSpace } {
  const ram = new Ram(frames * PAGE_SIZE);
  return { ram, space: new AddressSpace(ram, new Meter(new Clock(1e6), new Ledger(), {})) };
}

const at = (page: number, offset = 0): number => BASE + page * PAGE_SIZE + offset;

/** What a page should hold, as a sparse byte map; shared pages share the cell. */
interface Cell { bytes: Map<number, number> }
interface ModelPage { prot: number; shared: boolean; cell: Cell }
interface Model { space: AddressSpace; pages: Map<number, ModelPage> }

type Op =
  | { op: 'map'; page: number; count: number; prot: number; shared: boolean }
  | { op: 'unmap' | 'discard'; page: number; count: number }
  | { op: 'protect'; page: number; count: number; prot: number }
  | { op: 'write'; page: number; offset: number; value: number }
  | { op: 'share' | 'code'; page: number }
  | { op: 'move'; page: number; count: number; to: number }
  | { op: 'fork' | 'destroy' | 'clearDirty' }
  | { op: 'activate' };

const page = fc.nat(PAGES - 1);
const count = fc.integer({ min: 1, max: 6 });
const prot = fc.constantFrom(Prot.none, Prot.read, RW, RW, RW | Prot.exec);
const anOp: fc.Arbitrary<{ who: number } & Op> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ who: fc.nat(3), op: fc.constant('map' as const), page, count, prot, shared: fc.boolean() }) },
  { weight: 2, arbitrary: fc.record({ who: fc.nat(3), op: fc.constantFrom('unmap' as const, 'discard' as const), page, count }) },
  { weight: 2, arbitrary: fc.record({ who: fc.nat(3), op: fc.constant('protect' as const), page, count, prot }) },
  { weight: 8, arbitrary: fc.record({ who: fc.nat(3), op: fc.constant('write' as const), page, offset: fc.constantFrom(0, 1, 4095), value: fc.nat(255) }) },
  { weight: 1, arbitrary: fc.record({ who: fc.nat(3), op: fc.constantFrom('share' as const, 'code' as const), page }) },
  { weight: 1, arbitrary: fc.record({ who: fc.nat(3), op: fc.constant('move' as const), page, count, to: page }) },
  { weight: 3, arbitrary: fc.record({ who: fc.nat(3), op: fc.constantFrom('fork' as const, 'destroy' as const, 'clearDirty' as const, 'activate' as const, 'activate' as const) }) },
);

const range = (first: number, n: number): number[] => Array.from({ length: Math.min(n, PAGES - first) }, (_, i) => first + i);

class Trial {
  readonly ram: Ram;
  readonly models: Model[] = [];
  readonly held: number[] = [];

  constructor() {
    const { ram, space } = machine();
    this.ram = ram;
    this.models.push({ space, pages: new Map() });
  }

  apply(op: { who: number } & Op): void {
    const model = this.models[op.who % this.models.length];
    if (!model) return;
    switch (op.op) {
      case 'map': return this.map(model, op);
      case 'unmap':
        expect(model.space.unmap(at(op.page), range(op.page, op.count).length * PAGE_SIZE)).toBe(0);
        return range(op.page, op.count).forEach((p) => model.pages.delete(p));
      case 'discard': return this.discard(model, op.page, op.count);
      case 'protect': return this.protect(model, op.page, op.count, op.prot);
      case 'write': return this.write(model, op);
      case 'share': {
        const frame = model.pages.get(op.page)?.shared ? -1 : model.space.sharePage(at(op.page));
        if (frame >= 0) this.held.push(frame);
        return;
      }
      case 'code': {
        const frame = model.space.frameAt(at(op.page));
        if (frame >= 0 && model.space === this.ram.activeSpace) this.ram.markCode(frame);
        return;
      }
      case 'move': return this.move(model, op.page, op.count, op.to);
      case 'fork': return this.fork(model);
      case 'destroy':
        if (this.models.length > 1) this.models.splice(this.models.indexOf(model), 1)[0].space.destroy();
        return;
      case 'clearDirty': return model.space.clearDirty();
      case 'activate': return model.space.activate();
    }
  }

  private map(model: Model, op: { page: number; count: number; prot: number; shared: boolean }): void {
    const pages = range(op.page, op.count);
    expect(model.space.map({ addr: at(op.page), length: pages.length * PAGE_SIZE, prot: op.prot, shared: op.shared, fixed: true })).toBe(at(op.page));
    for (const p of pages) model.pages.set(p, { prot: op.prot, shared: op.shared, cell: { bytes: new Map() } });
  }

  private discard(model: Model, first: number, n: number): void {
    model.space.discard(at(first), range(first, n).length * PAGE_SIZE);
    for (const p of range(first, n)) {
      const entry = model.pages.get(p);
      if (entry && !entry.shared) entry.cell = { bytes: new Map() };
    }
  }

  private protect(model: Model, first: number, n: number, prot: number): void {
    const pages = range(first, n);
    const hole = pages.findIndex((p) => !model.pages.has(p));
    expect(model.space.protect(at(first), pages.length * PAGE_SIZE, prot)).toBe(hole < 0 ? 0 : -Errno.ENOMEM);
    for (const p of hole < 0 ? pages : pages.slice(0, hole)) model.pages.get(p)!.prot = prot;
  }

  private write(model: Model, op: { page: number; offset: number; value: number }): void {
    const entry = model.pages.get(op.page);
    const result = model.space.copyout(at(op.page, op.offset), Uint8Array.of(op.value));
    expect(result).toBe(entry && entry.prot & Prot.write ? 0 : -Errno.EFAULT);
    if (result === 0) entry!.cell.bytes.set(op.offset, op.value);
  }

  private move(model: Model, first: number, n: number, to: number): void {
    const pages = range(first, n);
    if (to + pages.length > PAGES || Math.abs(to - first) < pages.length) return;
    const result = model.space.remap(at(first), pages.length * PAGE_SIZE, pages.length * PAGE_SIZE, 3, at(to));
    if (result < 0) return;
    const moved = pages.map((p) => model.pages.get(p)!);
    pages.forEach((p) => model.pages.delete(p));
    moved.forEach((entry, i) => model.pages.set(to + i, entry));
  }

  private fork(model: Model): void {
    if (this.models.length >= 4) return;
    const space = model.space.fork() as AddressSpace;
    const pages = new Map([...model.pages].map(([p, entry]) => [p, { ...entry, cell: entry.shared ? entry.cell : { bytes: new Map(entry.cell.bytes) } }]));
    this.models.push({ space, pages });
  }

  check(): void {
    for (const { space, pages } of this.models) {
      for (let p = 0; p < PAGES; p++) {
        const entry = pages.get(p);
        const got = space.copyin(at(p), PAGE_SIZE);
        if (!entry || entry.prot === 0) {
          expect(got).toBe(-Errno.EFAULT);
          expect(space.resolve(at(p), Access.read)).toBe(entry ? Fault.accerr : Fault.maperr);
          continue;
        }
        const expected = new Uint8Array(PAGE_SIZE);
        for (const [offset, value] of entry.cell.bytes) expected[offset] = value;
        expect(Buffer.compare(got as Uint8Array, expected)).toBe(0);
      }
      this.checkRegions(space);
    }
    this.checkReferences();
    this.checkTlb();
  }

  private checkRegions(space: AddressSpace): void {
    space.regions.forEach((region, i) => {
      expect(region.start).toBeLessThan(region.end);
      const next = space.regions[i + 1];
      if (next) expect(region.end <= next.start && !region.continues(next)).toBe(true);
    });
  }

  private checkReferences(): void {
    const refs = new Int32Array(this.ram.frames);
    const pagers = new Set<AnonPager>();
    for (const { space } of this.models) {
      for (const { frame } of space.pages()) refs[frame]++;
      for (const region of space.regions) if (region.pager) pagers.add(region.pager as AnonPager);
    }
    for (const pager of pagers) for (const frame of (pager as unknown as { frames: Map<number, number> }).frames.values()) refs[frame]++;
    for (const frame of this.held) refs[frame]++;
    expect(Buffer.compare(Buffer.from(refs.buffer), Buffer.from(this.ram.refs.buffer))).toBe(0);
  }

  private checkTlb(): void {
    const { ram } = this;
    const active = this.models.find(({ space }) => space === ram.activeSpace)?.space;
    for (const [table, need] of [[READ_TLB, PTE_PRESENT | PTE_READ], [WRITE_TLB, PTE_PRESENT | PTE_WRITE | PTE_DIRTY]]) {
      for (let i = 0; i < TLB_ENTRIES; i++) {
        const tag = ram.i32[(table >> 2) + 2 * i];
        if (tag === TLB_EMPTY) continue;
        const flags = active!.flagsAt(tag);
        const frame = active!.frameAt(tag);
        expect(flags & need).toBe(need);
        expect((tag + ram.i32[(table >> 2) + 2 * i + 1]) | 0).toBe(ram.address(frame));
        if (table === WRITE_TLB) expect([flags & PTE_COW, ram.code[frame]]).toEqual([0, 0]);
      }
    }
  }

  finish(): void {
    for (const { space } of this.models) space.destroy();
    for (const frame of this.held) this.ram.release(frame);
    expect(this.ram.free()).toBe(this.ram.frames);
  }
}

describe('an address space', () => {
  test('agrees with a simple model under random mapping, protection, writing and forking; references balance, the TLBs never contradict', () => {
    fc.assert(fc.property(fc.array(anOp, { maxLength: 40 }), (ops) => {
      const trial = new Trial();
      for (const op of ops) trial.apply(op);
      trial.check();
      trial.finish();
    }), { numRuns: 200 });
  }, 20_000);

  test('every single step leaves TLBs, references and contents right', () => {
    fc.assert(fc.property(fc.array(anOp, { maxLength: 20 }), (ops) => {
      const trial = new Trial();
      for (const op of ops) {
        trial.apply(op);
        trial.check();
      }
      trial.finish();
    }), { numRuns: 60 });
  }, 20_000);

  test('is saved and loaded with its contents, sharing and copy-on-write intact', () => {
    const { ram, space } = machine();
    space.map({ addr: at(0), length: PAGE_SIZE, prot: RW, fixed: true });
    space.map({ addr: at(2), length: PAGE_SIZE, prot: RW, shared: true, fixed: true });
    space.writeWords(at(0), [1]);
    space.writeWords(at(2), [2]);
    const child = space.fork() as AddressSpace;
    const loaded = loadGraph(saveGraph({ ram, space, child })) as { ram: Ram; space: AddressSpace; child: AddressSpace };
    loaded.space.writeWords(at(0), [11]);
    loaded.space.writeWords(at(2), [22]);
    const read = (s: AddressSpace, p: number): number => (s.readWords(at(p), 1) as Int32Array)[0];
    expect([read(loaded.space, 0), read(loaded.child, 0), read(loaded.space, 2), read(loaded.child, 2)]).toEqual([11, 1, 22, 22]);
    loaded.space.destroy();
    loaded.child.destroy();
    expect(loaded.ram.free()).toBe(loaded.ram.frames);
  });
});

describe('mapping', () => {
  test('without a place goes downward from the top and neighbours merge', () => {
    const { space } = machine();
    const first = space.map({ length: PAGE_SIZE, prot: RW });
    const second = space.map({ length: 2 * PAGE_SIZE, prot: RW });
    expect([first, second]).toEqual([space.mapTop - PAGE_SIZE, first - 2 * PAGE_SIZE]);
    expect(space.regions.length).toBe(1);
  });

  test('changing the protection of the middle gives three regions, changing it back one', () => {
    const { space } = machine();
    space.map({ addr: at(0), length: 3 * PAGE_SIZE, prot: RW, fixed: true });
    space.protect(at(1), PAGE_SIZE, Prot.read);
    expect(space.regions.map(({ prot: p }) => p)).toEqual([RW, Prot.read, RW]);
    space.protect(at(1), PAGE_SIZE, RW);
    expect(space.regions.length).toBe(1);
  });

  test('fixed without replacing fails with EEXIST, below the lowest address with EPERM, misaligned with EINVAL', () => {
    const { space } = machine();
    space.map({ addr: at(0), length: PAGE_SIZE, prot: RW, fixed: true });
    expect(space.map({ addr: at(0), length: PAGE_SIZE, prot: RW, fixed: true, noreplace: true })).toBe(-Errno.EEXIST);
    expect(space.map({ addr: 0, length: PAGE_SIZE, prot: RW, fixed: true })).toBe(-Errno.EPERM);
    expect(space.map({ addr: at(0, 1), length: PAGE_SIZE, prot: RW, fixed: true })).toBe(-Errno.EINVAL);
    expect(space.map({ length: 0, prot: RW })).toBe(-Errno.EINVAL);
    expect(space.map({ length: 0xffff_ffff, prot: RW })).toBe(-Errno.ENOMEM);
  });

  test('beyond RLIMIT_AS fails with ENOMEM, and so does what could never fit the device', () => {
    const { ram, space } = machine();
    expect(space.map({ length: ram.bytes + PAGE_SIZE, prot: RW })).toBe(-Errno.ENOMEM);
    space.limit = 4 * PAGE_SIZE;
    expect(space.map({ length: 5 * PAGE_SIZE, prot: RW })).toBe(-Errno.ENOMEM);
    expect(space.map({ length: 4 * PAGE_SIZE, prot: RW })).toBeGreaterThan(0);
    expect(space.map({ length: PAGE_SIZE, prot: RW })).toBe(-Errno.ENOMEM);
  });

  test('the break moves up and down, never below its start nor into another mapping', () => {
    const { space } = machine();
    space.brkStart = space.brk = at(0, 0x123);
    expect(space.setBrk(0)).toBe(at(0, 0x123));
    expect(space.setBrk(at(2, 5))).toBe(at(2, 5));
    expect(space.regions.map(({ start, end, name }) => [start, end, name])).toEqual([[at(1), at(3), '[heap]']]);
    space.map({ addr: at(4), length: PAGE_SIZE, prot: RW, fixed: true });
    expect(space.setBrk(at(4, 1))).toBe(at(2, 5));
    expect(space.setBrk(at(0, 0x200))).toBe(at(0, 0x200));
    expect(space.regions.length).toBe(1);
  });

  test('a mapping grows in place when it can and moves with its contents when it may', () => {
    const { space } = machine();
    space.map({ addr: at(0), length: PAGE_SIZE, prot: RW, fixed: true });
    space.writeWords(at(0), [42]);
    expect(space.remap(at(0), PAGE_SIZE, 2 * PAGE_SIZE, 0, 0)).toBe(at(0));
    space.map({ addr: at(2), length: PAGE_SIZE, prot: Prot.read, fixed: true });
    expect(space.remap(at(0), 2 * PAGE_SIZE, 3 * PAGE_SIZE, 0, 0)).toBe(-Errno.ENOMEM);
    const moved = space.remap(at(0), 2 * PAGE_SIZE, 3 * PAGE_SIZE, 1, 0);
    expect((space.readWords(moved, 1) as Int32Array)[0]).toBe(42);
    expect(space.resolve(at(0), Access.read)).toBe(Fault.maperr);
    expect(space.remap(moved, 3 * PAGE_SIZE, PAGE_SIZE, 0, 0)).toBe(moved);
    expect(space.resolve(moved + PAGE_SIZE, Access.read)).toBe(Fault.maperr);
    expect(space.remap(at(9), PAGE_SIZE, PAGE_SIZE, 1, 0)).toBe(-Errno.EFAULT);
  });

  test('the number of regions is limited, and so is what holes can make of them', () => {
    const { space } = machine(5000);
    const pages = 2 * 65_600;
    const start = space.map({ length: pages * PAGE_SIZE, prot: RW, flags: RegionFlag.noreserve });
    let holes = 0;
    while (holes < pages && space.unmap(start + (2 * holes + 1) * PAGE_SIZE, PAGE_SIZE) === 0) holes++;
    expect([holes, space.regions.length]).toEqual([65_529, 65_530]);
    expect(space.map({ length: PAGE_SIZE, prot: Prot.read })).toBe(-Errno.ENOMEM);
    expect(space.protect(start, 2 * PAGE_SIZE, Prot.read)).toBe(-Errno.ENOMEM);
    expect(space.unmap(start, PAGE_SIZE)).toBe(0);
  });
});

describe('an access', () => {
  test('to the stack grows it down to RLIMIT_STACK and no nearer than the guard gap', () => {
    const { space } = machine();
    const top = 0x7000_0000;
    space.stackLimit = 0x20_0000;
    space.map({ addr: top - PAGE_SIZE, length: PAGE_SIZE, prot: RW, fixed: true, flags: RegionFlag.growsdown });
    expect(space.resolve(top - 0x20_0000, Access.write)).toBeGreaterThan(0);
    expect(space.regions[0].start).toBe(top - 0x20_0000);
    expect(space.resolve(top - 0x20_0001, Access.write)).toBe(Fault.maperr);
    space.stackLimit = 0x80_0000;
    space.map({ addr: top - 0x50_0000, length: PAGE_SIZE, prot: RW, fixed: true });
    expect(space.resolve(top - 0x50_0000 + PAGE_SIZE, Access.write)).toBe(Fault.maperr);
    expect(space.resolve(top - 0x30_0000, Access.write)).toBeGreaterThan(0);
  });

  test('to the stack and to the mappings 128 MiB below it leave each other in the TLB', () => {
    const { ram, space } = machine();
    const places = [0x77ff_5000, 0x7fff_5000, 0x777b_0000, 0x77fb_0000];
    for (const addr of places) space.map({ addr, length: PAGE_SIZE, prot: RW, fixed: true });
    space.activate();
    for (const addr of places) space.resolve(addr, Access.read);
    const tags = Array.from({ length: TLB_ENTRIES }, (_, i) => ram.i32[(READ_TLB >> 2) + 2 * i] >>> 0);
    expect(new Set(tags.filter((tag) => places.includes(tag)))).toEqual(new Set(places));
  });

  test('words are read and written alike in one page, across two, and misaligned; what is not there is EFAULT', () => {
    const { space } = machine();
    space.map({ addr: at(0), length: 2 * PAGE_SIZE, prot: RW, fixed: true });
    const words = [1, -2, 0x7fff_ffff, 0x8000_0001];
    for (const offset of [0, 16, PAGE_SIZE - 16, PAGE_SIZE - 8, PAGE_SIZE - 3, 5]) {
      expect(space.writeWords(at(0, offset), words)).toBe(0);
      expect([...(space.readWords(at(0, offset), 4) as Int32Array)]).toEqual(words.map((word) => word | 0));
      expect(Buffer.from(space.copyin(at(0, offset), 16) as Uint8Array).readInt32LE(4)).toBe(-2);
    }
    expect([space.readWords(at(2), 1), space.writeWords(at(2), [1]), space.readWords(at(2, -4), 2)]).toEqual([-Errno.EFAULT, -Errno.EFAULT, -Errno.EFAULT]);
    expect(space.readWords(at(2), 0)).toEqual(new Int32Array(0));
    expect(space.readWords(0x8000_0000, 1)).toBe(-Errno.EFAULT);
  });

  test('when no frame is left is a condition of the guest: Fault.oom, then ENOMEM from a copy', () => {
    // Two for the page directory and one table, two for data.
    const { space } = machine(4);
    space.map({ addr: at(0), length: 2 * PAGE_SIZE, prot: RW, fixed: true });
    space.map({ addr: at(2), length: 2 * PAGE_SIZE, prot: RW, fixed: true });
    space.writeWords(at(0), [1]);
    space.writeWords(at(1), [1]);
    expect(space.resolve(at(2), Access.write)).toBe(Fault.oom);
    expect(space.writeWords(at(2), [1])).toBe(-Errno.ENOMEM);
    space.discard(at(0), PAGE_SIZE);
    expect(space.writeWords(at(2), [1])).toBe(0);
  });

  test('past the end of a pager is a bus error; a private mapping copies, a shared one writes through', () => {
    const { ram, space } = machine();
    const pager = new (class extends AnonPager {
      override pageIn(index: number): number { return index > 0 ? -Errno.EFAULT : super.pageIn(index); }
    })(ram);
    pager.addRef();
    space.map({ addr: at(0), length: 2 * PAGE_SIZE, prot: RW, fixed: true, pager });
    space.map({ addr: at(4), length: PAGE_SIZE, prot: RW, fixed: true, pager, shared: true });
    expect(space.resolve(at(1), Access.read)).toBe(Fault.bus);
    space.writeWords(at(4), [7]);
    expect(space.readWords(at(0), 1)).toEqual(Int32Array.of(7));
    space.writeWords(at(0), [8]);
    expect(space.readWords(at(4), 1)).toEqual(Int32Array.of(7));
    space.destroy();
    pager.release();
    expect(ram.free()).toBe(ram.frames);
  });

  test('to kernel addresses or across the end of the user half fails with EFAULT', () => {
    const { space } = machine();
    expect(space.copyin(-4096, 1)).toBe(-Errno.EFAULT);
    expect(space.copyin(0x7fff_f000, 0x2000)).toBe(-Errno.EFAULT);
    expect(space.copyout(0x8000_0000, Uint8Array.of(1))).toBe(-Errno.EFAULT);
    expect(space.copyin(at(0), 0)).toEqual(new Uint8Array(0));
    expect(space.resolve(0xffff_ffff, Access.read)).toBe(Fault.maperr);
  });

  test('strings end at NUL, may cross pages, and have a greatest length', () => {
    const { space } = machine();
    space.map({ addr: at(0), length: 2 * PAGE_SIZE, prot: RW, fixed: true });
    space.copyout(at(0, 4094), Buffer.from('abcd\xff\0', 'latin1'));
    expect(space.copyinString(at(0, 4094))).toBe('abcd\xff');
    expect(space.copyinString(at(0, 4094), 5)).toBe(-Errno.ENAMETOOLONG);
    space.copyout(at(1, 4095), Buffer.from('x'));
    expect(space.copyinString(at(1, 4095))).toBe(-Errno.EFAULT);
  });

  test('a read after a fork sees the old bytes in both, a write only in one; fork costs are booked', () => {
    const { space } = machine();
    space.map({ addr: at(0), length: PAGE_SIZE, prot: RW, fixed: true });
    space.activate();
    space.writeWords(at(0), [1]);
    const child = space.fork() as AddressSpace;
    space.writeWords(at(0), [2]);
    expect([space.readWords(at(0), 1), child.readWords(at(0), 1)]).toEqual([Int32Array.of(2), Int32Array.of(1)]);
    const { ledger } = space.meter;
    expect([ledger.get('fork.page'), ledger.get('fault.cow'), ledger.get('fault.page')]).toEqual([1, 1, 1]);
    child.writeWords(at(0), [3]);
    expect(ledger.get('fault.cow')).toBe(2);
  });
});

describe('RAM', () => {
  test('page tables are charged to the device and given back; a fork that cannot have them fails with ENOMEM', () => {
    const { ram, space } = machine(8);
    space.map({ addr: at(0), length: PAGE_SIZE, prot: RW, fixed: true });
    space.writeWords(at(0), [1]);
    expect(ram.free()).toBe(5);
    const child = space.fork() as AddressSpace;
    expect(ram.free()).toBe(3);
    child.fork();
    expect(space.fork()).toBe(-Errno.ENOMEM);
    child.destroy();
    expect(ram.free()).toBe(3);
  });

  test('withdrawn frames are not handed out, and come back', () => {
    const { ram } = machine(4);
    expect(ram.withdraw(3)).toBe(0);
    expect(ram.withdraw(2)).toBe(-Errno.ENOMEM);
    expect(ram.alloc(1)).toBe(0);
    expect(ram.alloc(1)).toBe(-Errno.ENOMEM);
    ram.giveBack(3);
    expect(ram.alloc(1)).toBe(1);
  });
});
