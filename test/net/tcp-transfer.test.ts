import { loadGraph, saveGraph, snapshotClass } from '../../emulator/base/index.js';
import { capturesToPcapng } from '../../emulator/net/index.js';
import { connect, Doorman, listen, Pair, Pump, type Weather } from './tcp-pair.js';

const MB = 1 << 20;

class Transfer {
  readonly pair: Pair;
  readonly pump: Pump;
  readonly door: Doorman;

  constructor(seed: number, weather: Weather, total: number) {
    this.pair = new Pair(seed, weather);
    this.pump = new Pump(11, 22, total);
    this.door = new Doorman(total);
    listen(this.pair.b, 80, this.door);
    connect(this.pair.a, '10.0.0.2', 80, this.pump);
  }

  get over(): boolean {
    const { pump, door } = this;
    return pump.read === pump.inTotal && door.pumps[0]?.read === pump.total && pump.ended && door.pumps[0].ended;
  }

  outcome(): unknown {
    const [other] = this.door.pumps;
    return [this.pump.read, this.pump.wrong, this.pump.errors, other.read, other.wrong, other.errors];
  }
}
snapshotClass('test.Transfer', Transfer);

const weathers: [string, Weather][] = [
  ['a clean link', {}],
  ['1 % loss', { loss: 0.01, delay: 5000 }],
  ['10 % loss', { loss: 0.1, delay: 2000 }],
  ['corruption', { corrupt: 0.05 }],
  ['duplicates', { duplicate: 0.2, delay: 5000 }],
  ['reordering by jitter', { delay: 2000, jitter: 8000 }],
  ['swapped neighbours', { reorder: 0.2 }],
  ['a slow link with a short queue', { rate: 10e6, queue: 10, delay: 10_000 }],
  ['all of it', { loss: 0.05, corrupt: 0.02, duplicate: 0.05, reorder: 0.1, delay: 3000, jitter: 5000 }],
];

test.each(weathers)('a megabyte each way arrives byte for byte: %s', (_name, weather) => {
  const transfer = new Transfer(5, weather, MB);
  expect(transfer.pair.runUntil(() => transfer.over, 600)).toBe(true);
  expect(transfer.outcome()).toEqual([MB, -1, [], MB, -1, []]);
  // Whoever closed first waits, the other is gone; then nothing is left of it.
  transfer.pair.run(400_000);
  for (const { stack } of [transfer.pair.a, transfer.pair.b]) expect([...stack.tcp.ports.all()].filter(({ state }) => state !== 'LISTEN')).toEqual([]);
});

test('saved in the middle of a lossy transfer and loaded, it goes on identically', () => {
  const transfer = new Transfer(9, { loss: 0.05, jitter: 3000 }, MB / 4);
  for (const moment of [3, 20, 111, 300]) {
    transfer.pair.run(moment);
    const copy = loadGraph(saveGraph(transfer)) as Transfer;
    const [until, untilCopy] = [transfer, copy].map((one) => one.pair.runUntil(() => one.over, 600));
    expect([until, untilCopy]).toEqual([true, true]);
    expect(copy.outcome()).toEqual(transfer.outcome());
    expect(Buffer.compare(capturesToPcapng([copy.pair.capture], copy.pair.clock), capturesToPcapng([transfer.pair.capture], transfer.pair.clock))).toBe(0);
  }
});
