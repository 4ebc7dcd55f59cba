import fc from 'fast-check';
import { Clock } from './clock.js';
import { EventQueue } from './events.js';
import { Random } from './random.js';

const target = { onEvent: (): void => undefined };

test('events fire by time, then in the order they were scheduled, and cancelled ones never', () => {
  fc.assert(fc.property(fc.array(fc.record({ time: fc.nat(20), cancel: fc.boolean() })), (entries) => {
    const queue = new EventQueue();
    const scheduled = entries.map(({ time }, index) => queue.at(time, target, String(index)));
    entries.forEach(({ cancel }, index) => cancel && queue.cancel(scheduled[index]));
    const expected = entries.map((entry, index) => ({ ...entry, index })).filter((entry) => !entry.cancel)
      .sort((a, b) => a.time - b.time || a.index - b.index).map((entry) => String(entry.index));
    const fired: string[] = [];
    for (let event = queue.popDue(100); event; event = queue.popDue(100)) fired.push(event.kind);
    expect(fired).toEqual(expected);
    expect(queue.nextTime()).toBe(Infinity);
  }));
});

test('an event in the future does not fire yet', () => {
  const queue = new EventQueue();
  queue.at(10, target, 'later');
  expect(queue.popDue(9)).toBeNull();
  expect(queue.popDue(10)?.kind).toBe('later');
});

test('nanoseconds and cycles convert without drift over a day at 580 MHz', () => {
  const clock = new Clock(580e6);
  clock.advance(580e6 * 86_400 + 29);
  expect(clock.nanoseconds()).toBe(86_400e9 + 50);
  expect(clock.toCycles(50)).toBe(29);
  expect(clock.toCycles(1)).toBe(1);
});

test('the same seed gives the same stream, another seed another one', () => {
  const draw = (seed: number): number[] => { const random = new Random(seed); return [random.next(), random.below(10), random.fraction()]; };
  expect(draw(1)).toEqual(draw(1));
  expect(draw(1)).not.toEqual(draw(2));
});

test('a deadline moved again and again leaves no trail of cancelled events, and the order of the others stays', () => {
  const queue = new EventQueue();
  const target = { onEvent(): void {} };
  const kept = Array.from({ length: 50 }, (_, i) => queue.at(1000 + ((i * 37) % 50), target, 'kept', i));
  let moved = queue.at(5000, target, 'moved');
  for (let i = 0; i < 100_000; i++) {
    queue.cancel(moved);
    queue.cancel(moved);
    moved = queue.at(5000 + i, target, 'moved');
  }
  expect(queue.length).toBeLessThan(200);
  const order = kept.toSorted((a, b) => a.time - b.time || a.sequence - b.sequence).map(({ argument }) => argument);
  const fired: unknown[] = [];
  for (let event = queue.popDue(4000); event; event = queue.popDue(4000)) fired.push(event.argument);
  expect(fired).toEqual(order);
  expect(queue.nextTime()).toBe(5000 + 99_999);
});
