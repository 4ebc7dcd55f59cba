import fc from 'fast-check';
import { Errno, failed } from '../../emulator/base/index.js';
import { AuxType } from '../../emulator/kernel/exec.js';
import { STACK_TOP } from '../../emulator/kernel/exec-stack.js';
import { Kernel, type Process } from '../../emulator/kernel/index.js';
import { installDevices } from '../../emulator/kernel/devfs.js';
import { SIGPAGE_BASE, SIGPAGE_RT_SIGRETURN, SIGPAGE_SIGRETURN } from '../../emulator/kernel/sigpage.js';
import { Access, Prot } from '../../emulator/memory/index.js';
import { OpenFlag, Vfs, VOP_CLOSE, VOP_WRITE } from '../../emulator/vfs/index.js';
import { Ramdisk } from '../../ramdisk/index.js';
import { sampleElf } from './sample-elf.js';

function machine(ram = 8 << 20): Kernel {
  const kernel = new Kernel({ ram, hz: 1e6, cpi: 1, quantum: 10_000, seed: 1, costs: {} });
  kernel.vfs = new Vfs(kernel.meter, kernel.ram);
  kernel.vfs.mountRoot(new Ramdisk(kernel.vfs, { name: 'rootfs' }));
  installDevices(kernel);
  return kernel;
}

function put(kernel: Kernel, path: string, bytes: Uint8Array, mode = 0o755): void {
  const vnode = kernel.vfs.open(kernel.vfs.kernelContext(), path, OpenFlag.RDWR | OpenFlag.CREAT | OpenFlag.TRUNC, mode);
  if (failed(vnode)) throw new Error(`${path}: ${vnode}`);
  VOP_WRITE(vnode, 0, bytes);
  VOP_CLOSE(vnode);
}

function spawn(kernel: Kernel, path: string, argv = [path], envp: string[] = []): Process {
  const process = kernel.spawn(path, argv, envp);
  if (failed(process)) throw new Error(`spawn ${path}: ${process}`);
  return process;
}

function started(argv?: string[], envp?: string[], bytes = sampleElf()): Process {
  const kernel = machine();
  put(kernel, '/prog', bytes);
  return spawn(kernel, '/prog', argv, envp);
}

const words = ({ space }: Process, va: number, count: number): number[] => [...space.readWords(va, count) as Int32Array].map((word) => word >>> 0);
const text = ({ space }: Process, va: number): string => space.copyinString(va) as string;

/** The initial stack as a C runtime reads it. */
function readStack(process: Process): { argv: string[]; envp: string[]; auxv: Map<number, number>; end: number } {
  let at = process.threads[0].ctx.gpr[29];
  const word = (): number => words(process, (at += 4) - 4, 1)[0];
  const strings = (): string[] => {
    const list: string[] = [];
    for (let pointer = word(); pointer !== 0; pointer = word()) list.push(text(process, pointer));
    return list;
  };
  const argc = word();
  const argv = strings();
  expect(argv.length).toBe(argc);
  const envp = strings();
  const auxv = new Map<number, number>();
  for (let type = word(); type !== 0; type = word()) auxv.set(type, word());
  return { argv, envp, auxv, end: at + 4 };
}

describe('a program starts', () => {
  test('with the registers, the stack and the auxiliary vector of the o32 ABI', () => {
    const process = started(['prog', 'one', ''], ['A=1', 'B=']);
    const { ctx } = process.threads[0];
    const sp = ctx.gpr[29];
    expect([ctx.pc, ctx.gpr[25], sp % 8]).toEqual([0x40_0100, 0x40_0100, 0]);
    expect([...ctx.gpr].filter((value, number) => value !== 0 && number !== 25 && number !== 29)).toEqual([]);
    const { argv, envp, auxv } = readStack(process);
    expect([argv, envp]).toEqual([['prog', 'one', ''], ['A=1', 'B=']]);
    const expected = { PAGESZ: 4096, PHDR: 0x40_0034, PHENT: 32, PHNUM: 3, BASE: 0, FLAGS: 0, ENTRY: 0x40_0100, UID: 0, EUID: 0, GID: 0, EGID: 0, HWCAP: 0, CLKTCK: 100, SECURE: 0 };
    for (const [name, value] of Object.entries(expected)) expect([name, auxv.get(AuxType[name as keyof typeof AuxType])]).toEqual([name, value]);
    expect(text(process, auxv.get(AuxType.EXECFN)!)).toBe('/prog');
    expect(new Set(process.space.copyin(auxv.get(AuxType.RANDOM)!, 16) as Uint8Array).size).toBeGreaterThan(8);
    expect([process.comm, process.exe, process.argv]).toEqual(['prog', '/prog', ['prog', 'one', '']]);
  });

  test('with its segments mapped from the file, the tail of the data page zero and the break after the bss', () => {
    const process = started();
    const { space } = process;
    expect(space.regions.map(({ start, end, prot, name }) => [start, end, prot, name])).toEqual([
      [0x40_0000, 0x40_1000, Prot.read | Prot.exec, '/prog'],
      [0x41_1000, 0x41_2000, Prot.read | Prot.write, '/prog'],
      [0x41_2000, 0x41_4000, Prot.read | Prot.write, ''],
      [space.regions[3].start, STACK_TOP, 7, '[stack]'],
      [SIGPAGE_BASE, SIGPAGE_BASE + 4096, Prot.read | Prot.exec, '[vdso]'],
    ]);
    expect(words(process, 0x41_12fc, 2)).toEqual([0xdada_dada, 0]);
    expect([space.brkStart, space.brk]).toEqual([0x41_4000, 0x41_4000]);
    expect(space.resolve(0x40_0000, Access.write)).toBeLessThan(0);
  });

  test('with the two signal trampolines unwinders know', () => {
    const process = started();
    expect(words(process, SIGPAGE_RT_SIGRETURN, 2)).toEqual([0x2402_1061, 0xc]);
    expect(words(process, SIGPAGE_SIGRETURN, 2)).toEqual([0x2402_1017, 0xc]);
    expect(process.space.writeWords(SIGPAGE_BASE, [0])).toBe(-Errno.EFAULT);
  });

  test('at an aligned bias when it is position independent, with its heap apart', () => {
    const process = started(undefined, undefined, sampleElf({ relocatable: true }));
    const { auxv } = readStack(process);
    const bias = auxv.get(AuxType.ENTRY)! - 0x100;
    expect([bias % 0x1_0000, bias > 0x7000_0000, auxv.get(AuxType.PHDR), process.space.brk]).toEqual([0, true, bias + 52, 0x5555_0000]);
    expect(words(process, bias + 0x1_1200, 1)).toEqual([0xdada_dada]);
  });

  test('from a script, with the interpreter, its argument and the script before the arguments', () => {
    const kernel = machine();
    put(kernel, '/prog', sampleElf());
    put(kernel, '/script', Buffer.from('#! /prog  -x y \nrest'));
    const process = spawn(kernel, '/script', ['zero', 'a']);
    const { argv, auxv } = readStack(process);
    expect([argv, process.comm, process.exe]).toEqual([['/prog', '-x y', '/script', 'a'], 'script', '/prog']);
    expect(text(process, auxv.get(AuxType.EXECFN)!)).toBe('/script');
  });
});

describe('a program is refused', () => {
  const attempt = (kernel: Kernel, path: string, argv = [path]): unknown => kernel.spawn(path, argv, []);

  test('when it is missing, a directory, not executable, damaged or its interpreter is', () => {
    const kernel = machine();
    put(kernel, '/plain', sampleElf(), 0o644);
    put(kernel, '/empty', Buffer.alloc(0));
    put(kernel, '/damaged', sampleElf().subarray(0, 100));
    put(kernel, '/script', Buffer.from('#!/nowhere\n'));
    put(kernel, '/loop', Buffer.from('#!/loop\n'));
    put(kernel, '/none', Buffer.from('#!\n'));
    expect(['/missing', '/', '/plain', '/empty', '/damaged', '/script', '/loop', '/none'].map((path) => attempt(kernel, path)))
      .toEqual([-Errno.ENOENT, -Errno.EACCES, -Errno.EACCES, -Errno.ENOEXEC, -Errno.ENOEXEC, -Errno.ENOENT, -Errno.ELOOP, -Errno.ENOEXEC]);
    expect(kernel.log.lines()).toContain('lie past the end of the file');
  });

  test('when its arguments are too long, leaving no frame behind', () => {
    const kernel = machine();
    put(kernel, '/prog', sampleElf());
    spawn(kernel, '/prog').space.destroy();
    const free = kernel.ram.free();
    expect(attempt(kernel, '/prog', ['x'.repeat(131_072)])).toBe(-Errno.E2BIG);
    expect(attempt(kernel, '/prog', new Array<string>(30).fill('x'.repeat(100_000)))).toBe(-Errno.E2BIG);
    expect(kernel.ram.free()).toBe(free);
  });

  test('when memory is out, leaving no frame behind', () => {
    const kernel = machine(1 << 20);
    put(kernel, '/prog', sampleElf());
    spawn(kernel, '/prog').space.destroy();
    const rest = kernel.ram.free();
    kernel.ram.withdraw(rest - 1);
    expect(attempt(kernel, '/prog')).toBe(-Errno.ENOMEM);
    expect(kernel.ram.free()).toBe(1);
  });

  test('or runs, whatever bytes of it are changed, and never throws or leaks', () => {
    const kernel = machine();
    const end = (process: Process): void => {
      process.space.destroy();
      process.fds.release(kernel);
    };
    put(kernel, '/prog', sampleElf());
    end(spawn(kernel, '/prog'));
    const free = kernel.ram.free();
    fc.assert(fc.property(fc.array(fc.tuple(fc.nat(0x93), fc.nat(255)), { minLength: 1, maxLength: 4 }), (edits) => {
      const bytes = sampleElf();
      for (const [at, value] of edits) bytes[at] = value;
      put(kernel, '/prog', bytes);
      const process = kernel.spawn('/prog', ['prog'], []);
      if (!failed(process)) end(process);
      expect(kernel.ram.free()).toBe(free);
    }), { numRuns: 300 });
  });
});
