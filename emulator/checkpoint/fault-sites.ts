/**
 * Where a group's members faulted. The same instruction again and again, with rounds that end well in between, is an input that
 * comes again, or damage that stands in every state frozen since. Only a trial tells them apart: back before any input, while the
 * newest state is kept.
 *
 *   faults at one place --`limit` of them--> trial --as long without one as they took--> it was damage: the place is forgotten, the newest state given up
 *                                                  --one more there--> it was the input: forward to the newest state; no more trials of this place
 *
 * A place where nothing has faulted for long is forgotten.
 */
export interface FaultSite {
  pc: number;
  signo: number;
  faults: number;
  /** Virtual times of the first and of the last, cycles. */
  since: number;
  at: number;
  /** A trial has shown that it is the input. */
  acquitted: boolean;
}

/** A fault as it is counted; `now` in cycles. */
export interface FaultPlace {
  pc: number;
  signo: number;
  now: number;
}

export interface FaultSites {
  /** The youngest last. */
  list: FaultSite[];
  /** The place that is being tried, and when it has been quiet for long enough. */
  trial: { site: FaultSite; until: number } | null;
}

export type Suspicion = 'none' | 'begin-trial' | 'on-trial' | 'acquit';

/** Places kept; the one quiet for longest gives way. */
const MAX_SITES = 32;

/** Counts a fault, after `endTrial`. `limit` 0: nothing is tried; `memory`: how long a place is remembered, cycles; the one on trial is not forgotten. */
export function suspect(sites: FaultSites, place: FaultPlace, limit: number, memory: number): Suspicion {
  if (limit === 0) return 'none';
  const site = siteOf(sites, place, memory);
  site.at = place.now;
  site.faults++;
  if (sites.trial?.site === site) {
    site.acquitted = true;
    sites.trial = null;
    return 'acquit';
  }
  if (sites.trial) return 'on-trial';
  if (site.acquitted || site.faults < limit) return 'none';
  sites.trial = { site, until: place.now + Math.max(place.now - site.since, 1) };
  return 'begin-trial';
}

/** Has the trial been quiet for long enough? True in the moment it ends so. */
export function endTrial(sites: FaultSites, now: number): boolean {
  const { trial, list } = sites;
  if (!trial || now < trial.until) return false;
  sites.trial = null;
  sites.list = list.filter((site) => site !== trial.site);
  return true;
}

/** Moves it to the end. */
function siteOf({ list, trial }: FaultSites, { pc, signo, now }: FaultPlace, memory: number): FaultSite {
  const index = list.findIndex((one) => one.pc === pc && one.signo === signo);
  const [known] = index >= 0 ? list.splice(index, 1) : [];
  const remembered = known !== undefined && (known === trial?.site || known.at >= now - memory);
  const site = remembered ? known : { pc, signo, faults: 0, since: now, at: now, acquitted: false };
  list.push(site);
  if (list.length > MAX_SITES) list.splice(list[0] === trial?.site ? 1 : 0, 1);
  return site;
}
