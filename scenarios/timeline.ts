import { textOf } from '../emulator/base/index.js';
import { faultSpans, type RunRecord } from './metrics.js';

/** What the report draws of one arm; seconds since the start of the load. */
export interface Timeline {
  seconds: number;
  attackStart: number;
  /** Probes in the order sent: [when, answered in time]. */
  probes: [number, boolean][];
  attacks: { at: number; form: string }[];
  faults: { at: number; until: number | null }[];
  /** Lives of the daemons under test, as stretches. */
  lives: { daemon: string; from: number; to: number; life: string }[];
  thaws: { at: number; from: number; to: number; signal: number }[];
  filters: { at: number; text: string }[];
  /** The checkpoint diagram: edges between states with how often they were taken. */
  jumps: { from: number; to: number; label: string; count: number }[];
}

const LIMIT = 4000;

export function makeTimeline(run: RunRecord): Timeline {
  const seconds = (cycles: number): number => (cycles - run.start) / run.hz;
  const end = seconds(run.end);
  const lastSent = run.end - run.timeout;
  const probes: [number, boolean][] = [];
  run.probes.sent.forEach((sent, i) => {
    if (sent > lastSent || probes.length >= LIMIT) return;
    const answered = run.probes.answered[i];
    probes.push([seconds(sent), answered >= 0 && answered - sent <= run.timeout]);
  });
  const entries = run.entries.filter((entry) => entry.t >= run.start);
  return {
    seconds: end,
    attackStart: seconds(run.attackStart),
    probes,
    attacks: [...run.attacks.slice(0, LIMIT).map(({ sent, form }) => ({ at: seconds(sent), form })), ...(run.injected ?? []).map((t) => ({ at: seconds(t), form: 'injected fault' }))],
    faults: faultSpans(run).slice(0, LIMIT).map((span) => ({ at: seconds(span.start), until: span.end === Infinity ? null : seconds(span.end) })),
    lives: lives(run, seconds, end),
    thaws: entries.filter((entry) => entry.what === 'checkpoint.thaw').slice(0, LIMIT)
      .map((entry) => ({ at: seconds(entry.t), from: Number(entry.from), to: Number(entry.to), signal: Number(entry.signo) })),
    filters: entries.filter((entry) => entry.what === 'console.line' && run.daemons.some((name) => textOf(entry.text).startsWith(`${name}: filter `)))
      .map((entry) => ({ at: seconds(entry.t), text: textOf(entry.text) })),
    jumps: jumps(run),
  };
}

function lives(run: RunRecord, seconds: (cycles: number) => number, end: number): Timeline['lives'] {
  const stretches: Timeline['lives'] = [];
  for (const daemon of run.daemons) {
    const changes = run.entries.filter((entry) => entry.what === 'daemon.state' && entry.name === daemon);
    changes.forEach((entry, i) => {
      const from = Math.max(0, seconds(entry.t));
      const to = i + 1 < changes.length ? seconds(changes[i + 1].t) : end;
      if (to > 0 && to > from) stretches.push({ daemon, from, to, life: textOf(entry.to) });
    });
  }
  return stretches;
}

/** States and edges of the paper's diagram: freezes lead to a state, thaws jump between states by a signal. */
function jumps(run: RunRecord): Timeline['jumps'] {
  const edges = new Map<string, Timeline['jumps'][number]>();
  const count = (from: number, to: number, label: string): void => {
    const key = `${from} ${to} ${label}`;
    const edge = edges.get(key) ?? { from, to, label, count: 0 };
    edge.count++;
    edges.set(key, edge);
  };
  const current = new Map<number, number>();
  for (const entry of run.entries) {
    if (!run.daemons.includes(textOf(entry.comm))) continue;
    const pid = Number(entry.pid);
    if (entry.what === 'checkpoint.freeze') {
      count(current.get(pid) ?? 0, Number(entry.descriptor), 'freeze');
      current.set(pid, Number(entry.descriptor));
    } else if (entry.what === 'checkpoint.thaw') {
      count(Number(entry.from), Number(entry.to), `signal ${textOf(entry.signo)}`);
      current.set(pid, Number(entry.to));
    }
  }
  return [...edges.values()];
}
