import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Clock, EventLog, EventQueue, loadGraph, saveGraph, snapshotClass, textOf } from '../../base/index.js';
import { daemonMachine } from './daemon-machine.js';
import { lifecycleDocument, mermaid, type MachineConfig } from './diagram.js';
import { Lifecycle } from './lifecycle.js';
import { routerMachine } from './router-machine.js';

class Bench {
  clock = new Clock(1000);
  events = new EventQueue();
  log = new EventLog(this.clock);
  lives = new Lifecycle(this.clock, this.events, this.log);

  boot(): this {
    for (const step of ['POWER_ON', 'UNPACKED', 'INIT_STARTED'] as const) this.lives.step(step);
    return this;
  }
  say(...lines: string[]): void {
    for (const text of lines) this.log.add('console.line', { text });
  }
  entry(what: string, fields: Record<string, string | number>): void {
    this.log.add(what, fields);
  }
  wait(cycles: number): void {
    this.clock.cycles += cycles;
    for (let due = this.events.popDue(this.clock.cycles); due; due = this.events.popDue(this.clock.cycles)) due.target.onEvent(due.kind, due.argument);
  }
  get daemon(): string {
    return this.lives.daemonStatus()[0].life;
  }
}
snapshotClass('LifecycleBench', Bench);

const booted = (): Bench => {
  const bench = new Bench().boot();
  bench.say('init: up', 'init: started dnsd pid 2', 'dnsd: serving 0.0.0.0:53 mode none store default interval 1');
  return bench;
};

describe('the lives of router and daemons', () => {
  test('a router runs when every daemon that init started serves', () => {
    const bench = new Bench();
    expect(bench.lives.state).toBe('power');
    bench.boot();
    bench.say('init: started dnsd pid 2', 'init: started dhcpd pid 3', 'dnsd: serving');
    expect(bench.lives.state).toBe('daemons');
    bench.say('dhcpd: serving');
    expect(bench.lives.state).toBe('running');
  });

  test('a daemon that says nothing serves after 200 ms of virtual time', () => {
    const bench = new Bench().boot();
    bench.say('init: started paper-corrupt pid 2');
    bench.wait(199);
    expect(bench.daemon).toBe('starting');
    bench.wait(1);
    expect([bench.daemon, bench.lives.state]).toEqual(['serving', 'running']);
  });

  test('a death degrades the router; the supervisor quarantines, restarts, gives up', () => {
    const bench = booted();
    bench.entry('process.fatal', { pid: 2, comm: 'dnsd', signo: 11 });
    bench.entry('process.exit', { pid: 2, comm: 'dnsd', signo: 11 });
    expect([bench.daemon, bench.lives.state]).toEqual(['faulted', 'degraded']);
    bench.say('init: dnsd restarts in 5 s, crash 1 of 5');
    expect(bench.daemon).toBe('quarantined');
    bench.say('init: started dnsd pid 4');
    bench.wait(200);
    expect([bench.daemon, bench.lives.state]).toEqual(['serving', 'running']);
    bench.entry('process.exit', { pid: 4, comm: 'dnsd', signo: 9 });
    bench.say('init: dnsd stays dead');
    expect([bench.daemon, bench.lives.state]).toEqual(['failed', 'degraded']);
  });

  test('a rollback goes faulted, thawing, serving and counts', () => {
    const bench = booted();
    bench.entry('checkpoint.freeze', { pid: 2, comm: 'dnsd', descriptor: 2 });
    bench.entry('signal.deliver', { pid: 2, comm: 'dnsd', signo: 11 });
    expect(bench.daemon).toBe('faulted');
    bench.entry('checkpoint.thaw', { pid: 2, comm: 'dnsd', from: 2, to: 1 });
    expect(bench.daemon).toBe('thawing');
    bench.say('dnsd: recovered state 1 signal 11 jumps 1');
    expect(bench.lives.daemonStatus()[0]).toMatchObject({ life: 'serving', state: 1, faults: 1, thaws: 1, starts: 1 });
  });

  test('an alarm is a fault only when the daemon answers it with a rollback', () => {
    const bench = booted();
    bench.entry('signal.deliver', { pid: 2, comm: 'dnsd', signo: 14 });
    expect(bench.daemon).toBe('serving');
    bench.entry('checkpoint.thaw', { pid: 2, comm: 'dnsd', from: 2, to: 2, signo: 14 });
    expect(bench.lives.daemonStatus()[0]).toMatchObject({ life: 'thawing', faults: 1, thaws: 1 });
  });

  test('a signal that is no fault, and processes that are no daemons, change nothing', () => {
    const bench = booted();
    bench.entry('signal.deliver', { pid: 2, comm: 'dnsd', signo: 18 });
    bench.entry('process.fatal', { pid: 77, comm: 'other', signo: 11 });
    expect([bench.daemon, bench.lives.state]).toEqual(['serving', 'running']);
  });

  test('a program that ends in order is no failure, even when init leaves it', () => {
    const bench = booted();
    bench.entry('process.exit', { pid: 2, comm: 'dnsd', status: 0 });
    bench.say('init: dnsd pid 2 exited status 0', 'init: dnsd stays dead');
    expect([bench.daemon, bench.lives.state]).toEqual(['ended', 'running']);
  });

  test('every change of a life is in the event log', () => {
    const bench = booted();
    bench.entry('process.exit', { pid: 2, comm: 'dnsd', signo: 11 });
    const changes = bench.log.since().filter(({ what }) => what === 'daemon.state' || what === 'router.state').map(({ what, from, to }) => `${what} ${textOf(from)} ${textOf(to)}`);
    expect(changes).toEqual([
      'router.state power loader', 'router.state loader ramdisk', 'router.state ramdisk daemons', 'daemon.state starting starting',
      'daemon.state starting serving', 'router.state daemons running', 'daemon.state serving faulted', 'router.state running degraded',
    ]);
  });

  test('saved in the middle of a settling period, it goes on from there', () => {
    const bench = new Bench().boot();
    bench.say('init: started dnsd pid 2');
    bench.wait(150);
    const loaded = loadGraph(saveGraph(bench)) as Bench;
    for (const one of [bench, loaded]) {
      one.wait(50);
      one.entry('process.exit', { pid: 2, comm: 'dnsd', signo: 11 });
    }
    expect(loaded.log.lines()).toBe(bench.log.lines());
    expect(loaded.daemon).toBe('faulted');
  });
});

describe('the diagrams', () => {
  test('docs/lifecycles.md is what `shuntbox diagrams` prints', () => {
    expect(readFileSync(join(__dirname, '../../../docs/lifecycles.md'), 'utf8')).toBe(lifecycleDocument());
  });

  test('the machines are plain JSON', () => {
    for (const { config } of [daemonMachine, routerMachine]) {
      const states = JSON.stringify(config.states);
      expect(JSON.parse(states)).toEqual(config.states);
    }
  });

  test('every state of a machine is in its diagram', () => {
    for (const { config } of [daemonMachine, routerMachine]) {
      const text = mermaid(config as unknown as MachineConfig);
      for (const state of Object.keys(config.states ?? {})) expect(text).toContain(state);
    }
  });
});
