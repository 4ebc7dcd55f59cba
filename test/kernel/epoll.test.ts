import { Errno } from '../../emulator/base/index.js';
import { EpollFile, EventFile } from '../../emulator/kernel/eventpoll.js';
import { KernelMemory } from '../../emulator/kernel/kernel-memory.js';
import { Poll } from '../../emulator/kernel/open-file.js';
import { Ram } from '../../emulator/memory/ram.js';

const data: [number, number] = [1, 0];
const open = (): EpollFile => new EpollFile(new KernelMemory(new Ram(1 << 20)), 2).addRef();

test('epoll instances that would watch each other in a circle or too deep are refused', () => {
  const [a, b, c] = [open(), open(), open()];
  expect(a.add(3, a, Poll.IN, data)).toBe(-Errno.EINVAL);
  expect(a.add(4, b, Poll.IN, data)).toBe(0);
  expect(b.add(3, a, Poll.IN, data)).toBe(-Errno.ELOOP);
  expect(b.add(5, c, Poll.IN, data)).toBe(-Errno.ELOOP);
  expect(c.add(3, a, Poll.IN, data)).toBe(-Errno.ELOOP);
  expect(a.delete(4, b)).toBe(0);
  expect(b.add(5, c, Poll.IN, data)).toBe(0);
});

test('an event two instances down wakes the upper one', () => {
  const [upper, lower] = [open(), open()];
  const event = new EventFile(0, 0).addRef();
  upper.add(3, lower, Poll.IN, data);
  lower.add(4, event, Poll.IN, data);
  let woken = 0;
  upper.changed.add({ wake: () => { woken++; } });
  expect(upper.poll()).toBe(0);
  event.write({} as never, {} as never, Buffer.from([1, 0, 0, 0, 0, 0, 0, 0]));
  expect(woken).toBe(1);
  expect(upper.collect(8)).toEqual([{ events: Poll.IN, data }]);
});
