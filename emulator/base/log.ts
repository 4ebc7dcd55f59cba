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

/** Bytes that entries of one kind may take; what a guest can cause without end must not fill the host. */
export const LOG_KIND_BYTES = 32 << 20;
/** What an entry and each of its fields are taken to cost beside their text. */
const ENTRY_BYTES = 64;
const FIELD_BYTES = 24;

function sizeOf(value: LogValue): number {
  if (typeof value === 'string') return value.length;
  if (value === null || typeof value !== 'object') return 0;
  let bytes = 0;
  for (const item of Object.values(value)) bytes += FIELD_BYTES + sizeOf(item);
  return bytes;
}

/**
 * The machine's event log: same scenario and seed, same bytes. Host times never enter it. `lines()` is
 * the form that is compared and stored. Each kind of entry has a share of LOG_KIND_BYTES: when it is used up one "log.full"
 * says so and later ones are only counted, while listeners still hear of them. Kinds are named by the emulator, never by a guest.
 */
export class EventLog {
  static readonly appendOnly = ['entries'];
  private readonly clock: Clock;
  private entries: LogEntry[] = [];
  readonly listeners: LogListener[] = [];
  /** Bytes used by each kind. */
  private readonly used = new Map<string, number>();
  /** Entries of each kind that found no room. */
  readonly dropped = new Map<string, number>();

  constructor(clock: Clock) {
    this.clock = clock;
  }

  add(what: string, fields: Record<string, LogValue> = {}): void {
    if (this.listeners.length === 0 && this.isFull(what)) return;
    const entry = { t: this.clock.cycles, what, ...fields };
    if (this.hasRoom(entry)) this.entries.push(entry);
    for (const listener of this.listeners) listener.onEntry(entry);
  }

  /** A kind whose share is used up: one more is counted. */
  private isFull(what: string): boolean {
    const dropped = this.dropped.get(what);
    if (dropped !== undefined) this.dropped.set(what, dropped + 1);
    return dropped !== undefined;
  }

  private hasRoom(entry: LogEntry): boolean {
    const { what } = entry;
    if (this.isFull(what)) return false;
    const used = (this.used.get(what) ?? 0) + ENTRY_BYTES + sizeOf(entry);
    if (used <= LOG_KIND_BYTES) {
      this.used.set(what, used);
      return true;
    }
    this.dropped.set(what, 1);
    this.entries.push({ t: entry.t, what: 'log.full', kind: what });
    return false;
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
