import { failed, loadGraph, saveGraph } from '../../emulator/base/index.js';
import { checkpointsOf, defaultGuard, installCheckpoints, Store } from '../../emulator/checkpoint/index.js';
import type { Kernel } from '../../emulator/kernel/index.js';
import { guestBinary, TestMachine } from '../support/machine.js';
import { serve, stores, torment } from './pools.js';

test.each(stores)('a fault of one worker costs its client the answer, and no other worker, nor what all share, anything (%s)', (_name, store) => {
  const { answers, server, status, log } = serve('nnwcnwnz', {}, { store });
  expect(answers).toEqual(['n1', 'n2', 'w 4 5 forked 2', '-', 'n3', 'w 4 5 forked 2', 'n4', 'z']);
  expect([server, status]).toEqual([['end 4'], 0]);
  expect(log('guard.fault').map(({ pid }) => pid)).toEqual([4]);
  expect(log('guard.serving').map(({ generation, members }) => [generation, members])).toEqual([['newest', 3]]);
  expect(log('checkpoint.thaw').map(({ pid }) => pid)).toEqual([2, 4, 5]);
  expect(log('checkpoint.hazard')).toEqual([]);
});

test('a parent that dies of what a worker left in the scoreboard goes back together with the scoreboard', () => {
  const { answers, server, log } = serve('nnxnnz', { intervalNs: 80e6 });
  // Frozen when the first client had been accepted: what was counted since is forgotten.
  expect([answers, server]).toEqual([['n1', 'n2', 'x', 'n1', 'n2', 'z'], ['end 2']]);
  expect(log('guard.fault').map(({ pid }) => pid)).toEqual([2]);
});

test('a scoreboard that was frozen spoiled is left for the first state, once the parent has faulted often enough', () => {
  const { answers, log } = serve('nnxnnnnnz', { strikes: 2 });
  expect(log('guard.serving').map(({ pid, generation }) => [pid, generation])).toEqual([[2, 'newest'], [2, 'newest'], [2, 'first']]);
  expect(answers.slice(-3)).toEqual(['n3', 'n4', 'z']);
});

test('a trial of the first state ends with the newest again, its workers and scoreboard too, when the input that faults comes once more', () => {
  const { answers, log } = serve('nnewcnnnncwnecwnz', { repeats: 2 });
  expect(answers).toEqual(['n1', 'n2', 'e', 'w 6 5 forked 3', '-', 'n3', 'n4', 'n5', 'n6', '-', 'w 4 5 forked 2', 'n1', 'e', '-', 'w 6 5 forked 3', 'n7', 'z']);
  expect(log('guard.serving').map(({ generation }) => generation)).toEqual(['newest', 'first', 'newest']);
  expect(log('guard.trial').map(({ verdict }) => verdict)).toEqual(['open', 'input']);
});

test('a semaphore that the faulting worker held, and another waited for, is free again', () => {
  const { answers, server, log } = serve('n&dnnnz');
  // The client of the waiting worker was accepted since the freeze: it loses its connection as well.
  expect(answers.filter((line) => line !== '-')).toEqual(['n1', 'n2', 'n3', 'z']);
  expect([answers.length, server]).toEqual([6, ['end 3']]);
  expect(log('guard.serving')).toHaveLength(1);
});

test('what a request took out of a pipe between the members is in it again', () => {
  expect(serve('qtqqz').answers).toEqual(['qa', '-', 'qb', 'qc', 'z']);
});

test('so is what it took out of a socket pair', () => {
  expect(serve('uvuuz').answers).toEqual(['ug', '-', 'uh', 'ui', 'z']);
});

test('a saved machine goes on the same: its groups, their states and what lies in their pipes are in the file', () => {
  const program = guestBinary('prefork');
  const run = (saved: boolean): string[] => {
    const machine = new TestMachine({ files: { '/bin/prefork': program, '/bin/client': program } });
    installCheckpoints(machine.kernel, { store: Store.share, guard: { ...defaultGuard, daemons: ['prefork'], intervalNs: 10e9 } });
    machine.spawn('/bin/prefork', ['prefork', '2']);
    machine.spawn('/bin/client', ['client', '-', 'eqwcwqnz']);
    machine.kernel.run(0.175 * machine.kernel.clock.hz);
    const kernel = saved ? (loadGraph(saveGraph(machine.kernel)) as Kernel) : machine.kernel;
    kernel.run(0.6 * kernel.clock.hz);
    return kernel.log.since().map((entry) => JSON.stringify(entry));
  };
  const whole = run(false);
  expect(run(true)).toEqual(whole);
  expect(whole.filter((line) => /guard.revive|"w 4 5 forked 2"/.test(line))).toHaveLength(2);
});

test('a System V segment goes back with the group: pages first touched since read as zero', () => {
  const { answers } = serve('sscsz', { intervalNs: 10e9 });
  expect(answers).toEqual(['s1', 's2', '-', 's1', 'z']);
});

test('workers that have ended since come back under their numbers and serve; those forked in their place are gone', () => {
  const { answers, log, machine } = serve('weewcwnnz', { intervalNs: 10e9 });
  expect(answers).toEqual(['w 4 5 forked 2', 'e', 'e', expect.stringMatching(/^w \d+ \d+ forked 4$/), '-', 'w 4 5 forked 2', 'n1', 'n2', 'z']);
  expect(log('guard.revive').map(({ pid }) => pid)).toEqual([4, 5]);
  expect([...machine.kernel.processes.values()].filter(({ state, comm }) => state === 'alive' && comm === 'prefork')).toEqual([]);
});

test('a worker that has ended and was not needed again costs nothing once the states have moved on', () => {
  const { machine, log } = serve('enennz');
  expect(log('guard.fault')).toEqual([]);
  expect(machine.kernel.ram.free()).toBeGreaterThan(0);
  const freezes = log('checkpoint.freeze').map(({ pid, descriptor }) => `${String(pid)}.${String(descriptor)}`);
  expect(log('checkpoint.drop').map(({ pid, descriptor }) => `${String(pid)}.${String(descriptor)}`).sort()).toEqual(freezes.sort());
});

test('memory that the members share is in one image of a moment only', () => {
  const { machine } = serve('nsn');
  const images = [...machine.kernel.processes.values()].map((process) => checkpointsOf(process).find(0));
  const frames = images.map((checkpoint) => (failed(checkpoint) ? [] : checkpoint.own.sharedFrames));
  // The scoreboard's page and the segment's.
  expect(frames.map(({ length }) => length)).toEqual([2, 0, 0]);
});

test('the watchdog of a worker takes the group back', () => {
  const { answers, log } = serve('nhnnz');
  expect(answers).toEqual(['n1', '-', 'n2', 'n3', 'z']);
  expect(log('guard.hang').map(({ pid }) => pid)).toEqual([4]);
});

test('a worker that no state heals is let die, as one that faults without the guard; the parent forks another', () => {
  const { answers, log } = serve('cccccccnz', { strikes: 2 });
  expect(log('guard.serving').map(({ generation }) => generation)).toEqual(['newest', 'newest', 'first', 'first', 'first', 'first']);
  expect(log('guard.gave-up').map(({ pid }) => pid)).toEqual([4]);
  expect(log('process.exit').map(({ pid, signo }) => [pid, signo])).toContainEqual([4, 11]);
  expect(answers.at(-1)).toBe('z');
});

test('without the guard the poisoned request spoils the count of all', () => {
  const { answers } = serve('ncnz', {}, { daemons: [] });
  expect(answers).toEqual(['n1', '-', 'n1001', 'z']);
});

test('a child forked for one client is no worker, though it has the listener: it dies alone, and nothing goes back', () => {
  const { answers, server, log } = serve('ncnz', {}, { workers: 0 });
  expect(answers).toEqual(['n1', '-', 'n1001', 'z']);
  expect(server).toEqual(['child: signal 11', 'end 1001']);
  expect([log('guard.join'), log('guard.serving'), log('checkpoint.thaw')]).toEqual([[], [], []]);
  expect(log('checkpoint.freeze').every(({ pid }) => pid === 2)).toBe(true);
});

test('members that fault and end at random leave a pool that serves, and nothing behind when it stops', () => {
  expect([3, 5].map((seed) => torment(seed).problems)).toEqual([[], []]);
});

test('when the image of one member cannot be read nothing goes back: the faulting worker dies, and the others go on as they are', () => {
  const { answers, log } = serve('ncnz', { intervalNs: 10e9 }, { store: Store.vnode, spoil: 5 });
  expect(answers).toEqual(['n1', '-', 'n1001', 'z']);
  expect([log('guard.gave-up').map(({ pid }) => pid), log('guard.serving'), log('checkpoint.thaw')]).toEqual([[4], [], []]);
  expect(log('checkpoint.fail').map(({ pid, op }) => [pid, op])).toEqual([[5, 'thaw']]);
});
