import { crc32, type Clock } from '../../emulator/base/index.js';
import { formatAddress, type Capture, type Datagram } from '../../emulator/net/index.js';
import type { AttackRecord } from '../metrics.js';

/** A part of a message that matters, as its scenario names it. */
export interface Field {
  name: string;
  /** In the message, after the UDP header. */
  offset: number;
  length: number;
}

/** What one attack sent, and where its messages come from. */
export interface AttackSource {
  record: readonly AttackRecord[];
  /** File the messages were read from, and the frame each was in; null for made-up ones. */
  file: string | null;
  frames: readonly number[];
  field: Field | null;
}

/** The input a program took last before it faulted. */
export interface Culprit {
  sender: 'attack' | 'other';
  /** "192.168.1.66:40000" */
  from: string;
  /** UDP payload, in hexadecimal. */
  bytes: string;
  /** When the router's interface received it, seconds since power-on. */
  seconds: number;
  /** Number of its frame in the capture that --pcap writes, as Wireshark counts; null when it is not in there. */
  frame: number | null;
  /** Which of the attack's messages it was, from 1, and in which form. */
  message: { number: number; form: string } | null;
  /** The frame of the scenario's or the user's own capture it was made from. */
  original: { file: string; frame: number } | null;
  field: Field | null;
}

/** The frames of all captures in the order capturesToPcapng writes them. */
export function writtenOrder(captures: readonly Capture[]): { capture: Capture; index: number }[] {
  const all = captures.flatMap((capture) => capture.frames.map((_, index) => ({ capture, index })));
  return all.sort((a, b) => a.capture.frames[a.index].time - b.capture.frames[b.index].time);
}

/** A negative offset counts from the end, so that a form which lengthens the front of a message leaves the field in place. */
export function fieldWithin(field: Field | null, length: number): Field | null {
  if (!field) return null;
  const offset = field.offset < 0 ? length + field.offset : field.offset;
  if (offset < 0 || offset >= length) return null;
  return { name: field.name, offset, length: Math.min(field.length, length - offset) };
}

/** Finds out where the inputs of faults came from: by what attackers sent and by what went over the wire. */
export class Culprits {
  private readonly clock: Clock;
  private readonly order: { capture: Capture; index: number }[];
  private readonly attacks: readonly AttackSource[];

  constructor(clock: Clock, captures: readonly Capture[], attacks: readonly AttackSource[]) {
    this.clock = clock;
    this.order = writtenOrder(captures);
    this.attacks = attacks;
  }

  of(datagram: Datagram): Culprit {
    const { payload, source, sourcePort, time } = datagram;
    const bytes = Buffer.from(payload);
    const sent = this.sentAs(bytes, this.clock.toCycles(time));
    const frame = this.frameOf(bytes, time);
    return {
      sender: sent ? 'attack' : 'other',
      from: `${formatAddress(source)}:${sourcePort}`,
      bytes: bytes.toString('hex'), seconds: time / 1e9, frame,
      message: sent ? { number: sent.number, form: sent.form } : null,
      original: sent?.original ?? null,
      field: fieldWithin(sent?.field ?? null, bytes.length),
    };
  }

  /** The latest attack message with these bytes that was sent before. */
  private sentAs(bytes: Uint8Array, t: number): { number: number; form: string; original: Culprit['original']; field: Field | null } | null {
    const crc = crc32(bytes);
    for (const { record, file, frames, field } of this.attacks) {
      for (let i = record.length - 1; i >= 0; i--) {
        const one = record[i];
        if (one.sent > t || one.length !== bytes.length || one.crc !== crc) continue;
        const frame = one.message === undefined ? undefined : frames[one.message];
        return { number: i + 1, form: one.form, original: file !== null && frame !== undefined ? { file, frame } : null, field };
      }
    }
    return null;
  }

  /** The latest frame towards the router that ends in these bytes (and Ethernet's padding). */
  private frameOf(payload: Buffer, time: number): number | null {
    for (let i = this.order.length - 1; i >= 0; i--) {
      const { capture, index } = this.order[i];
      const { time: sent, side, frame } = capture.frames[index];
      if (sent <= time && side === 1 && carries(frame, payload)) return i + 1;
    }
    return null;
  }
}

const HEADERS = 14 + 20 + 8;

/** Of a fragmented datagram only the first frame is looked at. */
function carries(frame: Uint8Array, payload: Buffer): boolean {
  const part = frame.subarray(HEADERS, HEADERS + payload.length);
  const fragmented = payload.length > part.length && ((frame[20] & 0x20) !== 0);
  return fragmented ? payload.subarray(0, part.length).equals(part) : payload.equals(part);
}
