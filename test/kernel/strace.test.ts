import { join } from 'node:path';
import { readFileSync } from 'node:fs';
import { TestMachine } from '../support/machine.js';

const program = (name: string): Uint8Array => readFileSync(join(__dirname, '../guest/bin', name));

test.each(['exec', 'signals', 'mmap', 'poll', 'files'])('watching %s with strace changes neither its output nor the event log', (name) => {
  const run = (strace: boolean): { log: string; retired: number; traced: boolean } => {
    const machine = new TestMachine({ strace, files: { [`/bin/${name}`]: program(name) }, costs: { 'copy.bytes': 1, 'zero.bytes': 1, 'fault.page': 1000, 'vop.getpages': 100 } });
    machine.spawn(`/bin/${name}`, [name]);
    machine.kernel.run(100e6 * 60);
    return { log: machine.kernel.log.lines() + JSON.stringify(machine.kernel.ledger.snapshot()), retired: machine.kernel.retired, traced: machine.strace.length > 1000 };
  };
  const [plain, traced] = [run(false), run(true)];
  expect(traced.traced).toBe(true);
  expect(traced.log).toBe(plain.log);
  expect(traced.retired).toBe(plain.retired);
});
