import { Errno, failed } from '../../emulator/base/index.js';
import type { Kernel } from '../../emulator/kernel/index.js';
import { ProcFs, type ProcVnode } from '../../emulator/kernel/procfs.js';
import { Cable, ip, mac } from '../../emulator/net/index.js';
import { VOP_READ } from '../../emulator/vfs/index.js';
import { TestMachine } from '../support/machine.js';

function machine(): Kernel {
  const { kernel } = new TestMachine();
  const context = kernel.vfs.kernelContext();
  kernel.vfs.mkdir(context, '/sys', 0o755);
  expect(kernel.vfs.mount(context, '/sys', new ProcFs(kernel, 'sysfs'))).not.toBeLessThan(0);
  kernel.net?.addInterface('lan0', mac('02:00:00:00:00:01'), new Cable(kernel.clock, kernel.events), 0);
  return kernel;
}

function find(kernel: Kernel, path: string): ProcVnode {
  const vnode = kernel.vfs.find(kernel.vfs.kernelContext(), path);
  if (failed(vnode)) throw new Error(`${path}: ${vnode}`);
  return vnode as ProcVnode;
}

function read(kernel: Kernel, path: string): string {
  const bytes = VOP_READ(find(kernel, path), 0, 4096);
  return failed(bytes) ? `error ${bytes}` : Buffer.from(bytes).toString();
}

describe('/sys/class/net', () => {
  test('an interface through its link: address, state, counters', () => {
    const kernel = machine();
    const at = (name: string): string => read(kernel, `/sys/class/net/lan0/${name}`).trim();
    expect([at('address'), at('operstate'), at('flags'), at('mtu'), at('type'), at('ifindex')]).toEqual(['02:00:00:00:00:01', 'down', '0x1002', '1500', '1', '2']);
    kernel.net?.configure('lan0', ip('192.168.1.1'), 24);
    expect([at('operstate'), at('carrier'), at('flags')]).toEqual(['up', '1', '0x1003']);
    kernel.net?.interface('lan0')?.receive(new Uint8Array(9));
    kernel.run(kernel.clock.cycles + 1000);
    expect([at('statistics/rx_packets'), at('statistics/rx_errors'), at('statistics/rx_length_errors')]).toEqual(['1', '1', '1']);
    expect(find(kernel, '/sys/class/net').readdir(2)).toMatchObject([{ name: 'lo', type: 'lnk' }, { name: 'lan0', type: 'lnk' }]);
    expect(read(kernel, '/sys/class/net/lo/type')).toBe('772\n');
    expect(read(kernel, '/sys/devices/system/cpu/online')).toBe('0\n');
  });

  test('the MTU can be written, within what the device takes', () => {
    const kernel = machine();
    const mtu = find(kernel, '/sys/class/net/lan0/mtu');
    expect([mtu.store('1400\n'), mtu.store('9000\n'), mtu.store('x'), find(kernel, '/sys/class/net/lan0/address').store('x')]).toEqual([0, -Errno.EINVAL, -Errno.EINVAL, -Errno.EINVAL]);
    expect(kernel.net?.interface('lan0')?.mtu).toBe(1400);
  });

  test('an interface that is not there has no files', () => {
    const { vfs } = machine();
    expect(vfs.find(vfs.kernelContext(), '/sys/class/net/eth9/address')).toBe(-Errno.ENOENT);
  });
});
