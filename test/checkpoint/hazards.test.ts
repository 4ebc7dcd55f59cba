import { installCheckpoints, storeName } from '../../emulator/checkpoint/index.js';
import { guestBinary, TestMachine } from '../support/machine.js';
import { stores } from './completeness.js';
import { list } from './stopped.js';

test.each(stores.map((store) => [storeName(store), store] as const))('what a rollback cannot take back is in the event log: %s', (name, store) => {
  const machine = new TestMachine();
  installCheckpoints(machine.kernel, { store, poolFrames: 1024 });
  machine.run(guestBinary('hazards'), 'hazards');
  const log = machine.kernel.log.since();
  const hazards = log.filter((entry) => entry.what === 'checkpoint.hazard').map((entry) => entry.hazard);
  expect(hazards).toEqual(['semaphore-released', 'lock-released', 'descriptor-closed', 'shared-mapping', 'shared-mapping',
    'persist-check', 'persist-check', 'persist-check', 'jump-loop', 'jump-loop']);
  const thaws = log.filter((entry) => entry.what === 'checkpoint.thaw');
  expect(thaws.map((entry) => entry.to)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 11, 11]);
  expect(thaws.slice(-3).map(({ signo, badvaddr }) => [signo, badvaddr])).toEqual([[11, 16], [11, 16], [11, 16]]);
  expect(thaws[2]).toMatchObject({ consumed: 2, closed: [77], lost: [5], store: name });
  const vops = thaws.map((entry) => entry.vops as number);
  expect(name === 'vnode' ? Math.min(...vops) > 0 : Math.max(...vops) === 0).toBe(true);
  expect(log.filter((entry) => entry.what === 'checkpoint.drop')).toHaveLength(11);
  expect(list(machine.kernel, '/tmp')).toEqual([]);
});
