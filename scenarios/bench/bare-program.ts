import { Clock, Ledger, Meter } from '../../emulator/base/index.js';
import { Cpu, CpuContext, TrapKind } from '../../emulator/cpu/index.js';
import { AddressSpace, Prot, Ram } from '../../emulator/memory/index.js';

const PT_LOAD = 1;
const STACK_TOP = 0x7fff_0000;
const STACK_BYTES = 0x2_0000;
const SYS_EXIT = 4001;
const SYS_WRITE = 4004;
const SYS_EXIT_GROUP = 4246;

/**
 * A static MIPS o32 executable on the bare processor: memory, registers, write(2) and exit(2), no kernel. For the
 * benchmark and for the comparison of the processor with qemu-mipsel, whose answers are about instructions alone.
 */
export class BareProgram {
  readonly ram: Ram;
  readonly space: AddressSpace;
  readonly cpu: Cpu;
  readonly context = new CpuContext();
  readonly output: Uint8Array[] = [];
  /** Exit status once the program has ended. */
  status: number | null = null;
  /** Instructions retired, system calls included. */
  instructions = 0;

  constructor(elf: Uint8Array, argv: string[], ramBytes = 8 << 20) {
    this.ram = new Ram(ramBytes);
    const clock = new Clock(580e6);
    this.space = new AddressSpace(this.ram, new Meter(clock, new Ledger(), {}));
    this.cpu = new Cpu(this.ram);
    this.context.pc = this.load(elf);
    this.context.gpr[29] = this.pushArguments(argv);
  }

  private load(elf: Uint8Array): number {
    const view = new DataView(elf.buffer, elf.byteOffset, elf.byteLength);
    const entries = view.getUint16(44, true);
    for (let i = 0; i < entries; i++) {
      const at = view.getUint32(28, true) + i * 32;
      if (view.getUint32(at, true) === PT_LOAD) this.loadSegment(elf, view, at);
    }
    return view.getUint32(24, true);
  }

  private loadSegment(elf: Uint8Array, view: DataView, at: number): void {
    const [offset, va, , fileSize, memorySize] = [4, 8, 12, 16, 20].map((field) => view.getUint32(at + field, true));
    const start = va - (va % 4096);
    this.map(start, va + memorySize - start);
    this.space.copyout(va, elf.subarray(offset, offset + fileSize));
  }

  map(addr: number, length: number): void {
    const pages = Math.ceil(length / 4096) * 4096;
    this.space.map({ addr, length: pages, prot: Prot.read | Prot.write | Prot.exec, fixed: true });
  }

  /** The entry stack of the o32 ABI without an auxiliary vector; answers sp. */
  private pushArguments(argv: string[]): number {
    this.map(STACK_TOP - STACK_BYTES, STACK_BYTES);
    let text = STACK_TOP - 0x1000;
    const pointers = argv.map((argument) => {
      const bytes = Buffer.from(`${argument}\0`, 'latin1');
      this.space.copyout(text, bytes);
      text += bytes.length;
      return text - bytes.length;
    });
    const sp = STACK_TOP - 0x2000;
    this.space.writeWords(sp, [argv.length, ...pointers, 0, 0, 0, 0]);
    return sp;
  }

  /** Run to the end; an unexpected trap throws. */
  run(maximum = Infinity): void {
    while (this.status === null && this.instructions < maximum) {
      const kind = this.cpu.run(this.context, this.space, 1 << 24);
      this.instructions += this.cpu.retired;
      if (kind === TrapKind.syscall) this.systemCall();
      else if (kind !== TrapKind.budget) throw new Error(`trap ${kind}, signal ${this.cpu.trap.signo}, at ${this.cpu.trap.epc.toString(16)}, address ${this.cpu.trap.badVaddr.toString(16)}`);
    }
  }

  private systemCall(): void {
    const { gpr } = this.context;
    this.instructions++;
    switch (gpr[2]) {
      case SYS_EXIT: case SYS_EXIT_GROUP: this.status = gpr[4] & 0xff; return;
      case SYS_WRITE: this.write(gpr[5], gpr[6]); break;
      default: throw new Error(`system call ${gpr[2]}`);
    }
    gpr[2] = gpr[6];
    gpr[7] = 0;
    this.context.pc = this.cpu.trap.nextPc;
  }

  private write(va: number, length: number): void {
    const bytes = this.space.copyin(va, length);
    if (typeof bytes === 'number') throw new Error('write from a bad address');
    this.output.push(bytes);
  }

  text(): string {
    return Buffer.concat(this.output).toString('latin1');
  }
}
