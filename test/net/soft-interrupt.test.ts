import { Cable, ip } from '../../emulator/net/index.js';
import { runMachine } from '../../emulator/kernel/run.js';
import { TestMachine } from '../support/machine.js';
import { CLIENT, echoPacket, Exchange, frame, ROUTER_LAN } from './exchange.js';

const PER_FRAME = 10;
/** Frames of a burst. */
const BURST = 64;
const FRAMES = 200;
const ping = frame(echoPacket('192.168.1.10', '192.168.1.1', 'x'));

/** When each of a row of frames that came at once had been taken in, in cycles. */
function taken(runnable: number): number[] {
  const net = new Exchange({ 'packet.rx': PER_FRAME }, FRAMES);
  net.introduce();
  const start = net.clock.cycles;
  net.stack.programs = { runnable };
  for (let i = 0; i < FRAMES; i++) net.inject(start, ping);
  net.run(start + 100_000);
  return net.lan.received.map(({ time }) => time - start);
}

describe('a row of frames longer than a burst', () => {
  test('is taken in without a rest while every program sleeps', () => {
    const times = taken(0);
    expect(times).toHaveLength(FRAMES);
    expect(times.at(-1)).toBe(FRAMES * PER_FRAME);
  });

  test('leaves programs that want the processor as long as each burst took', () => {
    const times = taken(1);
    const rests = times.map((time, i) => time - (times[i - 1] ?? 0) - PER_FRAME).filter((rest) => rest > 0);
    expect(times).toHaveLength(FRAMES);
    expect(rests).toEqual(Array<number>(Math.floor((FRAMES - 1) / BURST)).fill(BURST * PER_FRAME));
  });

  test('does not carry the machine past the moment its caller asked for', () => {
    const { kernel } = new TestMachine({ costs: { 'packet.rx': 1000 } });
    const cable = new Cable(kernel.clock, kernel.events);
    kernel.net?.addInterface('lan0', ROUTER_LAN, cable, 0, FRAMES);
    kernel.net?.configure('lan0', ip('192.168.1.1'), 24);
    cable.attach(1, { receive: () => undefined });
    for (let i = 0; i < FRAMES; i++) cable.send(1, frame(echoPacket('192.168.1.10', '192.168.1.1', 'x'), CLIENT));
    const until = kernel.clock.cycles + 50_000;
    expect(runMachine(kernel, until, Infinity).reason).toBe('time');
    expect(kernel.clock.cycles).toBeGreaterThanOrEqual(until);
    expect(kernel.clock.cycles).toBeLessThan(until + 20_000);
    expect(kernel.net?.interfaces.find(({ name }) => name === 'lan0')?.rxPackets).toBeLessThan(60);
  });
});
