import { textOf } from '../../emulator/base/index.js';
import { defaultGuard, installCheckpoints, Store } from '../../emulator/checkpoint/index.js';
import type { GuardOptions } from '../../emulator/kernel/index.js';
import { suspect, type FaultSites } from '../../emulator/checkpoint/fault-sites.js';
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

test('damage noticed late is in every state since; the same fault again and again is taken for that, and the state before any input heals it', () => {
  const { status, lines, log } = serve('nns' + 'un'.repeat(7), { repeats: 5 });
  expect(status).toBe(0);
  expect(log('guard.serving').map(({ generation }) => generation)).toEqual(['newest', 'newest', 'newest', 'newest', 'first']);
  expect(log('guard.trial').map(({ verdict }) => verdict)).toEqual(['open']);
  expect(lines.slice(-5)).toEqual(['used 1', 'n2', 'used 2', 'n3', 'end 3']);
});

test('the trial ends when it has been quiet for as long as the faults took, and another damage is tried again', () => {
  const { status, lines, log } = serve('nns' + 'un'.repeat(5) + 'n'.repeat(12) + 's' + 'un'.repeat(6), { repeats: 5 });
  expect(status).toBe(0);
  expect(log('guard.trial').map(({ verdict }) => verdict)).toEqual(['open', 'damage', 'open']);
  expect(log('guard.serving').map(({ generation }) => generation)).toEqual(['newest', 'newest', 'newest', 'newest', 'first', 'newest', 'newest', 'newest', 'newest', 'first']);
  expect(lines.slice(-4)).toEqual(['n1', 'used 1', 'n2', 'end 2']);
});

test('an input that comes again and again costs nothing but a trial, after which the newest state is back', () => {
  const { status, lines, log } = serve('nnn' + 'cn'.repeat(20), { repeats: 5 });
  expect(status).toBe(0);
  expect(log('guard.serving').map(({ generation }) => generation)).toEqual([...Array<string>(4).fill('newest'), 'first', ...Array<string>(15).fill('newest')]);
  expect(log('guard.trial').map(({ verdict }) => verdict)).toEqual(['open', 'input']);
  // One round was served on trial, and is forgotten.
  expect(lines.at(-1)).toBe('end 22');
  expect(serve('nnn' + 'cn'.repeat(20)).lines.at(-1)).toBe('end 23');
});

test('another fault during the trial goes back before any input too', () => {
  const { lines, log } = serve('nns' + 'un'.repeat(4) + 'unxnunn', { repeats: 5 });
  expect(log('guard.serving').map(({ generation }) => generation)).toEqual(['newest', 'newest', 'newest', 'newest', 'first', 'first']);
  expect(lines.slice(-5)).toEqual(['n1', 'used 1', 'n2', 'n3', 'end 3']);
});

test('a place that has been quiet for a generation is forgotten', () => {
  expect(serve(`cn${'n'.repeat(5)}`.repeat(6), { repeats: 5, generationNs: 100e6 }).log('guard.trial')).toEqual([]);
});

test('faults all over the program make no list without end, and no trial', () => {
  const sites: FaultSites = { list: [], trial: null };
  for (let i = 0; i < 1000; i++) expect(suspect(sites, { pc: 0x400000 + 4 * (i % 100), signo: 11, now: i }, 2, 1e6)).toBe('none');
  expect(sites.list.length).toBeLessThan(100);
});

test('a place on trial is known however long the trial takes and whatever else faults in it', () => {
  const sites: FaultSites = { list: [], trial: null };
  const fault = (pc: number, now: number): string => suspect(sites, { pc, signo: 11, now }, 3, 100);
  expect([fault(4, 0), fault(4, 90), fault(4, 180)]).toEqual(['none', 'none', 'begin-trial']);
  for (let i = 0; i < 50; i++) expect(fault(400 + 4 * i, 200 + i)).toBe('on-trial');
  expect(fault(4, 300)).toBe('acquit');
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
