import { spawnSync, execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Clock } from '../../emulator/base/index.js';
import { readCapture } from '../../emulator/net/index.js';
import { replayArm, type ArmResult } from '../replay.js';
import { loadScenario } from '../scenario.js';
import { firmwareImage } from '../simulation.js';
import { Culprits, fieldWithin } from './culprit.js';
import { causeLines } from './fault.js';

const image = firmwareImage();
const folder = mkdtempSync(join(tmpdir(), 'shuntbox-verdict-'));
afterAll(() => rmSync(folder, { recursive: true }));
const short = (name: string, seconds: number) => ({ ...loadScenario(name), duration: seconds * 1e9 });

describe('the cause of a fault', () => {
  let crashed: ArmResult;
  beforeAll(() => {
    crashed = replayArm(short('dns-negative-memcpy', 4), 'none', { image, core: folder, pcap: folder });
  });

  test('is a frame of the scenario\'s capture and of the written one, a field, a place and its callers', () => {
    const { firstFault, verdict } = crashed;
    expect(verdict).toEqual({ outcome: 'crashed', words: 'it crashed once (SIGSEGV) and stayed dead' });
    expect(firstFault).toMatchObject({ daemon: 'dnsd', signal: 11, where: { function: 'memcpy' }, returnTo: { function: 'query_parse', source: { file: 'router-firmware/dnsd/message.c' } } });
    expect(firstFault?.culprit).toMatchObject({ sender: 'attack', original: { file: 'attack.pcapng', frame: 1 }, message: { number: 1, form: 'exact' }, field: { offset: 46, length: 2 } });
    expect(causeLines(firstFault as NonNullable<typeof firstFault>, null).join('\n')).toMatch(/field {3}length of the EDNS0 cookie option: bytes 46 to 47 = 0004\n.*pc .*memcpy\+0x/);
  });

  test('the frame number is that of the written capture', () => {
    const { packets } = readCapture(readFileSync(crashed.files.pcap as string));
    const culprit = crashed.firstFault?.culprit;
    const frame = Buffer.from(packets[(culprit?.frame as number) - 1].bytes).toString('hex');
    expect(frame).toContain(culprit?.bytes);
    expect(packets[(culprit?.frame as number) - 1].comment).toContain('fault #1 of dnsd after this packet');
  });

  (spawnSync('gdb-multiarch', ['--version']).status === 0 ? test : test.skip)('gdb finds the same place and callers in the core and the program left beside it (skipped without gdb-multiarch)', () => {
    const { core, program } = crashed.files as { core: string; program: string };
    const told = execFileSync('gdb-multiarch', ['-batch', '-ex', 'bt', program, core], { encoding: 'utf8', stdio: 'pipe' });
    // gdb shows frame 0 once on loading the core and again in the backtrace.
    const physical = [...told.slice(told.lastIndexOf('#0 ')).matchAll(/^#\d+ +0x([0-9a-f]{8}) in (\S+) /gm)].map(([, at]) => Number.parseInt(at, 16)).filter((at) => at !== 0);
    expect(physical.length).toBeGreaterThan(2);
    expect(crashed.firstFault?.trace.frames.map(({ address }) => address).slice(0, physical.length)).toEqual(physical);
  });

  test('a process that no signal reaches and that takes no more input hangs, and where is known', () => {
    const { verdict, firstFault } = replayArm(short('dns-pointer-loop', 6), 'none', { image });
    expect(verdict.outcome).toBe('hung');
    expect(firstFault).toMatchObject({ signal: 0, where: { function: 'name_read' } });
    expect(firstFault?.trace.frames.map(({ function: name }) => name)).toEqual(expect.arrayContaining(['query_parse', 'main']));
    expect(firstFault?.culprit?.bytes.slice(24, 28)).toBe('c00c');
  });

  test('the watchdog\'s alarm is the fault of an arm that rolls back, with the loop it broke into', () => {
    const { verdict, faults } = replayArm(short('dns-pointer-loop', 4), 'rollback-shunt', { image });
    expect(verdict.outcome).toBe('recovered');
    expect(faults[0]).toMatchObject({ signal: 14, where: { function: 'name_read' } });
  });
});

describe('a field of a message', () => {
  test('counts from either end and stays within', () => {
    expect(fieldWithin({ name: 'f', offset: 2, length: 4 }, 5)).toEqual({ name: 'f', offset: 2, length: 3 });
    expect(fieldWithin({ name: 'f', offset: -4, length: 2 }, 10)).toEqual({ name: 'f', offset: 6, length: 2 });
    expect(fieldWithin({ name: 'f', offset: -11, length: 2 }, 10)).toBeNull();
    expect(fieldWithin({ name: 'f', offset: 10, length: 1 }, 10)).toBeNull();
  });
});

describe('whose message it was', () => {
  test('a request no attack sent is told apart, and so is one sent later', () => {
    const clock = new Clock(1_000_000_000);
    const datagram = { payload: Uint8Array.of(1, 2, 3), source: 0xc0a8010a, sourcePort: 9, destination: 0, device: 1, ttl: 64, tos: 0, time: 1000 };
    const culprits = (sent: number, crc: number): Culprits => new Culprits(clock, [], [{ record: [{ sent, form: 'exact', length: 3, crc, message: 0 }], file: null, frames: [], field: null }]);
    expect(culprits(999, 0x55bc801d).of(datagram).sender).toBe('attack');
    expect(culprits(1001, 0x55bc801d).of(datagram).sender).toBe('other');
    expect(culprits(999, 1).of(datagram)).toMatchObject({ sender: 'other', from: '192.168.1.10:9', frame: null, message: null });
  });
});
