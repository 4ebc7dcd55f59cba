import { hex, textOf, type LogEntry } from '../base/index.js';
import type { Process } from '../kernel/index.js';
import { signalName } from '../kernel/index.js';
import { knownCheckpoints, type ProcessCheckpoints } from './process-checkpoints.js';
import { History, type FreezeEdge, type Jump } from './history.js';

/** A process's checkpoint history as data: states, freezes and thaws. */
export interface StateDiagram {
  pid: number;
  comm: string;
  /** Where the process is now. */
  state: number;
  states: { descriptor: number; alive: boolean; freezes: number }[];
  freezes: FreezeEdge[];
  thaws: Jump[];
}

export function stateDiagram(process: Process): StateDiagram {
  const known = knownCheckpoints(process);
  return {
    pid: process.pid, comm: process.comm, state: known?.history.state ?? 0, states: known ? states(known) : [{ descriptor: 0, alive: true, freezes: 0 }],
    freezes: known?.history.freezes.map((edge) => ({ ...edge })) ?? [], thaws: known?.history.jumps.map((jump) => ({ ...jump })) ?? [],
  };
}

function states(known: ProcessCheckpoints): StateDiagram['states'] {
  const all = [{ descriptor: 0, alive: true, freezes: 0 }];
  for (let descriptor = 1; descriptor < known.nextDescriptor; descriptor++) {
    const checkpoint = known.list.find((one) => one.descriptor === descriptor);
    all.push({ descriptor, alive: checkpoint !== undefined, freezes: checkpoint?.freezes ?? 1 });
  }
  return all;
}

/** The same from an event log, for every process that froze itself, also those that have ended. In order of their first freeze. */
export function diagramsFromLog(entries: readonly LogEntry[]): StateDiagram[] {
  const found = new Map<number, LoggedHistory>();
  for (const entry of entries) {
    if (entry.what === 'checkpoint.freeze') frozeIn(found, entry);
    else if (entry.what === 'checkpoint.thaw') found.get(Number(entry.pid))?.history.thawed(Number(entry.to), { signo: Number(entry.signo), pc: Number(entry.pc), address: Number(entry.badvaddr) });
    else if (entry.what === 'checkpoint.drop') found.get(Number(entry.pid))?.dropped.add(Number(entry.descriptor));
  }
  return [...found].map(([pid, { comm, history, freezes, dropped }]) => ({
    pid, comm, state: history.state, freezes: history.freezes, thaws: history.jumps,
    states: [{ descriptor: 0, alive: true, freezes: 0 }, ...[...freezes].map(([descriptor, count]) => ({ descriptor, alive: !dropped.has(descriptor), freezes: count }))],
  }));
}

interface LoggedHistory {
  comm: string;
  history: History;
  /** Descriptor -> images made into it. */
  freezes: Map<number, number>;
  dropped: Set<number>;
}

function frozeIn(found: Map<number, LoggedHistory>, entry: LogEntry): void {
  const pid = Number(entry.pid);
  const descriptor = Number(entry.descriptor);
  const known = found.get(pid) ?? { comm: textOf(entry.comm), history: new History(), freezes: new Map<number, number>(), dropped: new Set<number>() };
  found.set(pid, known);
  known.history.froze(descriptor);
  known.freezes.set(descriptor, (known.freezes.get(descriptor) ?? 0) + 1);
}

const stateName = (descriptor: number): string => (descriptor === 0 ? 'start' : `state${descriptor}`);
const thawEvent = (jump: Jump): string => `THAW_${jump.signo === 0 ? 'CALL' : signalName(jump.signo)}_${jump.to}`;

/** An XState machine configuration: freezes and thaws are its events. */
export interface MachineConfig {
  id: string;
  initial: string;
  states: Record<string, { on?: Record<string, string> }>;
}

export function machineConfig(diagram: StateDiagram): MachineConfig {
  const config: MachineConfig = { id: `${diagram.comm}.${diagram.pid}`, initial: stateName(0), states: {} };
  for (const { descriptor } of diagram.states) config.states[stateName(descriptor)] = {};
  const add = (from: number, event: string, to: number): void => {
    const state = (config.states[stateName(from)] ??= {});
    (state.on ??= {})[event] = stateName(to);
    config.states[stateName(to)] ??= {};
  };
  for (const { from, to } of diagram.freezes) add(from, `FREEZE_${to}`, to);
  for (const jump of diagram.thaws) add(jump.from, thawEvent(jump), jump.to);
  return config;
}

/** A Mermaid state diagram (mermaid.js.org, stateDiagram-v2). */
export function mermaid(diagram: StateDiagram): string {
  const times = (count: number): string => (count > 1 ? ` x${count}` : '');
  const lines = ['stateDiagram-v2', `  [*] --> ${stateName(0)}`];
  for (const { from, to, count } of diagram.freezes) lines.push(`  ${stateName(from)} --> ${stateName(to)}: freeze${times(count)}`);
  for (const jump of diagram.thaws) {
    const cause = jump.signo === 0 ? 'thaw' : `${signalName(jump.signo)} at ${hex(jump.pc)}, thaw`;
    lines.push(`  ${stateName(jump.from)} --> ${stateName(jump.to)}: ${cause}${times(jump.count)}`);
  }
  return lines.join('\n') + '\n';
}
