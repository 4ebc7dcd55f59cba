import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { RouterError } from '../emulator/router/router.js';
import { runProgram, type RunOptions, type RunOutcome } from './run-program.js';
import { firmwareImage } from './simulation.js';

const image = firmwareImage();
const guest = (name: string): Uint8Array => readFileSync(join(__dirname, '..', 'test', 'guest', 'bin', name));

function run(options: Partial<RunOptions> & { path: string }, input = ''): RunOutcome & { stdout: string; stderr: string } {
  const streams = { stdout: '', stderr: '' };
  let unread: Uint8Array | null = Buffer.from(input);
  const outcome = runProgram({
    image, program: null, args: [], limitSeconds: 60,
    input: () => {
      const taken = unread;
      unread = null;
      return taken && taken.length > 0 ? taken : null;
    },
    output: (bytes, stream) => {
      streams[stream] += Buffer.from(bytes).toString('latin1');
    },
    ...options,
  });
  return { ...outcome, ...streams };
}

describe('running one program', () => {
  test('a musl and a glibc program from the host say hello', () => {
    for (const name of ['hello', 'hello-glibc']) {
      const { status, stdout, unknown } = run({ path: `/tmp/${name}`, program: guest(name) });
      expect([name, status, unknown]).toEqual([name, 0, []]);
      expect(stdout.length).toBeGreaterThan(5);
    }
  });

  test('input, output and exit status go through', () => {
    const { status, stdout } = run({ path: '/usr/bin/paper-corrupt' }, 'yn');
    expect(status).toBe(0);
    expect(stdout).toContain('recovered: from state 1 to state 1, signal 11, value 1');
  });

  test('a program killed by a signal gives 128 + its number, a message and a core', () => {
    const { status, message, core } = run({ path: '/tmp/smash', program: crashing() });
    expect([status, message]).toEqual([132, 'Illegal instruction']);
    expect(Buffer.from(core ?? []).toString('latin1', 0, 4)).toBe('\x7fELF');
  });

  test('strace lines name the calls', () => {
    let trace = '';
    run({ path: '/tmp/hello', program: guest('hello'), strace: (line) => { trace += line; } });
    expect(trace).toMatch(/write(v)?\(1, /);
    expect(trace).toMatch(/exit_group\(0\)/);
  });

  test('what is no program is refused with the reason', () => {
    for (const bytes of [Buffer.from('hello'), Buffer.from('\x7fELF'), guest('hello').subarray(0, 100)]) {
      expect(() => run({ path: '/tmp/x', program: bytes })).toThrow(RouterError);
    }
    expect(() => run({ path: '/no/such' })).toThrow('/no/such cannot be started: ENOENT');
  });

  test('whatever bytes are put into a program, it ends, or is refused, and the host is unharmed', () => {
    const good = guest('hello');
    fc.assert(fc.property(fc.nat(good.length - 1), fc.uint8Array({ minLength: 1, maxLength: 8 }), (at, bytes) => {
      const bad = Uint8Array.from(good);
      bad.set(bytes.subarray(0, good.length - at), at);
      try {
        run({ path: '/tmp/bad', program: bad, limitSeconds: 0.05, image: null });
      } catch (error) {
        expect(error).toBeInstanceOf(RouterError);
      }
    }), { numRuns: 30 });
  });
});

/** A minimal ELF whose only instruction is none. */
function crashing(): Uint8Array {
  const elf = Buffer.alloc(4096);
  elf.write('\x7fELF\x01\x01\x01', 0, 'latin1');
  elf.writeUInt16LE(2, 16);
  elf.writeUInt16LE(8, 18);
  elf.writeUInt32LE(1, 20);
  elf.writeUInt32LE(0x400080, 24);
  elf.writeUInt32LE(52, 28);
  elf.writeUInt32LE(0x70001005, 36);
  for (const [at, value] of [[40, 52], [42, 32], [44, 1]]) elf.writeUInt16LE(value, at);
  [1, 0, 0x400000, 0x400000, 4096, 4096, 5, 0x1000].forEach((word, i) => elf.writeUInt32LE(word, 52 + 4 * i));
  elf.writeUInt32LE(0xfc000000 + 0x3f, 0x80);
  return elf;
}
