/**
 * Predecoded operations. One guest instruction is two words of the code pool:
 *
 *   31     24 23     16 15      8 7       0   31                     0
 *   |   c    |    b    |    a    |   op    |  |          k           |
 *
 * Registers are word indices in the control area of Ram (registers.ts): a is the destination, b and c are
 * sources, k is an immediate. A destination of $0 is replaced by the sink. Operations below `firstRare` are
 * executed inside interpret(), which spells their numbers out because V8 turns a switch into a jump table only for
 * literals; a test holds the two lists together.
 *
 * Branches. The delay slot of a branch is decoded a second time as a *shadow*: [instruction][end...] behind
 * the page's code. A taken branch continues in its shadow, and the end operation carries on at the target:
 * so an instruction never asks whether it sits in a delay slot. A branch not taken simply goes on in line.
 *   bxx       a, b conditions, k = index of the shadow     bxxNop   k = index of the target; the slot holds a nop
 *   jump, jal k = target in the 256 MiB region, bits 8..31 = index of the shadow (Nop: none)
 *   jr, jalr  b = target, a = link, k = index of the shadow
 *   endNear   k = index of the target    endFar   k = target - page, in bytes    endJump   the target is dynamic;
 *             all: bits 8..31 = index behind the delay slot, relative to the page
 *   pageEnd   k = the page's address in Ram    edge, fpu   k = the instruction itself
 */
export const Op = {
  decode: 0, nop: 1, li: 2, move: 3, addu: 4, addiu: 5, subu: 6, and: 7, or: 8, xor: 9, nor: 10,
  andi: 11, ori: 12, xori: 13, slt: 14, sltu: 15, slti: 16, sltiu: 17,
  sll: 18, srl: 19, sra: 20, rotr: 21, sllv: 22, srlv: 23, srav: 24, rotrv: 25,
  movz: 26, movn: 27, mul: 28, mult: 29, multu: 30, div: 31, divu: 32,
  madd: 33, maddu: 34, msub: 35, msubu: 36, clz: 37, seb: 38, seh: 39, wsbh: 40, ext: 41, ins: 42,
  lw: 43, lh: 44, lhu: 45, lb: 46, lbu: 47, sw: 48, sh: 49, sb: 50,
  lwl: 51, lwr: 52, swl: 53, swr: 54, ld: 55, sd: 56,
  beq: 57, bne: 58, blez: 59, bgtz: 60, bltz: 61, bgez: 62, b: 63, bal: 64,
  beqNop: 65, bneNop: 66, blezNop: 67, bgtzNop: 68, bltzNop: 69, bgezNop: 70, bNop: 71, balNop: 72,
  jump: 73, jumpNop: 74, jal: 75, jalNop: 76, jr: 77, jrNop: 78, jalr: 79, jalrNop: 80,
  beql: 81, bnel: 82, blezl: 83, bgtzl: 84, bltzl: 85, bgezl: 86,
  bltzal: 87, bgezal: 88, bltzall: 89, bgezall: 90, bc1f: 91, bc1t: 92, bc1fl: 93, bc1tl: 94,
  endNear: 95, endFar: 96, endJump: 97, pageEnd: 98, edge: 99,
  firstRare: 128,
  reserved: 128, syscall: 129, break: 130, tge: 131, tgeu: 132, tlt: 133, tltu: 134, teq: 135, tne: 136,
  add: 137, addi: 138, sub: 139, ll: 140, sc: 141, rdhwr: 142, clo: 143, movf: 144, movt: 145, fpu: 146,
  lwx: 147, swx: 148, ldx: 149, sdx: 150, move2: 151, breakpoint: 152, stop: 153, cfc1: 154, ctc1: 155,
} as const;
export type Op = (typeof Op)[keyof typeof Op];
