import { spawnSync } from 'node:child_process';
import fc from 'fast-check';
import { joinFile, layoutImageFile, type FileRun } from '../../emulator/checkpoint/core-file.js';
import { decodeRecord, encodeRecord } from '../../emulator/checkpoint/record-codec.js';
import { segmentsOf } from '../../emulator/checkpoint/segments.js';
import { PAGE_SIZE } from '../../emulator/memory/index.js';
import { gdb, inFile, installed } from './oracles.js';
import { syntheticRecord } from './synthetic.js';

/** Every page is filled with its own number; the first text page begins with code. */
function sampleCore(): Uint8Array {
  const record = syntheticRecord();
  let page = 0;
  const runs: FileRun[] = record.runs.map((run) => ({ run, chunks: Array.from({ length: run.pages }, () => new Uint8Array(PAGE_SIZE).fill(++page)) }));
  new DataView(runs[0].chunks[0].buffer).setUint32(0x10, 0x0000_000c, true);
  return joinFile(layoutImageFile(record, runs, true));
}

describe('the record of an image', () => {
  test('survives its encoding', () => {
    const record = syntheticRecord();
    const decoded = decodeRecord(encodeRecord(record, true, [1, 2, 3]));
    expect(decoded?.record).toEqual(record);
    expect(decoded?.sums).toMatchObject({ checked: true, segments: [1, 2, 3] });
  });

  test('cut off anywhere it is refused', () => {
    const bytes = encodeRecord(syntheticRecord(), true, []);
    for (let length = 0; length < bytes.length; length++) expect(decodeRecord(bytes.subarray(0, length))).toBeNull();
  });

  test('with any bytes overwritten it is refused or decodes to something sound, and nothing throws', () => {
    const bytes = encodeRecord(syntheticRecord(), false, []);
    fc.assert(fc.property(fc.nat(bytes.length - 1), fc.uint8Array({ minLength: 1, maxLength: 8 }), (at, noise) => {
      const damaged = Uint8Array.from(bytes);
      damaged.set(noise.subarray(0, damaged.length - at), at);
      const decoded = decodeRecord(damaged);
      if (!decoded) return;
      let last = 0;
      for (const region of decoded.record.regions) {
        expect(region.start).toBeGreaterThanOrEqual(last);
        last = region.end;
      }
      expect(segmentsOf(decoded.record.regions, decoded.record.runs).every((segment) => segment.filePages * PAGE_SIZE <= segment.end - segment.start)).toBe(true);
    }), { numRuns: 2000 });
  });
});

describe('segments', () => {
  test('leave out large untouched parts and end in zeros', () => {
    const { regions, runs } = syntheticRecord();
    const segments = segmentsOf(regions, runs).map(({ start, end, filePages }) => [start, end, filePages]);
    expect(segments).toEqual([
      [0x40_0000, 0x40_2000, 2], [0x41_0000, 0x44_f000, 4], [0x44_f000, 0x45_0000, 1], [0x7000_0000, 0x7000_1000, 1], [0x7ffe_0000, 0x7fff_0000, 16],
    ]);
  });
});

(installed('gdb-multiarch') ? describe : describe.skip)('gdb-multiarch (skipped where it is not installed)', () => {
  const run = (...commands: string[]): string => gdb(sampleCore(), commands);

  test('shows threads, registers and memory', () => {
    const text = run('info threads', 'p/x $pc', 'p/x $s0', 'p/x $hi', 'p/x $lo', 'p/x $fsr', 'x/i $pc', 'x/xw 0x410000', 'x/xw 0x411000', 'x/xw 0x413000', 'x/xw 0x44f000', 'x/xw 0x430000');
    expect(text).toContain('LWP 42');
    expect(text).toContain('LWP 43');
    for (const value of ['0x400010', '0x10101010', '0x1111', '0x2222', '0x1000000', 'syscall']) expect(text).toContain(value);
    expect(text).toMatch(/0x410000:\s+0x03030303/);
    expect(text).toMatch(/0x411000:\s+0x00000000/);
    expect(text).toMatch(/0x413000:\s+0x04040404/);
    expect(text).toMatch(/0x44f000:\s+0x05050505/);
    expect(text).toMatch(/0x430000:\s+0x00000000/);
  });

  test('shows the mapped files and the auxiliary vector', () => {
    const text = run('info proc mappings', 'info auxv');
    expect(text).toMatch(/0x400000\s+0x402000\s+0x2000\s+0x0\s+\/bin\/sample/);
    expect(text).toMatch(/AT_ENTRY.*0x400180/);
  });
});

(installed('readelf') ? describe : describe.skip)('readelf (skipped where it is not installed)', () => {
  test('lists the notes without complaint', () => {
    const text = inFile(sampleCore(), (path) => spawnSync('readelf', ['-hnl', path], { encoding: 'utf8' }));
    expect(text.stderr).toBe('');
    for (const name of ['NT_PRSTATUS', 'NT_PRPSINFO', 'NT_FPREGSET', 'NT_AUXV', 'NT_FILE', 'NT_SIGINFO', 'SHUNTBOX', 'MIPS R3000', 'CORE (Core file)']) expect(text.stdout).toContain(name);
  });
});
