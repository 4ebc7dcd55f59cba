import { installCheckpoints } from '../../emulator/checkpoint/index.js';
import { guestBinary, TestMachine } from '../support/machine.js';

test('x', () => {
  for (const name of ['checkpoint','recovery']) for (const store of [0x100, 0x200, 0x300, 0x400]) {
    const machine = new TestMachine({strace: true});
    installCheckpoints(machine.kernel, { store, poolFrames: 1024 });
    const outcome = machine.run(guestBinary(name), name, name === 'recovery' ? [String(store)] : []);
    console.log(store.toString(16), JSON.stringify(outcome.status), outcome.hung, outcome.stdout.slice(0,1500), outcome.stderr.slice(0,500), store===0x100 && name==='recovery'?outcome.strace.slice(-1500):'', machine.kernel.log.lines().slice(-3000));
  }
});
