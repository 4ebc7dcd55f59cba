import type { Clock } from './clock.js';
import { snapshotClass } from './snapshot.js';

/** A JSON value; nothing else may enter the event log, so that its text is its identity. */
export type LogValue = string | number | boolean | null | LogValue[] | { [key: string]: LogValue };

export interface LogEntry {
  /** Virtual time in cycles. */
  t: number;
  /** What happened, dotted: "process.exec", "checkpoint.freeze", "packet.drop", … */
  what: string;
  [field: string]: LogValue;
}

/** A field as text; empty when it is not there or is no text or number. */
export function textOf(value: LogValue | undefined): string {
  return typeof value === 'string' || typeof value === 'number' ? String(value) : '';
}

/** Told of every entry as it is made; a snapshot class, since the log holds it. */
export interface LogListener {
  onEntry(entry: LogEntry): void;
}

/**
 * The machine's event log: same scenario and seed, same bytes. Host times never enter it. `lines()` is
 * the form that is compared and stored.
 */
export class EventLog {
  private readonly clock: Clock;
  private entries: LogEntry[] = [];
  readonly listeners: LogListener[] = [];

  constructor(clock: Clock) {
    this.clock = clock;
  }

  add(what: string, fields: Record<string, LogValue> = {}): void {
    const entry = { t: this.clock.cycles, what, ...fields };
    this.entries.push(entry);
    for (const listener of this.listeners) listener.onEntry(entry);
  }

  get length(): number {
    return this.entries.length;
  }

  /** Entries from index `from` on; the caller must not change them. */
  since(from = 0): readonly LogEntry[] {
    return from === 0 ? this.entries : this.entries.slice(from);
  }

  /** One JSON object a line, in order of happening. */
  lines(from = 0): string {
    return this.entries.slice(from).map((entry) => JSON.stringify(entry) + '\n').join('');
  }
}
snapshotClass('EventLog', EventLog);
