import { cpSync, writeFileSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { textOf } from '../emulator/base/index.js';
import { diagramsFromLog, machineConfig, mermaid } from '../emulator/checkpoint/index.js';
import { capturesToPcapng } from '../emulator/net/index.js';
import type { RouterReport } from '../emulator/router/router.js';
import { armNames, type ArmName } from './arms.js';
import { withHostTimes } from './host-timing.js';
import { checkAssertions, checkConsoles, compareOrder, type AssertionResult, type ExpectationResult, type MetricsByArm } from './judgement.js';
import { computeMetrics, percentile } from './metrics.js';
import type { Metrics } from './metric-names.js';
import { makeFolder } from './output-folder.js';
import type { Scenario } from './scenario.js';
import { Simulation, type SimulationOptions } from './simulation.js';
import { makeTimeline, type Timeline } from './timeline.js';
import { Culprits } from './verdict/culprit.js';
import type { Fault } from './verdict/fault.js';
import { FaultRecorder } from './verdict/fault-recorder.js';
import { verdictOf, type Verdict } from './verdict/outcome.js';
import { unstrippedPrograms, type Unstripped } from './verdict/unstripped.js';

export interface ReplayOptions extends Omit<SimulationOptions, 'image'> {
  image: Uint8Array;
  arms?: readonly ArmName[];
  /** Folders for captures, cores and state diagrams. */
  pcap?: string;
  core?: string;
  states?: string;
  onProgress?: (arm: ArmName, done: number) => void;
}

export interface ArmResult {
  arm: ArmName;
  metrics: Metrics;
  timeline: Timeline;
  router: RouterReport;
  virtualSeconds: number;
  wallSeconds: number;
  /** Host time of a freeze and of a thaw, median, in milliseconds; null without any. Differs from run to run. */
  hostFreezeMs: number | null;
  hostThawMs: number | null;
  verdict: Verdict;
  firstFault: Fault | null;
  /** The first ones; the metrics count them all. */
  faults: Fault[];
  /** Of a capture's datagrams; undefined for a scenario. */
  answers?: { sent: number; answered: number };
  /** `program`: the unstripped program, copied beside the core. */
  files: { pcap?: string; core?: string; program?: string; states?: string[] };
  /** Kinds of log entries of which the event log holds not all: what is counted from them is too low. */
  logFull: string[];
  /** What the router and its programs wrote on the console. */
  console: string;
}

export interface ReplayResult {
  scenario: string;
  title: string;
  summary: string;
  seed: number;
  profile: string;
  /** Absent: tmpfs. */
  ramdisk?: string;
  /** Debian's packages its programs are in, and the root filesystem they were taken from; absent for the firmware's own. */
  packages?: string[];
  rootfs?: string;
  /** Images carried a checksum. */
  checksum: boolean;
  arms: ArmResult[];
  assertions: AssertionResult[];
  expectations: ExpectationResult[];
  passed: boolean;
  wallSeconds: number;
}

/** Progress is reported this often during a run. */
const PROGRESS_STEPS = 40;

/** Replays a scenario under each of its arms and judges the outcome. */
export function replay(scenario: Scenario, options: ReplayOptions): ReplayResult {
  const begin = performance.now();
  const wanted = armNames.filter((arm) => scenario.arms.includes(arm) && (options.arms?.includes(arm) ?? true));
  const arms = wanted.map((arm) => replayArm(scenario, arm, options));
  const byArm: MetricsByArm = Object.fromEntries(arms.map((one) => [one.arm, one.metrics]));
  const consoles = Object.fromEntries(arms.map((one) => [one.arm, one.console]));
  const assertions = [...checkAssertions(scenario.assertions, byArm), ...checkConsoles(scenario.assertions, consoles)];
  return {
    scenario: scenario.name, title: scenario.title, summary: scenario.summary, seed: options.seed ?? scenario.seed, profile: scenario.profile, ramdisk: scenario.ramdisk, checksum: scenario.checksum,
    ...(scenario.rootfs === undefined ? {} : { packages: scenario.packages, rootfs: scenario.rootfs }),
    arms, assertions,
    expectations: scenario.expectation.map((expectation) => compareOrder(expectation, byArm)),
    passed: assertions.every((one) => one.held),
    wallSeconds: (performance.now() - begin) / 1000,
  };
}

export function replayArm(scenario: Scenario, arm: ArmName, options: ReplayOptions): ArmResult {
  const begin = performance.now();
  const programs = unstrippedPrograms(scenario);
  const recorder = new FaultRecorder(new Map(programs.map(({ comm, symbols }) => [comm, symbols])));
  const { result: simulation, times } = withHostTimes(() => recorder.during(() => runArm(scenario, arm, options)));
  recorder.finish(simulation.router.kernel);
  const run = simulation.record();
  const metrics = computeMetrics(run);
  const faults = causes(simulation, recorder);
  const router = simulation.router.report();
  const { clock } = simulation.router.kernel;
  const median = (values: number[]): number | null => (values.length === 0 ? null : percentile(values, 0.5));
  return {
    arm,
    metrics,
    timeline: makeTimeline(run),
    router,
    virtualSeconds: clock.cycles / clock.hz,
    wallSeconds: (performance.now() - begin) / 1000,
    hostFreezeMs: median(times.freeze),
    hostThawMs: median(times.thaw),
    verdict: verdictOf(run, metrics, faults, router.daemons.filter(({ name }) => run.daemons.includes(name)).map(({ life }) => life), simulation.injector?.silent),
    firstFault: faults[0] ?? null,
    faults,
    answers: simulation.injector?.answers,
    logFull: run.entries.filter((entry) => entry.what === 'log.full').map((entry) => textOf(entry.kind)),
    files: writeFiles(simulation, scenario, arm, recorder, programs, options),
    console: simulation.router.consoleText(),
  };
}

/** One run to its end, for whoever reads its record. */
export function runArm(scenario: Scenario, arm: ArmName, options: ReplayOptions): Simulation {
  options.onProgress?.(arm, 0);
  const simulation = Simulation.create(scenario, arm, options);
  const step = (simulation.end - simulation.start) / PROGRESS_STEPS;
  for (let i = 1; simulation.run(simulation.start + Math.ceil(i * step)); i++) options.onProgress?.(arm, simulation.progress);
  options.onProgress?.(arm, 1);
  return simulation;
}

/** The faults with their causes, in order. */
function causes(simulation: Simulation, recorder: FaultRecorder): Fault[] {
  const { clock } = simulation.router.kernel;
  const culprits = new Culprits(clock, simulation.topology.captures, simulation.attackSources);
  const nameOf = new Map(simulation.daemons.map((name) => [name.slice(0, 15), name]));
  return recorder.faults.map(({ daemon, pid, signal, address, t, pc, ra, trace, input }) => ({
    daemon: nameOf.get(daemon) ?? daemon, pid, signal, pc: pc.address, address, seconds: t / clock.hz, at: (t - simulation.start) / clock.hz,
    where: pc, returnTo: ra, trace, culprit: input ? culprits.of(input) : null, injected: injectedBefore(simulation, pid, t),
  }));
}

function injectedBefore({ faults }: Simulation, pid: number, t: number): string | null {
  const strike = faults?.strikes.findLast((one) => one.pid === pid && one.t <= t);
  return strike ? `injected fault ${strike.number}: ${strike.words}` : null;
}

function writeFiles(simulation: Simulation, scenario: Scenario, arm: ArmName, recorder: FaultRecorder, programs: readonly Unstripped[], options: ReplayOptions): ArmResult['files'] {
  const files: ArmResult['files'] = {};
  const name = `${scenario.name}.${arm}`;
  if (options.pcap !== undefined) {
    makeFolder(options.pcap);
    files.pcap = join(options.pcap, `${name}.pcapng`);
    annotate(simulation);
    writeFileSync(files.pcap, capturesToPcapng(simulation.topology.captures, simulation.router.kernel.clock, `${scenario.title}; arm: ${arm}; seed ${options.seed ?? scenario.seed}`));
  }
  if (options.core !== undefined && recorder.core) {
    makeFolder(options.core);
    files.core = join(options.core, `${name}.core`);
    writeFileSync(files.core, recorder.core);
    files.program = copyProgram(programs.find(({ comm }) => comm === recorder.faults[0].daemon), options.core);
  }
  if (options.states !== undefined) files.states = writeStates(simulation, join(options.states, name), options.states);
  return files;
}

/** The unstripped program beside its core, where gdb is pointed to, with its own time: gdb warns of a program newer than the core. Undefined when there is none. */
function copyProgram(program: Unstripped | undefined, folder: string): string | undefined {
  if (!program?.file) return undefined;
  const copy = join(folder, basename(program.file));
  if (resolve(copy) !== resolve(program.file)) cpSync(program.file, copy, { preserveTimestamps: true, dereference: true });
  return copy;
}

/** The states and jumps of every process that froze itself: as JSON, as an XState machine and as Mermaid. */
function writeStates(simulation: Simulation, name: string, folder: string): string[] {
  makeFolder(folder);
  return diagramsFromLog(simulation.router.log.since()).flatMap((diagram) => {
    const base = `${name}.${diagram.comm}.${diagram.pid}`;
    const written = { [`${base}.json`]: JSON.stringify(diagram, null, 2) + '\n', [`${base}.xstate.json`]: JSON.stringify(machineConfig(diagram), null, 2) + '\n', [`${base}.mmd`]: mermaid(diagram) };
    for (const [file, text] of Object.entries(written)) writeFileSync(file, text);
    return Object.keys(written);
  });
}

/** Comments in the capture: which packets are the attack's, and what came of them. */
function annotate(simulation: Simulation): void {
  const { clock } = simulation.router.kernel;
  const entries = simulation.router.log.since();
  for (const capture of simulation.topology.captures) {
    const times = capture.frames.map((frame) => frame.time);
    const before = (cycles: number): number => {
      const ns = clock.toNanoseconds(cycles);
      let index = times.length - 1;
      while (index >= 0 && (times[index] > ns || capture.frames[index].side === 0)) index--;
      return index;
    };
    if (capture.name !== 'lan0') continue;
    let faults = 0;
    for (const entry of entries) {
      if (entry.what !== 'daemon.state' || entry.to !== 'faulted') continue;
      faults++;
      capture.annotate(before(entry.t), `fault #${faults} of ${textOf(entry.name)} after this packet`);
    }
    for (const entry of entries) {
      if (entry.what === 'console.line' && /: dropped /.test(textOf(entry.text))) capture.annotate(before(entry.t), textOf(entry.text));
    }
  }
}
