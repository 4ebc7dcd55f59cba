import { connect, Doorman, listen, Pair, Pump } from './tcp-pair.js';

const SIZE = 100 << 20;

/** One direction; the other end checks every byte. */
function transfer(from: 'a' | 'b'): { seconds: number; retransmitted: number } {
  const pair = new Pair(7, { loss: 0.01, delay: 500, rate: 100e6, queue: 200 });
  const [ours, theirs] = from === 'a' ? [SIZE, 0] : [0, SIZE];
  const pump = new Pump(11, 22, ours, theirs);
  const door = new Doorman(theirs, ours);
  listen(pair.b, 80, door);
  connect(pair.a, '10.0.0.2', 80, pump);
  pair.capture.frames.length = 0;
  const over = (): boolean => {
    // The capture is not looked at; a gigabyte of it would be.
    pair.capture.frames.length = 0;
    return pump.ended && door.pumps[0]?.ended;
  };
  expect(pair.runUntil(over, 3600)).toBe(true);
  expect([pump.wrong, pump.read, door.pumps[0].wrong, door.pumps[0].read]).toEqual([-1, theirs, -1, ours]);
  return { seconds: pair.clock.cycles / 1e6, retransmitted: pair.a.stack.snmp.get('Tcp.RetransSegs') + pair.b.stack.snmp.get('Tcp.RetransSegs') };
}

test.each(['a', 'b'] as const)('100 MB through a link with 1 %% loss arrive byte for byte, from %s', (from) => {
  const { seconds, retransmitted } = transfer(from);
  process.stderr.write(`100 MB from ${from}: ${(SIZE / seconds / 1e6).toFixed(2)} MB/s of virtual time, ${retransmitted} segments sent again\n`);
  // 76 000 segments, one in a hundred lost, and with it now and then a repetition.
  expect(retransmitted).toBeGreaterThan(600);
  expect(retransmitted).toBeLessThan(2000);
}, 600_000);
