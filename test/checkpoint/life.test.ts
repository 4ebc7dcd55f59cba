import { Errno, failed, loadGraph, saveGraph } from '../../emulator/base/index.js';
import {
  checkpointsOf, diagramsFromLog, dropCheckpoint, freezeProcess, imagePath, installCheckpoints, machineConfig, mermaid, stateDiagram, stateDigest, Store, storeName, thawProcess,
} from '../../emulator/checkpoint/index.js';
import type { Kernel } from '../../emulator/kernel/index.js';
import { createActor, createMachine } from 'xstate';
import { guestBinary, TestMachine } from '../support/machine.js';
import { stores } from './completeness.js';
import { attrOf, contents, list, stopped } from './stopped.js';

const each = stores.map((store) => [storeName(store), store] as const);
const frames = (kernel: Kernel): number => kernel.ram.free();

describe('the life of checkpoints', () => {
  test.each(each)('dropped, they give back every frame: %s', (_name, store) => {
    const { kernel, process, layer } = stopped('pipes', 30_000);
    const free = frames(kernel);
    const pool = layer.pool.free;
    const files = list(kernel, '/tmp');
    const made = [1, 2, 3].map(() => freezeProcess(kernel, process, { store }));
    expect(made).toEqual([1, 2, 3]);
    expect(thawProcess(kernel, process, 2)).toBe(0);
    for (let i = 0; i < 5; i++) expect(freezeProcess(kernel, process, { store, into: 2 })).toBe(2);
    for (const descriptor of made) expect(dropCheckpoint(kernel, process, descriptor)).toBe(0);
    expect([frames(kernel), layer.pool.free, list(kernel, '/tmp')]).toEqual([free, pool, files]);
    expect(freezeProcess(kernel, process, { store })).toBe(4);
  });

  test.each(each)('exit drops them and unlinks their files: %s', (_name, store) => {
    const { kernel, process, machine, layer } = stopped('signals', 9000);
    const pool = layer.pool.free;
    freezeProcess(kernel, process, { store });
    freezeProcess(kernel, process, { store });
    const outcome = machine.finish(process);
    expect(outcome.status).toBe(0);
    expect([list(kernel, '/tmp'), layer.pool.free]).toEqual([[], pool]);
    expect(kernel.log.since().filter((entry) => entry.what === 'checkpoint.drop')).toHaveLength(2);
  });

  test('a file of the paper\'s name, owned by the process, for nobody else to read', () => {
    const { kernel, process } = stopped('signals', 9000);
    freezeProcess(kernel, process);
    expect(list(kernel, '/tmp')).toEqual([`signals.${process.pid}.1`]);
    expect(attrOf(kernel, imagePath('signals', process.pid, 1))).toMatchObject({ mode: 0o600, uid: 0, nlink: 1 });
  });

  test('the last one is the latest freeze that still exists', () => {
    const { kernel, process } = stopped('signals', 9000);
    for (const expected of [1, 2, 3]) expect(freezeProcess(kernel, process)).toBe(expected);
    expect(freezeProcess(kernel, process, { into: 1 })).toBe(1);
    const last = (): number => {
      expect(thawProcess(kernel, process, 0)).toBe(0);
      return checkpointsOf(process).recovered?.to ?? -1;
    };
    expect(last()).toBe(1);
    dropCheckpoint(kernel, process, 1);
    expect(last()).toBe(3);
    dropCheckpoint(kernel, process, 3);
    expect(last()).toBe(2);
    dropCheckpoint(kernel, process, 0);
    expect(thawProcess(kernel, process, 0)).toBe(-Errno.EINVAL);
  });

  test('quotas: EMFILE for checkpoints, EDQUOT for bytes; freezing into one stays possible', () => {
    const { kernel, process } = stopped('signals', 9000, { quota: { checkpoints: 2, bytes: 1 << 20 } });
    expect([1, 2, 3].map(() => freezeProcess(kernel, process))).toEqual([1, 2, -Errno.EMFILE]);
    expect(freezeProcess(kernel, process, { into: 2 })).toBe(2);
    const small = stopped('signals', 9000, { quota: { checkpoints: 9, bytes: 70_000 } });
    expect([1, 2].map(() => freezeProcess(small.kernel, small.process))).toEqual([1, -Errno.EDQUOT]);
    expect(freezeProcess(small.kernel, small.process, { into: 1, store: Store.copy })).toBe(1);
    expect(list(small.kernel, '/tmp')).toEqual([]);
  });

  test('without the layer the calls do not exist', () => {
    const machine = new TestMachine();
    const { stdout } = machine.run(guestBinary('checkpoint'), 'checkpoint');
    expect(stdout).toContain('tlongjmp(0) fails with EINVAL: NO\n  errno 89');
  });

  test('the store is chosen by call, program or router', () => {
    const { kernel, process, layer } = stopped('signals', 9000, { store: Store.copy, daemons: { signals: Store.share, other: Store.vnode } });
    freezeProcess(kernel, process);
    freezeProcess(kernel, process, { store: Store.pool });
    checkpointsOf(process).defaultStore = Store.vnode;
    freezeProcess(kernel, process);
    expect(checkpointsOf(process).list.map((one) => one.image.store)).toEqual([Store.share, Store.pool, Store.vnode]);
    expect(layer.options.store).toBe(Store.copy);
  });
});

describe('pages shared with an image', () => {
  test('cost nothing at the freeze, a copy each at the first write, and none after the drop', () => {
    const { kernel, process } = stopped('malloc', 5_000_000);
    const free = frames(kernel);
    expect(freezeProcess(kernel, process, { store: Store.share })).toBe(1);
    const { image } = checkpointsOf(process).list[0];
    const held = image.heldFrames(kernel);
    expect(held * 4096).toBeLessThan(image.bytes / 10);
    expect(free - frames(kernel)).toBe(held);
    const heap = process.space.regions.find((region) => region.prot === 3 && process.space.frameAt(region.start) >= 0 && !region.shared);
    if (!heap) throw new Error('no heap');
    const cow = kernel.ledger.get('fault.cow');
    process.space.writeWords(heap.start, [1]);
    process.space.writeWords(heap.start + 8, [2]);
    expect([kernel.ledger.get('fault.cow') - cow, image.heldFrames(kernel)]).toEqual([1, held + 1]);
    dropCheckpoint(kernel, process, 1);
    expect(frames(kernel)).toBe(free);
  });
});

test.each(each)('a machine saved between freeze and thaw goes on the same: %s', (_name, store) => {
  const machine = new TestMachine();
  installCheckpoints(machine.kernel, { store, poolFrames: 1024 });
  machine.writeFile('/bin/hazards', guestBinary('hazards'), 0o755);
  machine.feed('');
  machine.spawn('/bin/hazards', ['hazards']);
  machine.kernel.run(1e12, 15_900);
  const saved = saveGraph(machine.kernel);
  const from = machine.kernel.log.length;
  machine.kernel.run(1e12);
  const loaded = loadGraph(saved) as Kernel;
  loaded.run(1e12);
  expect(from).toBeGreaterThan(2);
  expect(loaded.log.lines() === machine.kernel.log.lines()).toBe(true);
});

describe('the history', () => {
  test('is a state diagram: JSON, an XState machine that can be driven, Mermaid', () => {
    const machine = new TestMachine();
    installCheckpoints(machine.kernel, { store: Store.copy });
    machine.writeFile('/bin/hazards', guestBinary('hazards'), 0o755);
    machine.feed('');
    const process = machine.spawn('/bin/hazards', ['hazards']);
    while (machine.kernel.log.since().filter((entry) => entry.hazard === 'jump-loop').length < 2) machine.kernel.run(1e12, machine.kernel.retired + 1000);
    const diagram = JSON.parse(JSON.stringify(stateDiagram(process))) as ReturnType<typeof stateDiagram>;
    expect(diagram.state).toBe(11);
    expect(diagram.states).toHaveLength(12);
    const logged = diagramsFromLog(machine.kernel.log.since()).find((one) => one.pid === process.pid);
    expect(logged).toMatchObject({ state: diagram.state, freezes: diagram.freezes, thaws: diagram.thaws, comm: 'hazards' });
    expect(diagram.thaws.at(-1)).toMatchObject({ from: 11, to: 11, signo: 11, count: 3, address: 16, otherPcs: 0 });
    const actor = createActor(createMachine(machineConfig(diagram) as Parameters<typeof createMachine>[0])).start();
    for (const type of ['FREEZE_1', 'THAW_CALL_1', 'FREEZE_2']) actor.send({ type });
    expect(actor.getSnapshot().value).toBe('state2');
    expect(mermaid(diagram)).toContain('state11 --> state11: SIGSEGV at 0x');
    expect(mermaid(diagram)).toContain('start --> state1: freeze\n');
  });
});

describe('writing for measurements', () => {
  test('4 KiB writes, and over an existing file, give the same bytes', () => {
    const { kernel, process } = stopped('signals', 9000);
    freezeProcess(kernel, process);
    const path = imagePath('signals', process.pid, 1);
    const whole = contents(kernel, path);
    const writes = kernel.ledger.get('vop.write');
    freezeProcess(kernel, process, { into: 1, write: { writeSize: 4096 } });
    expect(kernel.ledger.get('vop.write') - writes).toBe(Math.ceil(whole.length / 4096));
    const { ino } = attrOf(kernel, path);
    expect(Buffer.compare(contents(kernel, path), whole)).toBe(0);
    freezeProcess(kernel, process, { into: 1, write: { inPlace: true } });
    expect(attrOf(kernel, path).ino).toBe(ino);
    expect(Buffer.compare(contents(kernel, path), whole)).toBe(0);
    expect(thawProcess(kernel, process, 1)).toBe(0);
  });

  test('one write a segment by default', () => {
    const { kernel, process } = stopped('signals', 9000);
    const writes: string[] = [];
    kernel.vfs.trace = (op, _vnode, detail) => { writes.push(`${op} ${detail}`); };
    freezeProcess(kernel, process);
    kernel.vfs.trace = null;
    const names = writes.map((write) => write.split(' ')[0]);
    expect(names.filter((name) => name === 'write').length).toBeLessThanOrEqual(process.space.regions.length + 1);
    expect(names.slice(-4)).toContain('rename');
    expect(names).toContain('fsync');
  });
});

test('taking a digest or an export changes and charges nothing', () => {
  const { kernel, process } = stopped('signals', 9000);
  freezeProcess(kernel, process, { store: Store.vnode });
  const before = [JSON.stringify(kernel.ledger.snapshot()), kernel.clock.cycles, frames(kernel)];
  const digest = stateDigest(process).all;
  expect(stateDigest(process).all).toBe(digest);
  expect([JSON.stringify(kernel.ledger.snapshot()), kernel.clock.cycles, frames(kernel)]).toEqual(before);
  expect(failed(thawProcess(kernel, process, 1))).toBe(false);
  expect(stateDigest(process).all).toBe(digest);
});
