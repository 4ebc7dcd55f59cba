import { textOf } from '../../emulator/base/index.js';
import { defaultGuard, installCheckpoints, Store } from '../../emulator/checkpoint/index.js';
import type { GuardOptions } from '../../emulator/kernel/index.js';
import { guestBinary, TestMachine } from '../support/machine.js';

interface Outcome {
  status: number;
  lines: string[];
  log: (what: string) => Record<string, unknown>[];
  processes: number;
}

/** A server that knows nothing of checkpoints, given these commands; see test/guest/guarded.c. */
function serve(commands: string, options: Partial<GuardOptions> = {}, store: number = Store.share): Outcome {
  const machine = new TestMachine({ files: { '/bin/guarded': guestBinary('guarded') } });
  installCheckpoints(machine.kernel, { store, guard: { ...defaultGuard, watchdogNs: 20e6, daemons: ['guarded'], ...options } });
  const { status } = machine.finish(machine.spawn('/bin/guarded', ['guarded', commands]), 30);
  const entries = machine.kernel.log.since();
  return { status, lines: machine.stdout.trim().split('\n'), log: (what) => entries.filter((entry) => textOf(entry.what) === what), processes: [...machine.kernel.processes.values()].filter(({ state }) => state === 'alive').length };
}

test.each([['share', Store.share], ['copy', Store.copy], ['vnode', Store.vnode]])('a fault costs the server the message that caused it, and nothing before (%s)', (_name, store) => {
  const { status, lines, log } = serve('nncnn', {}, store);
  expect([status, lines]).toEqual([0, ['n1', 'n2', 'n3', 'n4', 'end 4']]);
  expect(log('guard.fault').map(({ signo }) => signo)).toEqual([11]);
  expect(log('guard.serving').map(({ generation }) => generation)).toEqual(['newest']);
});

test('a program that is not on the list dies of its fault', () => {
  const { status, lines } = serve('nnc', { daemons: ['other'] });
  expect([status, lines]).toEqual([128 + 11, ['n1', 'n2']]);
});

test('a round that uses up the watchdog\'s time is gone back from; one that sleeps is not', () => {
  const { status, lines, log } = serve('nnhnn');
  expect([status, lines]).toEqual([0, ['n1', 'n2', 'n3', 'n4', 'end 4']]);
  expect(log('guard.hang')).toHaveLength(1);
});

test('abort goes back to the state before any input: the program itself has found its state to be bad', () => {
  const { lines, log } = serve('nnann');
  expect(lines).toEqual(['n1', 'n2', 'n1', 'n2', 'end 2']);
  expect(log('guard.serving').map(({ generation }) => generation)).toEqual(['first']);
});

test('a state that is spoiled before the newest freeze is left for an older one', () => {
  // p is consumed in a good round, so the spoiled state is frozen; from then on every round faults before it reads.
  const { status, lines, log } = serve('nnpnn', { strikes: 2, generationNs: 45e6 });
  expect(status).toBe(0);
  expect(log('guard.serving').map(({ generation }) => generation)).toEqual(['newest', 'newest', 'older']);
  expect(lines.at(-1)).toMatch(/^end \d$/);
  expect(Number((lines.at(-1) as string).slice(4))).toBeGreaterThanOrEqual(2);
});

test('when no state heals it the process is let die', () => {
  const { status, log } = serve('c'.repeat(8), { strikes: 2 });
  expect(status).toBe(128 + 11);
  expect(log('guard.serving').map(({ generation }) => generation)).toEqual(['newest', 'newest', 'first', 'first', 'first', 'first']);
  expect(log('guard.gave-up')).toHaveLength(1);
});

test('the server is frozen after work, and not more often than the interval allows', () => {
  const often = serve('nnnnnnnn', { intervalNs: 0 }).log('checkpoint.freeze').length;
  const seldom = serve('nnnnnnnn', { intervalNs: 100e6 }).log('checkpoint.freeze').length;
  expect(often).toBeGreaterThanOrEqual(8);
  expect(seldom).toBeLessThanOrEqual(2 + 3);
});

test('workers forked since the freeze go with the state that knew them, those before stay', () => {
  const { lines, processes } = serve('nfcwn', { intervalNs: 1e9 });
  expect(lines).toContain('workers 0');
  expect(processes).toBe(0);
  expect(serve('nfnncwn', { intervalNs: 0 }).lines).toContain('workers 1');
});

test('its images go when the process ends', () => {
  const { log } = serve('nn');
  expect(log('checkpoint.drop').length).toBe(log('checkpoint.freeze').length > 0 ? 2 : 0);
});
