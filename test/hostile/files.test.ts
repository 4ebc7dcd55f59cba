import { mkdtempSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { crc32 } from '../../emulator/base/crc32.js';
import { Clock, EventQueue, Ledger, loadGraph, Meter, saveGraph, SnapshotError } from '../../emulator/base/index.js';
import { Ram } from '../../emulator/memory/index.js';
import { Vfs } from '../../emulator/vfs/vfs.js';
import { Ramdisk, unpackInitramfs, writeCpio } from '../../ramdisk/index.js';
import { readInput } from '../../scenarios/input-file.js';
import { InputError } from '../../scenarios/input-error.js';
import { loadScenario } from '../../scenarios/scenario.js';

const HEADER = 24;

/** The checksum of an edited snapshot made right again: as an author with intent would. */
function resealed(image: Uint8Array): Uint8Array {
  const bytes = Buffer.from(image);
  bytes.writeUInt32LE(crc32(bytes.subarray(20), crc32(bytes.subarray(0, 16))), 16);
  return bytes;
}

function graph(): object {
  const clock = new Clock(1e6);
  const events = new EventQueue();
  return { clock, events, meter: new Meter(clock, new Ledger(), { syscall: 1 }), ram: new Ram(64 << 10), map: new Map([[1, [2n, undefined, -0]]]), bytes: Uint8Array.of(1, 2, 3) };
}

test('a saved simulation with edited contents and a right checksum loads or is refused with a SnapshotError', () => {
  const image = saveGraph(graph());
  const json = Buffer.from(image).readUInt32LE(12);
  fc.assert(fc.property(fc.array(fc.tuple(fc.nat(json - 1), fc.integer({ min: 32, max: 126 })), { minLength: 1, maxLength: 4 }), (edits) => {
    const bytes = Uint8Array.from(image);
    for (const [at, value] of edits) bytes[HEADER + at] = value;
    try {
      loadGraph(resealed(bytes));
    } catch (error) {
      expect(error).toBeInstanceOf(SnapshotError);
    }
  }), { numRuns: 2000 });
});

test('a saved simulation cannot reach the prototype of anything', () => {
  const image = Buffer.from(saveGraph({ polluted: { isAdmin: true }, padding: 'x'.repeat(40) }));
  const text = image.toString('latin1').replace('["polluted",', '["__proto__",').replace('x'.repeat(40), 'x'.repeat(39));
  const forged = Buffer.from(text, 'latin1');
  expect(() => loadGraph(resealed(forged))).toThrow(SnapshotError);
  expect(({} as Record<string, unknown>).isAdmin).toBeUndefined();
});

test('an archive of directories inside directories takes time in proportion to its names', () => {
  const ram = new Ram(32 << 20);
  const vfs = new Vfs(new Meter(new Clock(1e6), new Ledger(), {}), ram);
  vfs.mountRoot(new Ramdisk(vfs, { name: 'rootfs' }));
  const names = Array.from({ length: 1000 }, (_, depth) => ({ name: new Array<string>(depth + 1).fill('d').join('/'), mode: 0o040755 }));
  const before = process.cpuUsage();
  expect(unpackInitramfs(vfs, writeCpio(names))).toBeNull();
  const { user, system } = process.cpuUsage(before);
  expect((user + system) / 1e6).toBeLessThan(5);
});

describe('what is no plain file of bounded size is refused before it is read', () => {
  const folder = mkdtempSync(join(tmpdir(), 'hostile-'));
  afterAll(() => rmSync(folder, { recursive: true }));

  test('a device that never ends', () => expect(() => readInput('/dev/zero', 1 << 20, 'use another')).toThrow(InputError));
  test('a folder', () => expect(() => readInput(folder, 1 << 20, 'use another')).toThrow(/is a folder/));
  test('a file that is too large', () => {
    writeFileSync(join(folder, 'big'), Buffer.alloc(2 << 20));
    expect(() => readInput(join(folder, 'big'), 1 << 20, 'cut it')).toThrow(/larger than 1 MiB; cut it/);
  });
  test('a folder in the place of scenario.yaml', () => {
    mkdirSync(join(folder, 'scenario.yaml'));
    expect(() => loadScenario(folder)).toThrow(InputError);
  });
  test('a scenario that nests without end', () => {
    mkdirSync(join(folder, 'deep'));
    writeFileSync(join(folder, 'deep/scenario.yaml'), '['.repeat(200_000));
    expect(() => loadScenario(join(folder, 'deep'))).toThrow(/nested too deeply/);
  });
});
