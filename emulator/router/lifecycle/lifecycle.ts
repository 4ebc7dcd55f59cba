import { createActor, type Actor, type Snapshot } from 'xstate';
import { textOf, snapshotClass, type Clock, type EventLog, type EventQueue, type EventTarget, type LogEntry, type LogListener } from '../../base/index.js';
import { daemonMachine, type DaemonEvent } from './daemon-machine.js';
import { routerMachine } from './router-machine.js';

/** A daemon that says nothing and takes no fault this long after its start or its thaw is taken to serve. */
const SETTLE_NS = 200_000_000;

/** Signals a program raises by its own fault (MIPS numbers): ILL 4, TRAP 5, ABRT 6, FPE 8, BUS 10, SEGV 11, SYS 12. */
export const FAULT_SIGNALS: ReadonlySet<number> = new Set([4, 5, 6, 8, 10, 11, 12]);

/** Lives that are no reason to call the router degraded. */
const UP: ReadonlySet<string> = new Set(['serving', 'ended']);

type DaemonActor = Actor<typeof daemonMachine>;
type RouterActor = Actor<typeof routerMachine>;

interface Saved {
  clock: Clock;
  events: EventQueue;
  log: EventLog;
  initStarted: boolean;
  names: Map<number, string>;
  settling: Map<string, number>;
  router: unknown;
  daemons: [string, unknown][];
}

export interface DaemonStatus {
  name: string;
  pid: number;
  life: string;
  /** The checkpoint state it serves in, 0 = program start. */
  state: number;
  starts: number;
  faults: number;
  thaws: number;
}

/**
 * Follows the event log and keeps the lives of the router and of its daemons. The XState snapshots are the state that is
 * saved; the actors are only their moving parts, made anew after a load. Every change of a life is an entry of the
 * event log: router.state, daemon.state.
 */
export class Lifecycle implements EventTarget, LogListener {
  private clock: Clock;
  private events: EventQueue;
  private log: EventLog;
  private initStarted = false;
  /** Which daemon a process is. */
  private names = new Map<number, string>();
  /** Number of the latest settling period of each daemon; the deadline of an older one means nothing. */
  private settling = new Map<string, number>();
  private router!: RouterActor;
  private daemons = new Map<string, DaemonActor>();
  private loaded: Saved | null = null;

  constructor(clock: Clock, events: EventQueue, log: EventLog) {
    this.clock = clock;
    this.events = events;
    this.log = log;
    this.router = this.startRouter();
    log.listeners.push(this);
  }

  saveState(): Saved {
    const { clock, events, log, initStarted, names, settling } = this;
    const daemons = [...this.daemons].map(([name, actor]): [string, unknown] => [name, actor.getPersistedSnapshot()]);
    return { clock, events, log, initStarted, names, settling, router: this.router.getPersistedSnapshot(), daemons };
  }

  loadState(saved: Saved): void {
    this.clock = saved.clock;
    this.events = saved.events;
    this.log = saved.log;
    this.initStarted = saved.initStarted;
    this.names = saved.names;
    this.settling = saved.settling;
    this.daemons = new Map();
    this.loaded = saved;
  }

  afterLoad(): void {
    const saved = this.loaded;
    if (!saved) return;
    this.loaded = null;
    this.router = this.startRouter(saved.router as Snapshot<unknown>);
    for (const [name, snapshot] of saved.daemons) this.daemons.set(name, this.startDaemon(name, snapshot as Snapshot<unknown>));
  }

  /** Actors that have not moved since are kept: making them costs more than all the rest of a rewind. */
  rewind(saved: Saved): void {
    const same = (actor: RouterActor | DaemonActor | undefined, snapshot: unknown): boolean => JSON.stringify(actor?.getPersistedSnapshot()) === JSON.stringify(snapshot);
    const kept = this.daemons.size === saved.daemons.length && same(this.router, saved.router) && saved.daemons.every(([name, snapshot]) => same(this.daemons.get(name), snapshot));
    const { daemons } = this;
    this.loadState(saved);
    if (!kept) return;
    this.daemons = daemons;
    this.loaded = null;
  }

  /** The router's own steps at boot; what daemons do comes from the log. */
  step(type: 'POWER_ON' | 'UNPACKED' | 'INIT_STARTED' | 'HALT'): void {
    if (type === 'INIT_STARTED') this.initStarted = true;
    this.sendRouter({ type });
  }

  get state(): string {
    return String(this.router.getSnapshot().value);
  }

  daemonStatus(): DaemonStatus[] {
    return [...this.daemons].map(([name, actor]) => {
      const { value, context } = actor.getSnapshot();
      return { name, pid: context.pid, life: String(value), state: context.state, starts: context.starts, faults: context.faults, thaws: context.thaws };
    });
  }

  onEvent(kind: string, argument: unknown): void {
    const { name, number } = argument as { name: string; number: number };
    if (kind === 'settled' && this.settling.get(name) === number) this.send(name, { type: 'SETTLED' });
  }

  onEntry(entry: LogEntry): void {
    switch (entry.what) {
      case 'console.line': return this.onLine(textOf(entry.text));
      case 'signal.deliver': return this.onFault(entry);
      case 'process.fatal': return this.onFault(entry);
      case 'guard.fault': return this.onFault(entry);
      case 'guard.hang': return this.onProcess(entry, { type: 'FAULT', signal: 0 });
      case 'guard.serving': return this.onProcess(entry, { type: 'SERVING' });
      case 'process.exit': return this.onExit(Number(entry.pid), entry.status === 0);
      case 'checkpoint.freeze': return this.onProcess(entry, { type: 'FROZEN', state: Number(entry.descriptor) });
      case 'checkpoint.thaw': return this.onThaw(entry);
    }
  }

  private onFault(entry: LogEntry): void {
    const signal = Number(entry.signo);
    if (FAULT_SIGNALS.has(signal)) this.onProcess(entry, { type: 'FAULT', signal });
  }

  /** A thaw without a fault before it is the watchdog's: its alarm is a fault only because the daemon answered it so. */
  private onThaw(entry: LogEntry): void {
    const name = this.names.get(Number(entry.pid));
    if (name !== undefined && this.life(name) !== 'faulted') this.send(name, { type: 'FAULT', signal: Number(entry.signo) });
    this.onProcess(entry, { type: 'THAWED', state: Number(entry.to) });
  }

  private life(name: string): string {
    return String(this.daemons.get(name)?.getSnapshot().value);
  }

  private onExit(pid: number, inOrder: boolean): void {
    const name = this.names.get(pid);
    if (name === undefined) return;
    this.names.delete(pid);
    this.send(name, { type: inOrder ? 'ENDED' : 'DIED' });
  }

  private onProcess(entry: LogEntry, event: DaemonEvent): void {
    const name = this.names.get(Number(entry.pid));
    if (name !== undefined) this.send(name, event);
  }

  /** What init and the daemons say on the console, in the forms router-firmware/README.md promises. */
  private onLine(text: string): void {
    const [program, rest] = split(text);
    if (program === 'init') return this.onInit(rest);
    if (!this.daemons.has(program)) return this.onUnsigned();
    if (rest.startsWith('serving') || rest.startsWith('recovered')) this.send(program, { type: 'SERVING' });
  }

  /** A line that no daemon signed: the paper's samples write such. The one that has just been thawed is running again. */
  private onUnsigned(): void {
    for (const name of this.daemons.keys()) if (this.life(name) === 'thawing') this.send(name, { type: 'SERVING' });
  }

  private onInit(text: string): void {
    const started = /^started (\S+) pid (\d+)$/.exec(text);
    if (started) return this.onStarted(started[1], Number(started[2]));
    const held = /^(\S+) restarts in /.exec(text);
    if (held) return this.send(held[1], { type: 'HELD' });
    const dead = /^(\S+) stays dead$/.exec(text);
    if (dead) this.send(dead[1], { type: 'GAVE_UP' });
  }

  private onStarted(name: string, pid: number): void {
    this.names.set(pid, name);
    if (!this.daemons.has(name)) this.daemons.set(name, this.startDaemon(name));
    this.send(name, { type: 'STARTED', pid });
  }

  private send(name: string, event: DaemonEvent): void {
    const actor = this.daemons.get(name);
    if (!actor) return;
    const before = String(actor.getSnapshot().value);
    actor.send(event);
    const after = actor.getSnapshot();
    if (String(after.value) === before && event.type !== 'STARTED') return;
    this.log.add('daemon.state', { name, pid: after.context.pid, from: before, to: String(after.value), state: after.context.state, event: event.type });
    this.sendRouter({ type: 'DAEMONS_CHANGED' });
  }

  private sendRouter(event: Parameters<RouterActor['send']>[0]): void {
    const before = this.state;
    this.router.send(event);
    if (this.state !== before) this.log.add('router.state', { from: before, to: this.state });
  }

  private allServing(): boolean {
    return this.initStarted && this.daemons.size > 0 && [...this.daemons.values()].every((actor) => UP.has(String(actor.getSnapshot().value)));
  }

  private armSettle(name: string): void {
    const number = (this.settling.get(name) ?? 0) + 1;
    this.settling.set(name, number);
    this.events.at(this.clock.cycles + this.clock.toCycles(SETTLE_NS), this, 'settled', { name, number });
  }

  private startRouter(snapshot?: Snapshot<unknown>): RouterActor {
    const machine = routerMachine.provide({ guards: { allServing: () => this.allServing(), someDown: () => !this.allServing() } });
    return createActor(machine, { snapshot }).start();
  }

  private startDaemon(name: string, snapshot?: Snapshot<unknown>): DaemonActor {
    const machine = daemonMachine.provide({ actions: { armSettle: () => this.armSettle(name) } });
    return createActor(machine, { input: { name }, snapshot }).start();
  }
}
snapshotClass('Lifecycle', Lifecycle);

function split(text: string): [string, string] {
  const colon = text.indexOf(': ');
  return colon < 0 ? ['', text] : [text.slice(0, colon), text.slice(colon + 2)];
}
