import { failed, loadGraph, saveGraph, Savepoint } from '../../emulator/base/index.js';
import { checkpointsOf, dropCheckpoint, freezeProcess, installCheckpoints, Policy, Store, thawProcess } from '../../emulator/checkpoint/index.js';
import { Signal, type GuardOptions, type Process, type Thread } from '../../emulator/kernel/index.js';
import { Tracer } from '../../emulator/kernel/strace.js';
import { TcpSocket } from '../../emulator/kernel/tcp-socket.js';
import { guestBinary, TestMachine } from '../support/machine.js';
import { census, difference } from './census.js';
import type { Way } from './completeness.js';
import { Scene, type Caller, type Outcome, type Request } from './streams.js';

/** How the guest program works: a server in one of these manners, or a client. */
export type Role = 'blocking' | 'threads' | 'level' | 'edge' | 'client';
export const roles: readonly Role[] = ['blocking', 'threads', 'level', 'edge', 'client'];

/** What happens between freeze and thaw: so many points, or that. */
export type Meanwhile = number | 'later' | 'all';
export const meanwhiles: readonly Meanwhile[] = [0, 1, 2, 3, 5, 8, 13, 21, 'later', 'all'];

/** The connections of a scripted life, with when they begin (ms). */
const script: [number, Request][] = [
  [0, { kind: 'd', id: 1, length: 2500 }],
  [1, { kind: 'u', id: 2, length: 2100 }],
  [4, { kind: 'k', id: 3, length: 900 }],
  [6, { kind: 'h', id: 4, length: 1200 }],
  [7, { kind: 'd', id: 5, length: 0, manner: 'silent' }],
  [9, { kind: 'd', id: 6, length: 6000, manner: 'midway' }],
  [12, { kind: 'd', id: 7, length: 100, manner: 'aborts' }],
  [14, { kind: 'd', id: 8, length: 9000, manner: 'slow' }],
];

const costs = { syscall: 500, 'packet.rx': 4000, 'packet.tx': 3000, 'copy.bytes': 0.5, 'checkpoint.page': 50 };

export interface Life {
  role: Role;
  scene: Scene;
  process: Process;
  stdout: string;
}

/** A machine in which the guest program begins its scripted life. */
export function beginLife(role: Role, ramdisk?: Way['ramdisk'], guard: GuardOptions | null = null): Life {
  const machine = new TestMachine({ ram: 16 << 20, costs, ramdisk });
  installCheckpoints(machine.kernel, { poolFrames: 256, store: Store.share, guard });
  machine.writeFile('/bin/connections', guestBinary('connections'), 0o755);
  const scene = new Scene(machine.kernel, 1, 0.04);
  const process = machine.spawn('/bin/connections', ['connections', role, Scene.clientAddress]);
  if (role !== 'client') for (const [ms, request] of script) scene.call(request, (5 + ms) * 1e6);
  const life = { role, scene, process, stdout: '' };
  listen(life);
  return life;
}

/** What the program says is no machine state: a load and a rewind forget who hears it. */
function listen(life: Life): void {
  life.scene.kernel.console.sink = (bytes) => { life.stdout += Buffer.from(bytes).toString('latin1'); };
}

/** Ends a run after every call that was entered, put to sleep, ended or interrupted. No machine state. */
class Boundaries extends Tracer {
  private readonly stop: () => void;

  constructor(stop: () => void) {
    super(() => {});
    this.stop = stop;
  }

  override enter(): void { this.stop(); }
  override begin(): void { this.stop(); }
  override result(): void { this.stop(); }
  override interrupted(_thread: Thread): void { this.stop(); }
}

/** On to the next system-call boundary or event; false when the life is over: all were answered, or the program ended. */
export function nextPoint({ role, scene, process }: Life): boolean {
  const { kernel } = scene;
  kernel.tracer = new Boundaries(() => kernel.stop());
  const { reason } = kernel.run(Math.max(kernel.clock.cycles + 1, kernel.events.nextTime()));
  kernel.tracer = null;
  return reason !== 'idle' && (role === 'client' ? process.state === 'alive' : !scene.over);
}

/** Where the server's end of a connection is. */
type Place = { where: 'nowhere' | 'backlog' } | { where: 'held'; moved: number };

const NOWHERE: Place = { where: 'nowhere' };

function socketsOf(process: Process): [number, TcpSocket][] {
  return process.fds.list().flatMap((fd) => {
    const file = process.fds.get(fd);
    return file instanceof TcpSocket ? [[fd, file] as [number, TcpSocket]] : [];
  });
}

function placeOf(process: Process, caller: Caller): Place {
  const { localPort } = caller.connection;
  for (const [, socket] of socketsOf(process)) {
    const { connection } = socket;
    if (localPort !== 0 && connection.remotePort === localPort) return { where: 'held', moved: socket.moved };
    if (connection.listener?.queue.some((one) => one.remotePort === localPort)) return { where: 'backlog' };
  }
  return { where: 'nowhere' };
}

export interface Trial {
  way: Way;
  /** CHKPT_FD_RESET for every connection, as the router sets it for programs that know nothing of checkpoints; else all are kept. */
  reset: boolean;
  meanwhile: Meanwhile;
  /** The machine is saved and loaded before the freeze, and before the thaw. */
  reloads?: boolean;
}

const complete: readonly Outcome[] = ['complete'];
const broken: readonly Outcome[] = ['complete', 'reset'];
const anyEnd: readonly Outcome[] = [...broken, 'ended'];

/**
 * What a caller may see of its connection, by the rules of sys_checkpoint(2): one that the server held then and now is reset if bytes
 * moved and that was asked for; one it took since is closed, or reset; what it did not touch goes on to its end.
 */
function allowed({ reset }: Trial, then: Place, now: Place): readonly Outcome[] {
  if (now.where !== 'held') return complete;
  if (then.where !== 'held') return reset && now.moved > 0 ? broken : anyEnd;
  if (now.moved === then.moved) return complete;
  return reset ? broken : anyEnd;
}

const plain = ({ meddled, request }: Caller): boolean => !meddled && (request.manner === undefined || request.manner === 'slow');

/** The same life in a machine that was saved and loaded. */
export function reload(life: Life): Life {
  const scene = loadGraph(saveGraph(life.scene)) as Scene;
  const process = scene.kernel.processes.get(life.process.pid);
  if (!process) throw new Error('the program is gone');
  const copy = { ...life, scene, process };
  listen(copy);
  return copy;
}

/** Freeze here, let that happen, thaw, and live on to the end. What broke a rule, or null, and the machine it ended with. */
export function tryHere(life: Life, trial: Trial): { failure: string | null; life: Life } {
  const first = trial.reloads ? reload(life) : life;
  const descriptor = freezeProcess(first.scene.kernel, first.process, { store: trial.way.store, write: trial.way.write });
  if (failed(descriptor)) return { failure: `freeze fails with ${-descriptor}`, life: first };
  const then = look(first);
  pass(first, trial.meanwhile);
  // The client may have come to its end meanwhile, with all its checkpoints.
  if (first.process.state !== 'alive') return { failure: life.role === 'client' ? null : 'the program has ended', life: first };
  const second = trial.reloads ? reload(first) : first;
  const now = look(second);
  const failure = thawHere(second, trial, descriptor) ?? (life.role === 'client' ? endOfClient(second, trial) : endOfServer(second, trial, then, now));
  return { failure, life: second };
}

/** What the server had of each connection. */
interface Look {
  listens: boolean;
  places: Place[];
}

function look({ scene, process }: Life): Look {
  const listens = socketsOf(process).some(([, socket]) => socket.connection.state === 'LISTEN');
  return { listens, places: scene.callers.map((caller) => placeOf(process, caller)) };
}

function thawHere({ scene, process }: Life, trial: Trial, descriptor: number): string | null {
  if (trial.reset) for (const [fd, socket] of socketsOf(process)) checkpointsOf(process).setPolicy(fd, socket, Policy.reset);
  const result = thawProcess(scene.kernel, process, descriptor);
  dropCheckpoint(scene.kernel, process, descriptor);
  return failed(result) ? `thaw fails with ${-result}` : null;
}

/** All callers come to the end that the rules give them, and three that come late are served. */
function endOfServer(life: Life, trial: Trial, then: Look, now: Look): string | null {
  const { scene } = life;
  const known = scene.callers.length;
  // Frozen before it listened, the server needs a moment to do so again; what came to its listener meanwhile went with that.
  const pause = then.listens ? 0 : 5;
  for (const i of [0, 1, 2]) scene.call({ kind: 'duh'[i], id: 20 + i, length: 700 + 500 * i }, (pause + i) * 1e6);
  scene.runUntil(() => scene.over, 400);
  for (const [i, caller] of scene.callers.entries()) {
    const [before, after] = [then.places[i] ?? NOWHERE, now.places[i] ?? NOWHERE];
    const may = i >= known ? complete : then.listens ? allowed(trial, before, after) : anyEnd;
    const rolledBack = i < known && before.where === 'held' && after.where === 'held';
    const where = `${caller.text} (${before.where}, then ${after.where})`;
    if (caller.wrong >= 0 && !(rolledBack && !trial.reset) && !caller.meddled) return `wrong bytes: ${where}`;
    if (plain(caller) && !may.includes(caller.outcome)) return `${where}; may be ${may.join()}`;
  }
  return leftovers(life, trial.way);
}

/** Time goes by between freeze and thaw: the peers do what they like, others come. */
function pass(life: Life, meanwhile: Meanwhile): void {
  const { scene, process } = life;
  if (typeof meanwhile === 'number') {
    for (let i = 0; i < meanwhile && nextPoint(life); i++);
    return;
  }
  if (meanwhile === 'later') {
    scene.run(3e6);
    scene.callers.forEach((caller, i) => { if (i % 2 === 0) caller.meddle((i >> 1) % 3); });
    scene.call({ kind: 'd', id: 10, length: 3000 }, 0);
    scene.call({ kind: 'k', id: 11, length: 500 }, 2e6);
    return scene.run(9e6);
  }
  scene.call({ kind: 'd', id: 12, length: 2000 }, 1e6);
  scene.runUntil(() => scene.over && (process.state !== 'alive' || scene.callers.length > 1), 100);
}

function endOfClient(life: Life, trial: Trial): string | null {
  const { scene, process } = life;
  scene.runUntil(() => process.state !== 'alive', 300);
  if (process.state === 'alive' || process.exitStatus !== 0) return `the client goes on for ever, or ends with ${process.exitStatus}`;
  // It may have said so before the thaw as well.
  const torn = /^(?:0 torn\n)?(\d+) torn\n$/.exec(life.stdout);
  if (!torn || (trial.reset && torn[1] !== '0')) return `the client says ${life.stdout}`;
  const wrong = scene.givers.all.find((giver) => giver.wrong >= 0);
  if (wrong && trial.reset) return `wrong bytes in what the client sent, at ${wrong.wrong}`;
  return leftovers(life, trial.way);
}

/** The program is ended, and time goes by: nothing of it may be left that an undisturbed life does not leave. */
function leftovers(life: Life, way: Way): string | null {
  if (life.process.state !== 'alive' && life.role !== 'client') return 'the program has ended';
  const changes = difference(undisturbed(life.role, way), remains(life));
  return changes && `left behind: ${changes}`;
}

/** Ten minutes outlive TIME-WAIT, orphans and the patience of all callers. */
const LONG_NS = 600e9;

function remains({ scene, process }: Life): Map<string, number> {
  const { kernel } = scene;
  if (process.state === 'alive') kernel.signal(process, Signal.KILL);
  // A reset that was lost leaves a peer that waits for ever.
  for (const { connection } of scene.givers.all.splice(0)) connection.abort();
  scene.run(LONG_NS);
  return census(kernel);
}

const remainsOf = new Map<string, Map<string, number>>();

function undisturbed(role: Role, way: Way): Map<string, number> {
  const key = `${role} ${way.ramdisk ?? ''}`;
  let known = remainsOf.get(key);
  if (!known) {
    const life = beginLife(role, way.ramdisk);
    const { kernel } = life.scene;
    dropCheckpoint(kernel, life.process, freezeProcess(kernel, life.process, { store: Store.share }));
    while (nextPoint(life));
    remainsOf.set(key, known = remains(life));
  }
  return known;
}

/** Trials that between them take every store, both policies and all that may happen meanwhile; `count` of them for each point. */
export function inTurn(ways: readonly Way[], count: number): (point: number) => Trial[] {
  return (point) => Array.from({ length: count }, (_, i) => {
    const turn = point * count + i;
    return { way: ways[turn % ways.length], reset: turn % 2 === 0, meanwhile: meanwhiles[(turn * 3) % meanwhiles.length] };
  });
}

/**
 * A server is frozen once, and thawed `times` times under a load that never ends: the callers of each round that the thaw broke off are
 * told so, the others are answered.
 */
export function thawAgain(role: Role, way: Way, times: number): string | null {
  const life = beginLife(role, way.ramdisk);
  const { scene, process } = life;
  const { kernel } = scene;
  scene.run(30e6);
  let descriptor = freezeProcess(kernel, process, { store: way.store, write: way.write });
  const free: number[] = [];
  for (let round = 0; round < times; round++) {
    for (let i = 0; i < 4; i++) scene.call({ kind: 'dukh'[i], id: 10 + i, length: 500 + 400 * i }, i * 2e6);
    scene.run(9e6 + round * 0.7e6);
    // Every third time it has frozen itself anew, with whatever it had then.
    if (round % 3 === 2) descriptor = freezeProcess(kernel, process, { store: way.store, write: way.write, into: descriptor });
    scene.run(2e6);
    for (const [fd, socket] of socketsOf(process)) checkpointsOf(process).setPolicy(fd, socket, Policy.reset);
    const result = failed(descriptor) ? descriptor : thawProcess(kernel, process, descriptor);
    if (failed(result)) return `round ${round} fails with ${-result}`;
    free.push(kernel.ram.free());
  }
  const late = scene.call({ kind: 'd', id: 30, length: 2000 }, 0);
  scene.runUntil(() => scene.over, 400);
  const bad = scene.callers.find((caller) => caller.wrong >= 0 || !(caller === late ? complete : anyEnd).includes(caller.outcome) && plain(caller));
  if (bad) return bad.text;
  if (Math.min(...free) < free[0] - LEEWAY) return `frames left after each thaw: ${free.join()}`;
  dropCheckpoint(kernel, process, 0);
  return leftovers(life, way);
}

/** Frames that connections of the moment may take. */
const LEEWAY = 40;

export interface Tally {
  points: number;
  failures: string[];
}

/** Freeze at every point of a life, or every `step`th, in the ways `choose` gives for it. */
export function everyPoint(role: Role, choose: (point: number) => Trial[], { step = 1, ramdisk }: { step?: number; ramdisk?: Way['ramdisk'] } = {}): Tally {
  const life = beginLife(role, ramdisk);
  const tally: Tally = { points: 0, failures: [] };
  for (let point = 0; nextPoint(life); point++) {
    if (point % step !== 0) continue;
    tally.points++;
    const here = new Savepoint(life.scene);
    const { stdout } = life;
    for (const trial of choose(point)) {
      const { failure } = tryHere(life, trial);
      if (failure) tally.failures.push(`${role} at point ${point}, ${trial.way.name}, ${trial.meanwhile}, ${trial.reset ? 'reset' : 'keep'}: ${failure}`);
      here.restore();
      listen(Object.assign(life, { stdout }));
    }
  }
  return tally;
}
