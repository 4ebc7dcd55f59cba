import type { RequestRecord, RunRecord } from '../metrics.js';

/** A row of probes without an answer in time. Lengths are cycles. */
export interface Outage {
  /** Probes lost. */
  lost: number;
  /** RFC 6201's frame-loss method: probes lost divided by their rate; NaN where they have none. Of an outage without end, up to the end of the run. */
  byLoss: number;
  /** RFC 6201's time-stamp method: from the last answer before to the first answer after; Infinity when none came. */
  byTime: number;
}

/**
 * The outages the prober saw from probes sent at `from` on. One that began before is not counted. Neither method can see
 * what is shorter than the gap between two probes, and both are off by up to that gap.
 */
export function outages(run: Pick<RunRecord, 'probes' | 'probePeriod' | 'timeout' | 'end'>, from: number): Outage[] {
  const found: Outage[] = [];
  const { sent } = run.probes;
  let begin = -1;
  for (let i = 0; i <= sent.length; i++) {
    const settled = i < sent.length && sent[i] + run.timeout <= run.end;
    if (settled && lost(run.probes, i, run.timeout)) {
      if (begin < 0) begin = i;
    } else if (begin >= 0) {
      if (sent[begin] >= from) found.push(outage(run.probes, begin, settled ? i : -1, i - begin, run.probePeriod));
      begin = -1;
    }
    if (!settled) break;
  }
  return found;
}

const lost = (probes: RequestRecord, i: number, timeout: number): boolean => probes.answered[i] < 0 || probes.answered[i] - probes.sent[i] > timeout;

/** Probes `begin` to `after` - 1 are lost; `after` is -1 when no later one was answered. */
function outage(probes: RequestRecord, begin: number, after: number, count: number, period: number): Outage {
  const last = begin > 0 ? probes.answered[begin - 1] : probes.sent[begin];
  return { lost: count, byLoss: period > 0 ? count * period : NaN, byTime: after < 0 ? Infinity : probes.answered[after] - last };
}
