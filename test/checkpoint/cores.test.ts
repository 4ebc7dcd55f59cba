import { spawnSync } from 'node:child_process';
import { failed } from '../../emulator/base/index.js';
import { exportCore, freezeProcess, imagePath, installCheckpoints, layerOf, Store, type CoreOffer } from '../../emulator/checkpoint/index.js';
import { ownNotes } from '../../emulator/checkpoint/record-codec.js';
import { Rlimit } from '../../emulator/kernel/index.js';
import { guestBinary, TestMachine } from '../support/machine.js';
import { stores } from './completeness.js';
import { gdb, inFile, installed } from './oracles.js';
import { contents, list, stopped } from './stopped.js';

const hex = (value: number): string => `0x${(value >>> 0).toString(16)}`;

/** Registers, stack and code as gdb shows them, for a process stopped at a known place. */
function expectOpens(core: Uint8Array, one: ReturnType<typeof stopped>): void {
  const [thread] = one.process.threads;
  const { pc, gpr, userLocal } = thread.ctx;
  const text = gdb(core, ['info registers', 'bt', 'x/i $pc', `x/xw ${hex(gpr[29])}`, 'info proc mappings']);
  for (const [name, value] of [['sp', gpr[29]], ['ra', gpr[31]], ['s0', gpr[16]], ['gp', gpr[28]]] as const) {
    expect(text.replace(/\s+/g, ' ')).toContain((value >>> 0).toString(16).padStart(8, '0'));
    expect(name).not.toBe('');
  }
  expect(text).toMatch(new RegExp(`#0 +0x0*${pc.toString(16)} in`));
  expect(text).toMatch(new RegExp(`=> 0x0*${pc.toString(16)}`));
  const word = one.process.space.readWords(gpr[29], 1) as Int32Array;
  expect(text).toMatch(new RegExp(`${hex(gpr[29])}:\\s+0x0*${(word[0] >>> 0).toString(16)}`));
  expect(text).toContain('/bin/signals');
  expect(userLocal).not.toBe(0);
}

(installed('gdb-multiarch') ? describe : describe.skip)('gdb-multiarch (skipped where it is not installed)', () => {
  test('opens the file a freeze leaves in /tmp', () => {
    const one = stopped('signals', 9000);
    freezeProcess(one.kernel, one.process);
    expectOpens(contents(one.kernel, imagePath('signals', one.process.pid, 1)), one);
  });

  test.each([Store.copy, Store.pool, Store.share])('opens a memory image that was exported: store %i', (store) => {
    const one = stopped('signals', 9000);
    freezeProcess(one.kernel, one.process, { store });
    const core = exportCore(one.kernel, one.process, 1);
    expect(failed(core)).toBe(false);
    expectOpens(core as Uint8Array, one);
  });

  test('names the signal and the place of a fatal fault', () => {
    const machine = new TestMachine();
    const layer = installCheckpoints(machine.kernel);
    const offers: (CoreOffer & { core: Uint8Array })[] = [];
    layer.coreSink = (offer) => { offers.push({ ...offer, core: offer.bytes() }); };
    const outcome = machine.run(guestBinary('segv'), 'segv');
    expect(outcome.signo).toBe(11);
    const [{ core, signo, comm }] = offers;
    expect([signo, comm]).toEqual([11, 'segv']);
    const fatal = machine.kernel.log.since().find((entry) => entry.what === 'process.fatal');
    const text = gdb(core, ['bt', 'p $_siginfo._sifields._sigfault.si_addr']);
    expect(text).toContain('SIGSEGV');
    expect(text).toMatch(new RegExp(`#0 +0x0*${Number(fatal?.pc).toString(16)} in`));
  });
});

test('every store exports the bytes the vnode store writes', () => {
  const one = stopped('signals', 9000);
  const { kernel, process } = one;
  for (const store of stores) freezeProcess(kernel, process, { store });
  const written = contents(kernel, imagePath('signals', process.pid, 1));
  expect(Buffer.compare(exportCore(kernel, process, 1) as Uint8Array, written)).toBe(0);
  const view = new DataView(written.buffer);
  const segments = view.getUint32(52 + 32 + 4, true);
  for (const descriptor of [2, 3, 4]) {
    const core = exportCore(kernel, process, descriptor) as Uint8Array;
    expect(Buffer.compare(core.subarray(segments), written.subarray(segments))).toBe(0);
    expect([...ownNotes(core.subarray(view.getUint32(56, true), view.getUint32(56, true) + view.getUint32(68, true))).keys()]).toHaveLength(7);
  }
});

(installed('readelf') ? test : test.skip)('readelf reads the notes of a real image without complaint (skipped where it is not installed)', () => {
  const one = stopped('threads', 60_000);
  freezeProcess(one.kernel, one.process);
  const core = contents(one.kernel, imagePath('threads', one.process.pid, 1));
  const { stdout, stderr } = inFile(core, (path) => spawnSync('readelf', ['-hln', path], { encoding: 'utf8' }));
  expect(stderr).toBe('');
  expect(stdout.match(/NT_PRSTATUS/g)).toHaveLength(one.process.threads.length);
  for (const name of ['NT_FPREGSET', 'NT_AUXV', 'NT_FILE', '/bin/threads', 'SHUNTBOX']) expect(stdout).toContain(name);
});

describe('a core dump', () => {
  const dump = (limit: number): TestMachine => {
    const machine = new TestMachine();
    installCheckpoints(machine.kernel);
    machine.writeFile('/bin/segv', guestBinary('segv'), 0o755);
    machine.feed('');
    const process = machine.spawn('/bin/segv', ['segv']);
    process.limits[Rlimit.CORE].soft = limit;
    machine.finish(process);
    return machine;
  };

  test('is written by the same routine when RLIMIT_CORE allows it, and wait4 says so', () => {
    const { kernel } = dump(Infinity);
    const core = contents(kernel, '/core');
    expect(Buffer.from(core.subarray(0, 4)).toString('latin1')).toBe('\x7fELF');
    expect(layerOf(kernel)).not.toBeNull();
    if (installed('gdb-multiarch')) expect(gdb(core, ['bt'])).toContain('SIGSEGV');
  });

  test.each([0, 5000])('is not written with a limit of %i bytes', (limit) => {
    expect(list(dump(limit).kernel, '/')).not.toContain('core');
  });
});
