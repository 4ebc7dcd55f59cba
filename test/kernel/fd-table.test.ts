import { EventFile } from '../../emulator/kernel/eventpoll.js';
import { FdTable } from '../../emulator/kernel/fd-table.js';
import { KernelMemory } from '../../emulator/kernel/kernel-memory.js';
import { VnodeFile } from '../../emulator/kernel/vnode-file.js';
import { TestMachine } from '../support/machine.js';

const { kernel } = new TestMachine();

test('what a process has read of its clients stays counted when their descriptors are closed; what it read of a file never is', () => {
  const table = new FdTable(new KernelMemory(kernel.ram));
  const client = new EventFile(0, 0);
  const vnode = kernel.vfs.root;
  const file = new VnodeFile({ vnode, parent: vnode, name: '.' }, 0);
  const [one, other] = [table.install(client), table.install(file)];
  file.consumed = 500;
  expect(table.consumed).toBe(0);
  client.consumed = 70;
  expect(table.consumed).toBe(70);
  table.close(kernel, other);
  expect(table.consumed).toBe(70);
  table.close(kernel, one);
  expect(table.consumed).toBe(70);
});
