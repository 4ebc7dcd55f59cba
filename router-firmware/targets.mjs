// Writes targets.json: addresses in dhcpd that the stack-smash scenario returns to, one for each way to die, found in the built
// program. They lie in its executable segment, so they change only when the program does.
// Layout of the smashed frame: README.md, "Planted bugs".
import { readFileSync, writeFileSync } from 'node:fs';
import { execFileSync } from 'node:child_process';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const here = dirname(fileURLToPath(import.meta.url));
const PT_LOAD = 1;
const PF_X = 1;

/** Words of the executable segment, as [address, word]. */
function* words(elf) {
  for (let i = 0, at = elf.readUInt32LE(28); i < elf.readUInt16LE(44); i++, at += 32) {
    if (elf.readUInt32LE(at) !== PT_LOAD || !(elf.readUInt32LE(at + 24) & PF_X)) continue;
    const [offset, address, , size] = [4, 8, 12, 16].map((k) => elf.readUInt32LE(at + k));
    for (let k = 0; k + 4 <= size; k += 4) yield [address + k, elf.readUInt32LE(offset + k)];
  }
}

const REGISTER_S0 = 16;
const KINDS = {
  trap: (word) => (word & 0xfc00003f) === 0x0000000d && (word >>> 6 & 0xfffff) === 0,   // break 0
  // teq $sN, $0, 7: the divide trap, of a register that the overflow also sets.
  divide: (word) => (word & 0xfc1fffff) === 0x000001f4 && (word >>> 21 & 31) >= REGISTER_S0 && (word >>> 21 & 31) < REGISTER_S0 + 8,
  reserved: (word) => word >>> 26 === 0x3f,                                             // no instruction has this opcode
  hang: (word) => word >>> 0 === 0x1000ffff,                                            // b .
};

function targetsOf(name) {
  const found = {};
  for (const [address, word] of words(readFileSync(join(here, 'bin', name)))) {
    for (const [kind, matches] of Object.entries(KINDS)) if (!(kind in found) && matches(word)) found[kind] = [address, word];
  }
  const symbols = execFileSync('mipsel-linux-gnu-nm', [join(here, 'debug', name)], { encoding: 'utf8' });
  // Not abort itself: the C library's code is position-independent and needs $t9, which the linker's stub loads.
  const abort = /^([0-9a-f]+) . \.pic\.abort$/m.exec(symbols);
  const hex = (n) => `0x${n.toString(16).padStart(8, '0')}`;
  const targets = { unmapped: hex(0x41414140), misaligned: hex(0x41414142), kernel: hex(0x80001000), abort: hex(Number.parseInt(abort[1], 16)) };
  for (const [kind, [address]] of Object.entries(found)) targets[kind] = hex(address);
  if (found.divide) targets.divideRegister = `s${(found.divide[1] >>> 21 & 31) - REGISTER_S0}`;
  return targets;
}

/** Offset in the option of the saved return address and of s0, from the prologue: `addiu a0,sp,NAME` and `sw ra,RA(sp)`. */
function frameOf(name) {
  const text = execFileSync('mipsel-linux-gnu-objdump', ['-d', '--no-show-raw-insn', '--disassemble=take_host_name', join(here, 'debug', name)], { encoding: 'utf8' });
  const slot = (register) => Number(new RegExp(`sw\\s+${register},(\\d+)\\(sp\\)`).exec(text)[1]);
  const array = Number(/addiu\s+a0,sp,(\d+)/.exec(text)[1]);
  return { ra: slot('ra') - array, s0: slot('s0') - array };
}

writeFileSync(join(here, 'targets.json'), `${JSON.stringify({ dhcpd: { hostNameOption: frameOf('dhcpd'), returnTo: targetsOf('dhcpd') } }, null, 1)}\n`);
