import { loadScenario } from '../scenario.js';
import type { CorruptionSpec } from '../schema.js';
import { firmwareImage, Simulation } from '../simulation.js';
import { corruptionDistance } from './distance.js';
import { debugProgram, Symbols } from './symbols.js';

const image = firmwareImage();
const SP = 29;

function siteOf(name: string): CorruptionSpec {
  const { corruption } = loadScenario(name);
  if (!corruption || 'none' in corruption) throw new Error(`${name} has no site`);
  return corruption;
}

/** MIPS32 opcodes of the stores that the C library and our programs use, with their sizes. */
const STORES: Record<number, number> = { 0x28: 1, 0x29: 2, 0x2b: 4 };

type Seen = { retired: number; address: number } | null;

/** Counts the same by stepping one instruction at a time and decoding each store: nothing of the watch is used. */
function stepped(name: string, entry: number, start: (gpr: Int32Array) => number | null, length: number): { instructions: number; bytes: number; address: number } {
  const simulation = Simulation.create(loadScenario(name), 'none', { image });
  const { router } = simulation;
  const { kernel } = router;
  const thread = simulation.daemonProcess()?.leader;
  if (!thread) throw new Error('no daemon');
  kernel.cpu.addBreakpoint(entry);
  let end = 0;
  while (end === 0) {
    if (router.run(simulation.end).reason !== 'breakpoint') throw new Error('never there');
    const at = thread.ctx.pc === entry ? start(thread.ctx.gpr) : null;
    if (at !== null) end = at + length;
  }
  let first = null as Seen;
  let armed = false;
  let bytes = 0;
  const look = (pc: number): void => {
    const word = kernel.ram.u32[thread.process.space.resolve(pc, 0) >> 2];
    const size = STORES[word >>> 26];
    if (size === undefined) return;
    const address = (thread.ctx.gpr[(word >>> 21) & 31] + ((word << 16) >> 16)) >>> 0;
    if (address >= end - length && address < end) armed = true;
    if (first) bytes += size;
    else if (armed && address + size > end && address < end + 64) {
      first = { retired: thread.retired, address };
      bytes += size;
    }
  };
  while (!thread.hasSignal()) {
    const { pc } = thread.ctx;
    const before = thread.retired;
    const kept = { bytes, first };
    look(pc);
    // In a delay slot: the registers are those before the branch, which the slot of these programs does not need.
    if (isBranch(kernel.ram.u32[thread.process.space.resolve(pc, 0) >> 2])) look(pc + 4);
    kernel.run(simulation.end, kernel.retired + 1);
    if (thread.retired === before) ({ bytes, first } = kept);
    if (thread.process.state !== 'alive') break;
  }
  return { instructions: thread.retired - (first?.retired ?? 0), bytes, address: first?.address ?? 0 };
}

const isBranch = (word: number): boolean => {
  const opcode = word >>> 26;
  return (opcode >= 1 && opcode <= 7) || (opcode === 0 && (word & 0x3e) === 8) || (opcode >= 20 && opcode <= 23);
};

describe('from the first bad store to the signal', () => {
  test('a smashed stack: the return address is the signal, and single steps count the same', () => {
    const distance = corruptionDistance(loadScenario('dhcp-stack-smash'), siteOf('dhcp-stack-smash'), 'none', { image });
    expect(distance.signal).toMatchObject({ signal: 11, at: '0x11223344', ra: '0x11223344' });
    expect(distance.first).toMatchObject({ calls: 1, beyond: 4 });
    const { value } = new Symbols(debugProgram('/usr/sbin/dhcpd')).find('take_host_name');
    const counted = stepped('dhcp-stack-smash', value, (gpr) => (gpr[SP] - 104) >>> 0, 64);
    expect(counted.address).toBe(distance.first?.address);
    expect(counted.bytes).toBe(distance.storedBytes);
    // A store in a delay slot is not parted from its branch by a step.
    expect(Math.abs(counted.instructions - distance.instructions)).toBeLessThanOrEqual(1);
  });

  test('a copy without end: it writes up to the end of the stack, and single steps count the same', () => {
    const distance = corruptionDistance(loadScenario('dns-negative-memcpy'), siteOf('dns-negative-memcpy'), 'none', { image });
    expect(distance.signal?.at).toMatch(/^memcpy\+/);
    expect(((distance.first?.address ?? 0) + distance.storedBytes) % 4096).toBe(0);
    const { value } = new Symbols(debugProgram('/usr/sbin/dnsd')).find('memcpy');
    const counted = stepped('dns-negative-memcpy', value, (gpr) => (gpr[6] < 0 ? gpr[4] >>> 0 : null), 32);
    expect(counted).toMatchObject({ address: distance.first?.address, bytes: distance.storedBytes });
    expect(Math.abs(counted.instructions - distance.instructions)).toBeLessThanOrEqual(1);
  });

  test('watching changes nothing: the log of the watched run is that of an unwatched one', () => {
    const scenario = { ...loadScenario('dhcp-stack-smash'), duration: 3.5e9 };
    const log = (watched: boolean): string => {
      const simulation = Simulation.create(scenario, 'none', { image });
      let stores = 0;
      if (watched) simulation.router.kernel.cpu.watchStores(() => { stores++; });
      simulation.run();
      expect(stores > 1000).toBe(watched);
      return simulation.router.log.lines();
    };
    expect(log(true)).toBe(log(false));
  });

  test('a patched daemon stores nothing bad', () => {
    const scenario = loadScenario('dhcp-stack-smash');
    const [daemon] = scenario.daemons;
    const patched = { ...scenario, duration: 4e9, daemons: [{ ...daemon, program: '/usr/sbin/dhcpd.patched' }] };
    expect(corruptionDistance(patched, siteOf('dhcp-stack-smash'), 'none', { image })).toMatchObject({ first: null, signal: null, instructions: 0 });
  });

  test('damage that shows in no signal is counted to the end of the run, long after the function returned', () => {
    const scenario = loadScenario('dhcp-stack-smash');
    const [daemon] = scenario.daemons;
    const patched = { ...scenario, duration: 4e9, daemons: [{ ...daemon, program: '/usr/sbin/dhcpd.patched' }] };
    // With so long a reach the patched daemon's good stores into its request, behind the array, count as bad ones.
    const distance = corruptionDistance(patched, { ...siteOf('dhcp-stack-smash'), reach: 4096 }, 'none', { image });
    expect(distance).toMatchObject({ signal: null, first: { size: 1, calls: 1 } });
    expect(distance.storedBytes).toBeGreaterThan(10_000);
    expect(distance.pages).toBeGreaterThan(2);
  });

  test('a symbol that is not there, or a program without symbols, is one clear error', () => {
    const symbols = new Symbols(debugProgram('/usr/sbin/dhcpd'));
    expect(() => symbols.find('no_such')).toThrow(/no symbol no_such/);
    expect(() => debugProgram('/usr/sbin/nothing')).toThrow(/no unstripped program/);
    expect(() => new Symbols('package.json')).toThrow(/no symbol table|not a whole ELF/);
    expect(symbols.describe(symbols.find('memcpy').value + 8)).toBe('memcpy+0x8');
    expect(symbols.describe(0x10)).toBe('0x10');
  });
});
