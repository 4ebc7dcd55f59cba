import { MAX_DURATION_NS } from '../schema.js';

/** When datagrams are sent, in the words of tcpreplay(1). At most one of multiplier, pps, mbps and topspeed is given. */
export interface Pacing {
  multiplier?: number;
  pps?: number;
  mbps?: number;
  topspeed?: boolean;
  /** Passes over the file; 0: for ever, which needs a limit or a duration. */
  loop?: number;
  loopDelayMs?: number;
  /** Datagrams over all passes. */
  limit?: number;
  /** Seconds of sending. */
  durationSeconds?: number;
}

export interface Sending {
  /** Index of the datagram in the file. */
  index: number;
  /** Pass, from 1. */
  pass: number;
  /** Nanoseconds since the first one. */
  at: number;
}

/** No wire of the emulated router is faster; what --topspeed sends back to back. */
const WIRE_BITS = 100e6;
/** Ethernet, IPv4 and UDP headers, check sequence, preamble and the gap between frames. */
const WIRE_OVERHEAD = 14 + 20 + 8 + 4 + 8 + 12;
const MAX_SENDINGS = 1_000_000;

/** Nanoseconds from one datagram to the next of the same pass. */
function gap(pacing: Pacing, recorded: number, bytes: number): number {
  if (pacing.pps !== undefined) return 1e9 / pacing.pps;
  const wireBits = (bytes + WIRE_OVERHEAD) * 8;
  if (pacing.mbps !== undefined) return (wireBits / (pacing.mbps * 1e6)) * 1e9;
  if (pacing.topspeed) return (wireBits / WIRE_BITS) * 1e9;
  // A capture whose times run backwards is sent without a pause, as tcpreplay does.
  return Math.max(0, recorded) / (pacing.multiplier ?? 1);
}

/** The whole sending, or what is wrong with it. `times` are nanoseconds, `lengths` payload bytes. */
export function schedule(times: readonly number[], lengths: readonly number[], pacing: Pacing): Sending[] | string {
  const passes = pacing.loop === 0 ? Infinity : (pacing.loop ?? 1);
  const limit = pacing.limit ?? Infinity;
  const last = (pacing.durationSeconds ?? Infinity) * 1e9;
  if (passes === Infinity && limit === Infinity && last === Infinity) return '--loop 0 goes on for ever; add --limit or --duration';
  const sendings: Sending[] = [];
  let at = 0;
  for (let pass = 1; pass <= passes; pass++) {
    for (let index = 0; index < times.length; index++) {
      if (index > 0) at += gap(pacing, times[index] - times[index - 1], lengths[index - 1]);
      else if (pass > 1) at += (pacing.loopDelayMs ?? 0) * 1e6 + (pacing.multiplier === undefined && pacing.pps === undefined && pacing.mbps === undefined && !pacing.topspeed ? 0 : gap(pacing, 0, lengths[times.length - 1]));
      if (sendings.length >= limit || at > last) return sendings;
      if (at > MAX_DURATION_NS) return `the sending lasts longer than ${MAX_DURATION_NS / 1e9} s of the router's time; speed it up with -x, --pps or --topspeed, or cut it with --limit or --duration`;
      if (sendings.length >= MAX_SENDINGS) return `more than ${MAX_SENDINGS} datagrams; cut it with --limit`;
      sendings.push({ index, pass, at: Math.round(at) });
    }
  }
  return sendings;
}
