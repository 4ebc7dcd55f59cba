import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { ip, writeEthernet, ipv4, writeIpv4, writePcapng, writeUdp, readCapture, type CapturePacket } from '../../emulator/net/index.js';
import { InputError } from '../input-error.js';
import { replay } from '../replay.js';
import { firmwareImage } from '../simulation.js';
import { looksLikeAflnet, readAflnet, writeAflnet } from './aflnet.js';
import { captureScenario, parseTarget, type CaptureReplay } from './capture-scenario.js';
import { schedule } from './pacing.js';
import { select } from './selection.js';

const folder = mkdtempSync(join(tmpdir(), 'shuntbox-capture-'));
afterAll(() => rmSync(folder, { recursive: true }));

type Spec = { from: string; fromPort: number; to: string; toPort: number; bytes: Uint8Array; at: number };

function frameOf({ from, fromPort, to, toPort, bytes }: Spec): Uint8Array {
  const [source, destination] = [ip(from), ip(to)];
  const payload = writeUdp({ sourcePort: fromPort, destinationPort: toPort, payload: bytes }, source, destination);
  return writeEthernet({ source: 1, destination: 2, type: 0x0800, payload: writeIpv4(ipv4({ source, destination, protocol: 17, payload })) });
}

function capture(frames: readonly { at: number; bytes: Uint8Array }[]): Uint8Array {
  return writePcapng({
    interfaces: [{ name: 'eth0', description: '' }], comment: '', hardware: '', application: 'test',
    packets: frames.map(({ at, bytes }) => ({ interface: 0, time: 1_700_000_000_000_000_000n + BigInt(at), bytes, comment: '', direction: 'in' })),
  });
}

const packets = (specs: readonly Spec[]): CapturePacket[] => readCapture(capture(specs.map((spec) => ({ at: spec.at, bytes: frameOf(spec) })))).packets;

describe("AFLNet's replay files", () => {
  test('what is written is read again', () => {
    fc.assert(fc.property(fc.array(fc.uint8Array({ maxLength: 300 }), { minLength: 1, maxLength: 20 }), (messages) => {
      const { messages: read, error } = readAflnet(writeAflnet(messages));
      expect(error).toBeNull();
      expect(read.map((one) => [...one])).toEqual(messages.map((one) => [...one]));
    }));
  });

  test('whatever the bytes: no exception, nothing beyond the file, and an error unless every byte is accounted for', () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
      const { messages, error } = readAflnet(bytes);
      const covered = messages.reduce((sum, one) => sum + 4 + one.length, 0);
      expect(covered).toBeLessThanOrEqual(bytes.length);
      if (error === null) expect(covered).toBe(bytes.length);
    }));
  });

  test('a length past the end or past a datagram is named with its offset', () => {
    expect(readAflnet(Uint8Array.of(1, 0, 0, 0, 9, 5, 0, 0, 0, 1)).error).toBe('offset 5: message 2 is 5 bytes long, but only 1 follow');
    expect(readAflnet(Uint8Array.of(255, 255, 255, 255)).error).toMatch(/offset 0: message 1 is 4294967295 bytes long, a UDP datagram holds at most 65507/);
    expect(readAflnet(new Uint8Array(3)).error).toMatch(/inside the length of message 1/);
    expect(looksLikeAflnet(Buffer.from('d4c3b2a1', 'hex'))).toBe(false);
  });
});

describe('what of a capture goes to the daemon', () => {
  const query = (at: number, client = '10.0.0.7'): Spec => ({ from: client, fromPort: 5000, to: '10.0.0.1', toPort: 53, bytes: Uint8Array.of(1), at });
  const answer = (at: number): Spec => ({ from: '10.0.0.1', fromPort: 53, to: '10.0.0.7', toPort: 5000, bytes: Uint8Array.of(2, 2), at });

  test('is what conversations were opened with; the answers are left out', () => {
    const { target, messages, leftOut } = select(packets([query(0), answer(5), answer(6), answer(7), query(9)]), null);
    expect(target).toEqual({ address: ip('10.0.0.1'), port: 53 });
    expect(messages.map(({ frame, time }) => [frame, time])).toEqual([[1, 0], [5, 9]]);
    expect([...leftOut.values()]).toEqual([3]);
  });

  test('a wrong UDP checksum, as cards that compute it leave in captures, is no reason to leave a datagram out', () => {
    const frame = frameOf(query(0));
    frame[14 + 20 + 6] ^= 0xff;
    expect(select(readCapture(capture([{ at: 0, bytes: frame }])).packets, null).messages).toHaveLength(1);
  });

  test('packets that are cut off, fragments, TCP and other protocols are counted by reason', () => {
    const [whole, cut, fragment, tcp, arp, damaged] = Array.from({ length: 6 }, () => frameOf(query(0)));
    fragment[14 + 6] = 0x20;
    tcp[14 + 9] = 6;
    arp.set([0x08, 0x06], 12);
    damaged[14 + 20 + 4] = 0xff;
    const list = readCapture(capture([whole, fragment, tcp, arp, damaged].map((bytes) => ({ at: 0, bytes })))).packets;
    const { messages, leftOut } = select([...list, { ...list[0], bytes: cut.subarray(0, 50), originalLength: 60 }], null);
    expect(messages).toHaveLength(1);
    expect(Object.fromEntries(leftOut)).toEqual({ 'IPv4 fragments': 1, 'TCP (not emulated yet)': 1, ARP: 1, 'damaged UDP': 1, 'cut off by the capture (snap length)': 1 });
  });

  test('whatever a frame holds, every packet is either injected or counted as left out', () => {
    const valid = frameOf(query(0));
    fc.assert(fc.property(fc.array(fc.oneof(fc.uint8Array({ minLength: 14, maxLength: 80 }), fc.tuple(fc.nat(valid.length - 1), fc.nat(255)).map(([at, value]) => {
      const bytes = valid.slice();
      bytes[at] = value;
      return bytes;
    })), { minLength: 1, maxLength: 10 }), (frames) => {
      const list = readCapture(capture(frames.map((bytes, at) => ({ at, bytes })))).packets;
      const { messages, leftOut } = select(list, null);
      expect(messages.length + [...leftOut.values()].reduce((a, b) => a + b, 0)).toBe(list.length);
    }));
  });

  test('targets are read as people and AFLNet write them', () => {
    expect(parseTarget('10.0.0.1:53')).toEqual({ address: ip('10.0.0.1'), port: 53 });
    expect(parseTarget('udp:53')).toEqual({ address: null, port: 53 });
    expect(parseTarget('udp://127.0.0.1/53')).toEqual({ address: null, port: 53 });
    for (const bad of ['tcp:80', '10.0.0.999:53', '0', 'x:1', '70000', '']) expect(typeof parseTarget(bad)).toBe('string');
  });
});

describe('the words of tcpreplay', () => {
  const times = [0, 1e9, 3e9];
  const at = (pacing: Parameters<typeof schedule>[2]): number[] => (schedule(times, [100, 100, 100], pacing) as { at: number }[]).map((one) => one.at);

  test('multiplier, pps and mbps set the gaps, topspeed is the wire', () => {
    expect(at({})).toEqual([0, 1e9, 3e9]);
    expect(at({ multiplier: 2 })).toEqual([0, 0.5e9, 1.5e9]);
    expect(at({ pps: 10 })).toEqual([0, 1e8, 2e8]);
    expect(at({ mbps: 1 })).toEqual([0, 1_328_000, 2_656_000]);
    expect(at({ topspeed: true })).toEqual([0, 13_280, 26_560]);
  });

  test('loops follow each other at once or after their delay, limit and duration cut across them', () => {
    expect(at({ loop: 2 })).toEqual([0, 1e9, 3e9, 3e9, 4e9, 6e9]);
    expect(at({ loop: 2, loopDelayMs: 500, limit: 4 })).toEqual([0, 1e9, 3e9, 3.5e9]);
    expect(at({ pps: 10, loop: 0, durationSeconds: 0.35 })).toEqual([0, 1e8, 2e8, 3e8]);
  });

  test('what would never end, or end too late, is refused', () => {
    expect(schedule(times, [1, 1, 1], { loop: 0 })).toMatch(/add --limit or --duration/);
    expect(schedule([0, 7200e9], [1, 1], {})).toMatch(/lasts longer than 3600 s/);
    expect(schedule([0, 7200e9], [1, 1], { topspeed: true })).toHaveLength(2);
  });

  test('a capture whose times run backwards is sent without a pause', () => {
    expect((schedule([5, 0, 9], [1, 1, 1], {}) as { at: number }[]).map((one) => one.at)).toEqual([0, 0, 9]);
  });
});

describe('a capture against a daemon', () => {
  const dnsd = { file: 'router-firmware/debug/dnsd', bytes: readFileSync('router-firmware/debug/dnsd') };
  const options = (over: Partial<CaptureReplay>): CaptureReplay => ({
    file: 'scenarios/catalog/dns-negative-memcpy/attack.pcapng', aflnet: false, daemon: dnsd, name: 'dnsd', words: [], arms: ['none'], sdk: false, target: null, pacing: {}, ...over,
  });
  const question = (id: number): Uint8Array => Buffer.from(`${id.toString(16).padStart(4, '0')}01000001000000000000076578616d706c65036f72670000010001`, 'hex');

  test('names the frame that killed it, wherever the capture was made', () => {
    const attack = readCapture(readFileSync(options({}).file)).packets[0].bytes.slice(42, 94);
    const spec = (at: number, bytes: Uint8Array): Spec => ({ from: '198.51.100.9', fromPort: 6000 + at, to: '10.9.9.9', toPort: 53, bytes, at: at * 1e8 });
    const file = join(folder, 'elsewhere.pcapng');
    writeFileSync(file, capture([spec(0, question(1)), spec(1, question(2)), spec(2, attack), spec(3, question(3))].map((one) => ({ at: one.at, bytes: frameOf(one) }))));
    const { scenario, mapping } = captureScenario(options({ file, arms: ['none', 'respawn'] }));
    expect(mapping.join('\n')).toMatch(/10\.9\.9\.9:53 in the capture -> 192\.168\.1\.1:53, 4 datagrams, 4 sent\n.*198\.51\.100\.9 -> 192\.168\.1\.100/);
    const [arm, respawned] = replay(scenario, { image: firmwareImage() }).arms;
    expect(arm.verdict.outcome).toBe('crashed');
    expect(arm.answers).toEqual({ sent: 4, answered: 2 });
    // What is asked again at the end must not pass for an answer to the message that killed.
    expect([respawned.verdict.outcome, respawned.answers]).toEqual(['crashed', { sent: 4, answered: 3 }]);
    expect(arm.firstFault?.culprit).toMatchObject({ original: { file: 'elsewhere.pcapng', frame: 3 }, message: { number: 3 } });
  });

  test('the repaired daemon survives the same file, over and over', () => {
    const bytes = readFileSync('router-firmware/debug/dnsd.patched');
    const { scenario } = captureScenario(options({ daemon: { file: 'router-firmware/debug/dnsd.patched', bytes }, pacing: { loop: 20, topspeed: true } }));
    expect(replay(scenario, { image: firmwareImage() }).arms[0]).toMatchObject({ verdict: { outcome: 'survived' }, answers: { sent: 20, answered: 20 } });
  });

  test.each([
    [{ target: { address: null, port: 99 } }, /no UDP datagram to \*:99 among its 1 packets .*check --target/],
    [{ aflnet: true }, /do not say where the daemon listens; add --target udp:PORT/],
    [{ aflnet: true, target: { address: null, port: 53 } }, /offset 0: message 1 is 168627466 bytes long/],
    [{ file: 'package.json' }, /starts neither a pcap nor a pcapng file/],
    [{ pacing: { loop: 0 } }, /goes on for ever/],
  ] as [Partial<CaptureReplay>, RegExp][])('wrong input %j is one error', (over, words) => {
    expect(() => captureScenario(options(over))).toThrow(InputError);
    expect(() => captureScenario(options(over))).toThrow(words);
  });

  test('a capture of TCP alone says so', () => {
    const frame = frameOf({ from: '10.0.0.1', fromPort: 1, to: '10.0.0.2', toPort: 80, bytes: new Uint8Array(20), at: 0 });
    frame[14 + 9] = 6;
    const file = join(folder, 'tcp.pcapng');
    writeFileSync(file, capture([{ at: 0, bytes: frame }]));
    expect(() => captureScenario(options({ file }))).toThrow(/no UDP datagram among its 1 packets \(1 TCP \(not emulated yet\)\); only UDP is replayed so far/);
  });
});
