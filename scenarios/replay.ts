import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { textOf } from '../emulator/base/index.js';
import { diagramsFromLog, machineConfig, mermaid } from '../emulator/checkpoint/index.js';
import { capturesToPcapng } from '../emulator/net/index.js';
import type { RouterReport } from '../emulator/router/router.js';
import { armNames, type ArmName } from './arms.js';
import { CoreCollector } from './core-collector.js';
import { withHostTimes } from './host-timing.js';
import { checkAssertions, checkConsoles, compareOrder, type AssertionResult, type ExpectationResult, type MetricsByArm } from './judgement.js';
import { computeMetrics, percentile, type RunRecord } from './metrics.js';
import type { Metrics } from './metric-names.js';
import type { Scenario } from './scenario.js';
import { Simulation, type SimulationOptions } from './simulation.js';
import { makeTimeline, type Timeline } from './timeline.js';

export interface ReplayOptions extends Omit<SimulationOptions, 'image'> {
  image: Uint8Array;
  arms?: readonly ArmName[];
  /** Folders for captures, cores and state diagrams. */
  pcap?: string;
  core?: string;
  states?: string;
  onProgress?: (arm: ArmName, done: number) => void;
}

export interface FirstFault {
  daemon: string;
  pid: number;
  signal: number;
  pc: number;
  address: number;
  seconds: number;
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
  firstFault: FirstFault | null;
  files: { pcap?: string; core?: string; states?: string[] };
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
    arms, assertions,
    expectations: scenario.expectation.map((expectation) => compareOrder(expectation, byArm)),
    passed: assertions.every((one) => one.held),
    wallSeconds: (performance.now() - begin) / 1000,
  };
}

export function replayArm(scenario: Scenario, arm: ArmName, options: ReplayOptions): ArmResult {
  const begin = performance.now();
  const cores = new CoreCollector(scenario.daemons.filter((daemon) => daemon.underTest).map((daemon) => daemon.name));
  const { result: simulation, times } = withHostTimes(() => cores.during(() => runArm(scenario, arm, options)));
  const run = simulation.record();
  const { clock } = simulation.router.kernel;
  const median = (values: number[]): number | null => (values.length === 0 ? null : percentile(values, 0.5));
  return {
    arm,
    metrics: computeMetrics(run),
    timeline: makeTimeline(run),
    router: simulation.router.report(),
    virtualSeconds: clock.cycles / clock.hz,
    wallSeconds: (performance.now() - begin) / 1000,
    hostFreezeMs: median(times.freeze),
    hostThawMs: median(times.thaw),
    firstFault: firstFault(run),
    logFull: run.entries.filter((entry) => entry.what === 'log.full').map((entry) => textOf(entry.kind)),
    files: writeFiles(simulation, scenario, arm, cores, options),
    console: simulation.router.consoleText(),
  };
}

function runArm(scenario: Scenario, arm: ArmName, options: ReplayOptions): Simulation {
  options.onProgress?.(arm, 0);
  const simulation = Simulation.create(scenario, arm, options);
  const step = (simulation.end - simulation.start) / PROGRESS_STEPS;
  for (let i = 1; simulation.run(simulation.start + Math.ceil(i * step)); i++) options.onProgress?.(arm, simulation.progress);
  options.onProgress?.(arm, 1);
  return simulation;
}

function firstFault(run: RunRecord): FirstFault | null {
  for (const entry of run.entries) {
    const fatal = entry.what === 'process.fatal' || entry.what === 'checkpoint.thaw';
    if (!fatal || !run.daemons.includes(textOf(entry.comm))) continue;
    const address = Number(entry.address ?? entry.badvaddr ?? 0);
    return { daemon: textOf(entry.comm), pid: Number(entry.pid), signal: Number(entry.signo), pc: Number(entry.pc), address, seconds: entry.t / run.hz };
  }
  return null;
}

function writeFiles(simulation: Simulation, scenario: Scenario, arm: ArmName, cores: CoreCollector, options: ReplayOptions): ArmResult['files'] {
  const files: ArmResult['files'] = {};
  const name = `${scenario.name}.${arm}`;
  if (options.pcap !== undefined) {
    mkdirSync(options.pcap, { recursive: true });
    files.pcap = join(options.pcap, `${name}.pcapng`);
    annotate(simulation);
    writeFileSync(files.pcap, capturesToPcapng(simulation.topology.captures, simulation.router.kernel.clock, `${scenario.title}; arm: ${arm}; seed ${options.seed ?? scenario.seed}`));
  }
  if (options.core !== undefined && cores.first) {
    mkdirSync(options.core, { recursive: true });
    files.core = join(options.core, `${name}.core`);
    writeFileSync(files.core, cores.first);
  }
  if (options.states !== undefined) files.states = writeStates(simulation, join(options.states, name), options.states);
  return files;
}

/** The states and jumps of every process that froze itself: as JSON, as an XState machine and as Mermaid. */
function writeStates(simulation: Simulation, name: string, folder: string): string[] {
  mkdirSync(folder, { recursive: true });
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
