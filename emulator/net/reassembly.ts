import type { Clock, EventQueue, EventTarget, TimedEvent } from '../base/index.js';
import { snapshotClass } from '../base/index.js';
import { isIp6, type Packet } from './wire/index.js';

interface Piece {
  offset: number;
  payload: Uint8Array;
}

interface Assembly {
  key: string;
  /** The fragment with offset 0: its header is the datagram's (RFC 791 section 3.2). */
  first: Packet | null;
  pieces: Piece[];
  /** Length of the whole payload, -1 until the last fragment is there. */
  length: number;
  bytes: number;
  timer: TimedEvent;
}

export interface ReassemblyUser {
  /** The fragment at hand is dropped. */
  count(drop: string): void;
  /** Fragments that came before are. */
  lose(drop: string, fragments: number): void;
  /** Nothing came for the time allowed; `first` is the fragment with offset 0 if it came. */
  reassemblyTimeout(first: Packet | null): void;
}

/** Linux: ipfrag_time 30 s; RFC 8200 section 4.5: 60 s. The other two bound what hostile fragments can hold of the device's memory. */
const TIMEOUT_NS = 30e9;
const TIMEOUT6_NS = 60e9;
const MAX_ASSEMBLIES = 64;
const MAX_BYTES = 256 * 1024;
/** An honest 65535-byte datagram on the smallest IPv4 MTU (576) has 119 fragments. */
const MAX_PIECES = 128;

/**
 * Puts fragmented datagrams together. An overlap or a contradiction about the length drops the whole
 * datagram: no honest sender makes one (compare RFC 5722), and both answers to it have been attacks.
 */
export class Reassembler implements EventTarget {
  private readonly clock: Clock;
  private readonly events: EventQueue;
  private readonly user: ReassemblyUser;
  private readonly assemblies = new Map<string, Assembly>();
  private bytes = 0;
  /** Fragments that were held until a later one completed their datagram. */
  joined = 0;

  constructor(clock: Clock, events: EventQueue, user: ReassemblyUser) {
    this.clock = clock;
    this.events = events;
    this.user = user;
  }

  /** Bytes of fragments held now. */
  get held(): number {
    return this.bytes;
  }

  /** Fragments held now. */
  get heldPieces(): number {
    let count = 0;
    for (const { pieces } of this.assemblies.values()) count += pieces.length;
    return count;
  }

  /** The whole datagram once its last missing piece is `packet`, else null. */
  add<P extends Packet>(packet: P): P | null {
    const key = `${packet.source} ${packet.destination} ${packet.protocol} ${packet.identification}`;
    const assembly = this.assemblies.get(key) ?? this.begin(key, isIp6(packet.source) ? TIMEOUT6_NS : TIMEOUT_NS);
    const refusal = this.refuse(assembly, packet);
    if (refusal !== null) {
      this.user.count(refusal);
      if (refusal !== 'fragment.duplicate') this.drop(assembly, 'fragment.with-another');
      return null;
    }
    this.insert(assembly, packet);
    if (assembly.bytes !== assembly.length || !assembly.first) return this.limit();
    this.forget(assembly);
    this.joined += assembly.pieces.length - 1;
    return join(assembly.first, assembly) as P;
  }

  onEvent(_kind: string, argument: unknown): void {
    const assembly = argument as Assembly;
    this.drop(assembly, 'fragment.timeout');
    this.user.reassemblyTimeout(assembly.first);
  }

  private begin(key: string, timeout: number): Assembly {
    if (this.assemblies.size >= MAX_ASSEMBLIES) this.evictOldest();
    const at = this.clock.cycles + this.clock.toCycles(timeout);
    const assembly: Assembly = { key, first: null, pieces: [], length: -1, bytes: 0, timer: this.events.at(at, this, 'timeout') };
    assembly.timer.argument = assembly;
    this.assemblies.set(key, assembly);
    return assembly;
  }

  private refuse(assembly: Assembly, packet: Packet): string | null {
    const start = packet.fragmentOffset;
    const end = start + packet.payload.length;
    if (assembly.pieces.length >= MAX_PIECES) return 'fragment.too-many';
    if (packet.payload.length === 0) return 'fragment.empty';
    if (!packet.moreFragments && assembly.length >= 0 && assembly.length !== end) return 'fragment.contradiction';
    const known = assembly.length >= 0 ? assembly.length : Infinity;
    if (end > known || (!packet.moreFragments && assembly.pieces.some((piece) => piece.offset + piece.payload.length > end))) return 'fragment.contradiction';
    for (const piece of assembly.pieces) {
      if (piece.offset === start && piece.payload.length === packet.payload.length) return 'fragment.duplicate';
      if (start < piece.offset + piece.payload.length && piece.offset < end) return 'fragment.overlap';
    }
    return null;
  }

  private insert(assembly: Assembly, packet: Packet): void {
    const payload = packet.payload.slice();
    assembly.pieces.push({ offset: packet.fragmentOffset, payload });
    assembly.bytes += payload.length;
    this.bytes += payload.length;
    if (!packet.moreFragments) assembly.length = packet.fragmentOffset + payload.length;
    if (packet.fragmentOffset === 0) assembly.first = { ...packet, options: packet.options.slice(), payload };
  }

  private limit(): null {
    while (this.bytes > MAX_BYTES) this.evictOldest();
    return null;
  }

  private evictOldest(): void {
    for (const assembly of this.assemblies.values()) {
      this.drop(assembly, 'fragment.evicted');
      return;
    }
  }

  private drop(assembly: Assembly, why: string): void {
    if (assembly.pieces.length > 0) this.user.lose(why, assembly.pieces.length);
    this.forget(assembly);
  }

  private forget(assembly: Assembly): void {
    this.events.cancel(assembly.timer);
    this.assemblies.delete(assembly.key);
    this.bytes -= assembly.bytes;
  }
}
snapshotClass('Reassembler', Reassembler);

function join(first: Packet, assembly: Assembly): Packet {
  const payload = new Uint8Array(assembly.length);
  for (const piece of assembly.pieces) payload.set(piece.payload, piece.offset);
  return { ...first, moreFragments: false, dontFragment: false, payload };
}
