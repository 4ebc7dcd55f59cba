import { snapshotClass } from '../base/index.js';

/** One instruction of the classic packet filter (struct sock_filter, 8 bytes: code:16, jt:8, jf:8, k:32). */
export interface BpfInstruction {
  code: number;
  /** How far to jump when the test holds, and when not. */
  jt: number;
  jf: number;
  k: number;
}

/** What a filter may ask of a packet besides its bytes (SKF_AD_*). */
export interface BpfPacket {
  bytes: Uint8Array;
  /** Offset in `bytes` where the network header begins (SKF_NET_OFF). */
  network: number;
  /** Ethernet type. */
  protocol: number;
  /** PACKET_HOST and its like. */
  kind: number;
  device: number;
}

/** Bits of a code: class, then size and mode, or operation and source. */
const Class = { LD: 0, LDX: 1, ST: 2, STX: 3, ALU: 4, JMP: 5, RET: 6, MISC: 7 } as const;
const Mode = { IMM: 0x00, ABS: 0x20, IND: 0x40, MEM: 0x60, LEN: 0x80, MSH: 0xa0 } as const;
const SOURCE_X = 0x08;
const MEMORY_WORDS = 16;
/** BPF_MAXINSNS */
const INSTRUCTIONS_MAX = 4096;

const ANCILLARY = -0x1000;
const NETWORK = -0x100000;
const LINK = -0x200000;

/** Returned by `load` for an access past the end: the filter then takes nothing. */
const OUTSIDE = -1;

/** A program that was checked; `run` ends, reads inside the packet only and cannot throw. */
export class BpfProgram {
  private readonly code: readonly BpfInstruction[];

  constructor(code: readonly BpfInstruction[]) {
    this.code = code;
  }

  get length(): number {
    return this.code.length;
  }

  /** How many bytes of the packet to keep; 0: none of it, the packet is not wanted. */
  run(packet: BpfPacket): number {
    let a = 0;
    let x = 0;
    const memory = new Uint32Array(MEMORY_WORDS);
    for (let pc = 0; pc < this.code.length; pc++) {
      const { code, jt, jf, k } = this.code[pc];
      const kind = code & 7;
      if (kind === Class.RET) return code & 0x10 ? a : k >>> 0;
      if (kind === Class.JMP) {
        pc += (code & 0xf0) === 0 ? k >>> 0 : holds(code, a, code & SOURCE_X ? x : k >>> 0) ? jt : jf;
      } else if (kind === Class.LD) {
        const value = loadA(packet, memory, code, k, x);
        if (value === OUTSIDE) return 0;
        a = value;
      } else if (kind === Class.LDX) {
        const value = loadX(packet, memory, code, k);
        if (value === OUTSIDE) return 0;
        x = value;
      } else if (kind === Class.ST) {
        memory[k] = a;
      } else if (kind === Class.STX) {
        memory[k] = x;
      } else if (kind === Class.ALU) {
        const operand = code & SOURCE_X ? x : k >>> 0;
        if (operand === 0 && ((code & 0xf0) === 0x30 || (code & 0xf0) === 0x90)) return 0;
        a = calculate(code & 0xf0, a, operand);
      } else if (code & 0x80) {
        a = x;
      } else {
        x = a;
      }
    }
    return 0;
  }
}
snapshotClass('BpfProgram', BpfProgram);

/** JEQ, JGT, JGE, JSET */
function holds(code: number, a: number, operand: number): boolean {
  switch (code & 0xf0) {
    case 0x10: return a === operand;
    case 0x20: return a > operand;
    case 0x30: return a >= operand;
    default: return ((a & operand) >>> 0) !== 0;
  }
}

function calculate(operation: number, a: number, b: number): number {
  switch (operation) {
    case 0x00: return (a + b) >>> 0;
    case 0x10: return (a - b) >>> 0;
    case 0x20: return Math.imul(a, b) >>> 0;
    case 0x30: return Math.floor(a / b);
    case 0x40: return (a | b) >>> 0;
    case 0x50: return (a & b) >>> 0;
    case 0x60: return b > 31 ? 0 : (a << b) >>> 0;
    case 0x70: return b > 31 ? 0 : a >>> b;
    case 0x80: return -a >>> 0;
    case 0x90: return a % b;
    default: return (a ^ b) >>> 0;
  }
}

function loadA(packet: BpfPacket, memory: Uint32Array, code: number, k: number, x: number): number {
  switch (code & 0xe0) {
    case Mode.IMM: return k >>> 0;
    case Mode.MEM: return memory[k];
    case Mode.LEN: return packet.bytes.length;
    case Mode.ABS: return load(packet, k | 0, code);
    default: return load(packet, (k | 0) + x, code);
  }
}

function loadX(packet: BpfPacket, memory: Uint32Array, code: number, k: number): number {
  switch (code & 0xe0) {
    case Mode.IMM: return k >>> 0;
    case Mode.MEM: return memory[k];
    case Mode.LEN: return packet.bytes.length;
    default: {
      // MSH: four times the low half of a byte, the length of an IP header.
      const byte = load(packet, k | 0, 0x10);
      return byte === OUTSIDE ? OUTSIDE : (byte & 0xf) * 4;
    }
  }
}

/** Big-endian word, half-word or byte. Offsets below zero are relative to the link or network header, or name something else. */
function load(packet: BpfPacket, offset: number, code: number): number {
  if (offset < 0 && offset >= ANCILLARY) return ancillary(packet, offset - ANCILLARY);
  const at = offset >= 0 ? offset : offset >= NETWORK ? offset - NETWORK + packet.network : offset - LINK;
  const size = code & 0x10 ? 1 : code & 0x08 ? 2 : 4;
  const { bytes } = packet;
  if (at < 0 || at + size > bytes.length) return OUTSIDE;
  let value = 0;
  for (let i = 0; i < size; i++) value = value * 256 + bytes[at + i];
  return value;
}

/** SKF_AD_PROTOCOL 0, PKTTYPE 4, IFINDEX 8; the others are 0 here. */
function ancillary(packet: BpfPacket, which: number): number {
  switch (which) {
    case 0: return packet.protocol;
    case 4: return packet.kind;
    case 8: return packet.device;
    default: return 0;
  }
}

const LOADS = [0x20, 0x28, 0x30, 0x40, 0x48, 0x50, 0x80, 0x00, 0x60, 0x81, 0xb1, 0x01, 0x61, 0x02, 0x03];
const ALUS = [0x04, 0x14, 0x24, 0x34, 0x94, 0x44, 0x54, 0x64, 0x74, 0xa4];
const JUMPS = [0x15, 0x1d, 0x25, 0x2d, 0x35, 0x3d, 0x45, 0x4d];
const known = new Set<number>([...LOADS, ...ALUS, ...ALUS.map((code) => code | SOURCE_X), 0x84, 0x05, ...JUMPS, 0x06, 0x16, 0x07, 0x87]);

/** The program, or null for what Linux refuses (bpf_check_classic): unknown codes, jumps out of it, no return at the end. */
export function checkBpf(code: readonly BpfInstruction[]): BpfProgram | null {
  if (code.length === 0 || code.length > INSTRUCTIONS_MAX) return null;
  for (const [pc, instruction] of code.entries()) {
    if (!known.has(instruction.code) || !fits(instruction, code.length - pc - 1)) return null;
  }
  return (code[code.length - 1].code & 7) === Class.RET ? new BpfProgram(code) : null;
}

function fits({ code, jt, jf, k }: BpfInstruction, left: number): boolean {
  switch (code) {
    case 0x34: case 0x94: return k !== 0;
    case 0x64: case 0x74: return (k >>> 0) < 32;
    case 0x60: case 0x61: case 0x02: case 0x03: return (k >>> 0) < MEMORY_WORDS;
    case 0x05: return (k >>> 0) < left;
    default: return (code & 7) !== Class.JMP || (jt < left && jf < left);
  }
}
