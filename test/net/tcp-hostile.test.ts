import fc from 'fast-check';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { capturesToPcapng } from '../../emulator/net/index.js';
import { connect, Doorman, listen, Pair, Pump } from './tcp-pair.js';
import { Script } from './tcp-script.js';

const flags = fc.constantFrom('S', 'F.', 'R', '.', 'P.', 'S.', 'SF', 'U.', 'R.', '', 'SFRPU.');
const near = fc.oneof(fc.integer({ min: -3, max: 60 }), fc.integer({ min: -70_000, max: 70_000 }), fc.integer());
const one = fc.record({
  letters: flags, seq: near, ack: near, win: fc.constantFrom(0, 1, 100, 65_535), data: fc.nat(1400), urgent: fc.nat(100), gap: fc.nat(2_000_000),
  user: fc.nat(6), port: fc.constantFrom(5000, 5000, 5000, 6000),
  options: fc.record({ mss: fc.constantFrom(0, 1, 1460), sack: fc.array(fc.integer({ min: 0, max: 0xffffffff }), { maxLength: 4 }).map((e) => e.slice(0, e.length & ~1)), timestamp: fc.constantFrom(null, { value: 0, echo: 0 }, { value: 0xfffffff0, echo: 99 }) }),
});

test('whatever a peer sends, nothing throws, nothing grows without bound, and everything ends', () => {
  fc.assert(fc.property(fc.array(one, { maxLength: 40 }), (steps) => {
    const x = new Script();
    const listener = x.listen(2);
    let now = 0;
    for (const { letters, gap, user, ...given } of steps) {
      x.give(now += gap, letters, given);
      const connection = listener.listener?.queue[0];
      if (user === 1) connection?.send(Buffer.alloc(3000));
      if (user === 2) listener.accept()?.close();
      if (user === 3) connection?.receive(1000);
      if (user === 4) connection?.shutdownWrite();
      for (const flow of x.tcp.ports.all()) if ('earlyBytes' in flow) expect(flow.earlyBytes + flow.available).toBeLessThanOrEqual(flow.settings.receiveBuffer);
      x.said();
    }
    listener.close();
    x.run(now + 4000_000_000);
    expect([...x.tcp.ports.all()].length + x.tcp.halfOpen.count + x.tcp.timeWaits.size).toBe(0);
    // Every segment was of use to a connection, or is counted under the reason why not.
    const { fates, interfaces } = x.stack;
    expect(fates.get('silent')).toBe(0);
    expect(fates.total('')).toBe(interfaces.reduce((sum, device) => sum + device.rxPackets, 0));
  }), { numRuns: 60 });
});

test('a flood of SYNs fills the queue and nothing else; who was connected goes on, and a minute later there is room again', () => {
  const x = new Script();
  const c = x.accepted(0);
  const { iss } = x;
  for (let i = 0; i < 5000; i++) x.give(1000 + i, 'S', { port: 6000 + i });
  expect(x.tcp.halfOpen.count).toBe(128);
  expect(x.drops()['tcp.syn-queue-full']).toBe(4872);
  x.said();
  x.iss = iss;
  x.give(7000, 'P.', { seq: 1, ack: 1, data: 'still here' });
  expect(c.available).toBe(10);
  x.run(70_000_000);
  expect(x.tcp.halfOpen.count).toBe(0);
});

const tshark = spawnSync('tshark', ['--version']).status === 0;

(tshark ? test : test.skip)('tshark finds nothing wrong with our segments (skipped when it is not installed)', () => {
  const pair = new Pair(3, { loss: 0.03, reorder: 0.05, duplicate: 0.02 });
  const door = new Doorman(100_000);
  listen(pair.b, 80, door);
  connect(pair.a, '10.0.0.2', 80, new Pump(11, 22, 100_000));
  connect(pair.a, '10.0.0.2', 81, null);
  pair.run(100_000);
  const folder = mkdtempSync(join(tmpdir(), 'tcp-'));
  const file = join(folder, 'tcp.pcapng');
  writeFileSync(file, capturesToPcapng([pair.capture], pair.clock));
  const args = ['-o', 'tcp.check_checksum:TRUE', '-o', 'ip.check_checksum:TRUE', '-r', file, '-T', 'fields', '-e', 'frame.number', '-e', '_ws.malformed', '-e', 'tcp.checksum.status', '-e', 'tcp.options.mss_val', '-e', 'tcp.analysis.retransmission'];
  const run = spawnSync('tshark', args, { encoding: 'utf8', maxBuffer: 64 << 20 });
  rmSync(folder, { recursive: true });
  const rows = run.stdout.trimEnd().split('\n').map((line) => line.split('\t'));
  expect(rows.length).toBe(pair.capture.frames.length);
  expect(rows.filter(([, malformed]) => malformed)).toEqual([]);
  // 1: good; ARP frames have none.
  expect(new Set(rows.map(([, , status]) => status))).toEqual(new Set(['', '1']));
  expect(rows.some(([, , , mss]) => mss === '1460')).toBe(true);
});
