import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { Clock, EventQueue } from '../base/index.js';
import { arpRequest, CLIENT, echoPacket, frame, Recorder, udpPacket } from '../../test/net/exchange.js';
import { Cable, Capture, capturesToPcapng, readCapture, runEvents, writePcapng, type CaptureFile } from './index.js';
import { toEthernet } from './capture-file.js';

const FIXTURE = join(process.cwd(), 'test/net/exchange.pcapng');
const hasTshark = spawnSync('tshark', ['--version']).status === 0;

/** DNS question for example.org, so that tshark has something to dissect. */
const QUESTION = Buffer.from('123401000001000000000000076578616d706c65036f72670000010001', 'hex');

function recorded(): Uint8Array {
  const clock = new Clock(1_000_000);
  const events = new EventQueue();
  const cable = new Cable(clock, events);
  const lan = new Capture(cable, clock, 'lan0');
  lan.attach(0, new Recorder(clock));
  lan.attach(1, new Recorder(clock));
  const other = new Capture(new Cable(clock, events), clock, 'wan0');
  lan.send(1, arpRequest(CLIENT, '192.168.1.10', '192.168.1.1'));
  runEvents(clock, events, 1500);
  lan.send(1, frame(echoPacket('192.168.1.10', '192.168.1.1', 'ping')));
  other.send(0, frame(udpPacket('10.0.0.2', 40000, '10.0.0.1', 53, QUESTION)));
  runEvents(clock, events, 2_000_123);
  lan.send(0, frame(udpPacket('192.168.1.1', 53, '192.168.1.10', 5000, QUESTION)));
  lan.annotate(lan.last, 'crash #3: SIGSEGV');
  lan.annotate(lan.last, 'filtered');
  return capturesToPcapng([lan, other], clock, 'seed 7');
}

/** Classic pcap by hand: `fields` in the given byte order. */
function pcap(little: boolean, nano: boolean, linkType: number, packets: { time: [number, number]; bytes: Uint8Array; original?: number }[]): Buffer {
  const u32 = (value: number): Buffer => {
    const b = Buffer.alloc(4);
    if (little) b.writeUInt32LE(value >>> 0);
    else b.writeUInt32BE(value >>> 0);
    return b;
  };
  const version = little ? [2, 0, 4, 0] : [0, 2, 0, 4];
  const parts = [u32(nano ? 0xa1b23c4d : 0xa1b2c3d4), Buffer.from(version), u32(0), u32(0), u32(65535), u32(linkType)];
  for (const { time, bytes, original } of packets) parts.push(u32(time[0]), u32(time[1]), u32(bytes.length), u32(original ?? bytes.length), Buffer.from(bytes));
  return Buffer.concat(parts);
}

describe('pcapng we write', () => {
  test('is read back packet for packet: interface, nanoseconds, comment', () => {
    const file = readCapture(recorded());
    expect(file.error).toBeNull();
    expect(file.interfaces.map(({ name }) => name)).toEqual(['lan0', 'wan0']);
    expect(file.packets.map(({ interface: on, time, comment, bytes }) => [on, time - 1_767_225_600_000_000_000n, comment, bytes.length])).toEqual([
      [0, 0n, '', 60], [0, 1_500_000n, '', 60], [1, 1_500_000n, '', 71], [0, 2_000_123_000n, 'crash #3: SIGSEGV; filtered', 71],
    ]);
  });

  test('is the committed fixture, byte for byte', () => {
    const bytes = recorded();
    if (process.env.UPDATE_FIXTURES) writeFileSync(FIXTURE, bytes);
    expect(Buffer.compare(bytes, readFileSync(FIXTURE))).toBe(0);
  });

  const tsharkTest = hasTshark ? test : test.skip;
  tsharkTest(`is decoded by tshark without complaint${hasTshark ? '' : ' (skipped: tshark is not installed)'}`, () => {
    const folder = mkdtempSync(join(tmpdir(), 'capture-'));
    const path = join(folder, 'x.pcapng');
    try {
      writeFileSync(path, recorded());
      const run = spawnSync('tshark', ['-r', path, '-T', 'fields', '-E', 'separator=|', '-e', 'frame.interface_name', '-e', 'frame.time_epoch', '-e', '_ws.col.Protocol', '-e', 'frame.comment', '-e', '_ws.malformed', '-e', '_ws.expert.severity',
        '-o', 'udp.check_checksum:TRUE', '-o', 'ip.check_checksum:TRUE', '-e', 'udp.checksum.status', '-e', 'ip.checksum.status'], { encoding: 'utf8' });
      expect(run.stderr.split('\n').filter((line) => line && !/running as user/i.test(line))).toEqual([]);
      const lines = run.stdout.trim().split('\n');
      expect(lines[0]).toBe('lan0|1767225600.000000000|ARP|||||');
      expect(lines[1]).toMatch(/^lan0\|1767225600\.001500000\|ICMP\|\|\|[^|]*\|\|1$/);
      expect(lines[2]).toBe('wan0|1767225600.001500000|DNS||||1|1');
      // 1048576 is the severity "comment".
      expect(lines[3]).toBe('lan0|1767225602.000123000|DNS|crash #3: SIGSEGV; filtered||1048576|1|1');
      const info = execFileSync('capinfos', ['-T', '-r', '-m', path], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });
      expect(info).toContain('pcapng');
    } finally {
      rmSync(folder, { recursive: true });
    }
  }, 20_000);

  test('microsecond time stamps on request', () => {
    const bytes = writePcapng({ interfaces: [{ name: 'a', description: '' }], packets: [{ interface: 0, time: 1_000_001_234n, bytes: QUESTION, comment: '', direction: null }], comment: '', hardware: '', application: '', resolution: 'us' });
    expect(readCapture(bytes).packets[0].time).toBe(1_000_001_000n);
  });
});

describe('pcap that is read', () => {
  const packet = { time: [5, 7] as [number, number], bytes: QUESTION };
  test.each([[true, false, 5_000_007_000n], [true, true, 5_000_000_007n], [false, false, 5_000_007_000n], [false, true, 5_000_000_007n]])('little %s, nanoseconds %s', (little, nano, time) => {
    const file = readCapture(pcap(little, nano, 1, [packet, packet]));
    expect(file.error).toBeNull();
    expect(file.packets.map((p) => p.time)).toEqual([time, time]);
    expect(Buffer.compare(file.packets[1].bytes, QUESTION)).toBe(0);
  });

  test('a record cut by the snap length keeps its original length', () => {
    const { packets } = readCapture(pcap(true, false, 1, [{ ...packet, original: 1500 }]));
    expect([packets[0].bytes.length, packets[0].originalLength]).toEqual([QUESTION.length, 1500]);
  });

  test.each([[101, 0], [12, 0], [228, 0], [0, 4], [113, 16]])('link type %i becomes an Ethernet frame', (linkType, header) => {
    const ipPacket = frame(udpPacket('10.0.0.1', 1, '10.0.0.2', 53, QUESTION)).subarray(14);
    const head = linkType === 0 ? [2, 0, 0, 0] : linkType === 113 ? [0, 0, 0, 1, 0, 6, 1, 2, 3, 4, 5, 6, 0, 0, 8, 0] : [];
    expect(head.length).toBe(header);
    const [read] = readCapture(pcap(true, false, linkType, [{ time: [0, 0], bytes: Buffer.concat([Buffer.from(head), ipPacket]) }])).packets;
    const made = toEthernet(read, 0x020000000001, 0x020000000002) as Uint8Array;
    expect(Buffer.compare(made.subarray(14, 14 + ipPacket.length), ipPacket)).toBe(0);
    expect(Buffer.from(made.subarray(0, 14)).toString('hex')).toBe('0200000000020200000000010800');
  });
});

describe('pcapng that is read', () => {
  const block = (type: number, body: Buffer, big = false): Buffer => {
    const whole = Buffer.alloc(12 + body.length);
    const write = (value: number, at: number): void => void (big ? whole.writeUInt32BE(value, at) : whole.writeUInt32LE(value, at));
    write(type, 0);
    write(whole.length, 4);
    body.copy(whole, 8);
    write(whole.length, whole.length - 4);
    return whole;
  };

  test('big-endian, with a power-of-two resolution, an unknown block and a simple packet', () => {
    const section = block(0x0a0d0d0a, Buffer.from('1a2b3c4d00010000ffffffffffffffff', 'hex'), true);
    const described = block(1, Buffer.from('0065000000000000' + '0009000194000000' + '00000000', 'hex'), true);
    const unknown = block(0x0bad, Buffer.from('0102030405060708', 'hex'), true);
    const enhanced = block(6, Buffer.from('00000000' + '00000000' + '00180000' + '00000003' + '00000009' + 'aabbcc00', 'hex'), true);
    const simple = block(3, Buffer.from('00000002' + 'ddee0000', 'hex'), true);
    const file = readCapture(Buffer.concat([section, described, unknown, enhanced, simple]));
    expect(file.error).toBeNull();
    // 0x180000 units of 2^-20 s are 1.5 s.
    expect(file.packets.map(({ time, linkType, originalLength, bytes }) => [time, linkType, originalLength, Buffer.from(bytes).toString('hex')])).toEqual([
      [1_500_000_000n, 101, 9, 'aabbcc'], [1_500_000_000n, 101, 2, 'ddee'],
    ]);
  });

  test('what is wrong is said with its offset and a remedy, and what came before is kept', () => {
    const whole = recorded();
    const cut = readCapture(whole.subarray(0, whole.length - 5));
    expect(cut.packets.length).toBe(3);
    expect(cut.error).toMatch(/^the file ends inside the block at offset \d+ .*copy it again$/);
    expect(readCapture(Buffer.from('1f8b0800', 'hex')).error).toContain('gunzip');
    expect(readCapture(new Uint8Array(0)).error).toContain('offset 0 holds nothing');
    expect(readCapture(pcap(true, false, 1, []).fill(9, 4, 5)).error).toMatch(/^offset 4: pcap version 9/);
  });
});

describe('hostile captures', () => {
  const bounded = (file: CaptureFile, size: number): boolean => file.packets.reduce((sum, { bytes }) => sum + bytes.length, 0) <= size && file.packets.length <= size;

  test('any bytes after any magic: an answer, no exception, no more memory than the file', () => {
    const magics = ['d4c3b2a1', 'a1b2c3d4', '4d3cb2a1', 'a1b23c4d', '0a0d0d0a', '0a0d0d0a1c0000004d3c2b1a01000000ffffffffffffffff1c000000', '']
      .map((hex) => Buffer.from(hex, 'hex'));
    fc.assert(fc.property(fc.constantFrom(...magics), fc.uint8Array({ maxLength: 300 }), (magic, rest) => {
      const bytes = Buffer.concat([magic, rest]);
      return bounded(readCapture(bytes), bytes.length);
    }), { numRuns: 2000 });
  });

  test('any few bytes of a good file changed', () => {
    const good = [recorded(), pcap(true, false, 1, [{ time: [1, 2], bytes: QUESTION }, { time: [1, 3], bytes: QUESTION }])];
    fc.assert(fc.property(fc.constantFrom(...good), fc.array(fc.tuple(fc.nat(1000), fc.nat(255)), { minLength: 1, maxLength: 4 }), fc.nat(1000), (file, changes, cut) => {
      const bytes = Buffer.from(file);
      for (const [at, value] of changes) bytes[at % bytes.length] = value;
      const read = readCapture(bytes.subarray(0, cut % 3 === 0 ? cut : undefined));
      for (const packet of read.packets) toEthernet(packet, 1, 2);
      return bounded(read, bytes.length);
    }), { numRuns: 2000 });
  });
});

test('what is kept of a packet does not change with the file, though that came as a Buffer', () => {
  const file = Buffer.from(recorded());
  const { bytes } = readCapture(file).packets[0];
  const kept = bytes.slice();
  const before = [...kept];
  file.fill(0);
  expect([...kept]).toEqual(before);
});
