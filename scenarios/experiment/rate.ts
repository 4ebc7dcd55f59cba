import type { Scenario } from '../scenario.js';

/** A single run of a sweep sends at most this many attack messages, at least this many, and lasts no longer than this. */
export const MAX_MESSAGES = 2000;
export const MIN_MESSAGES = 8;
export const MAX_SECONDS = 600;

/**
 * The scenario with its attackers together sending `rate` messages a second, from the scenario's start of the attack to the end of the run. Each message
 * comes anywhere in its period: most rates are multiples of the prober's, and whatever is held to a part of the period would meet every probe at the same
 * moment of its life (RFC 2330, 11.1: sampling must not fall into step with what it samples).
 */
export function atRate(scenario: Scenario, rate: number, durationNs: number): Scenario {
  const each = rate / scenario.attack.length;
  const every = 1e9 / each;
  return { ...scenario, attack: scenario.attack.map((attack) => ({ ...attack, every, jitter: 1, count: Math.max(1, Math.ceil((durationNs - attack.start) / every)) })) };
}

export interface Span {
  durationNs: number;
  /** Why it is not the scenario's own; null when it is. */
  why: string | null;
}

/**
 * How long a run at this rate lasts: as the scenario says, unless that is too short for the attack to repeat itself or so long that
 * the messages would be more than the work is worth.
 */
export function spanAt(scenario: Scenario, rate: number): Span {
  const start = Math.min(...scenario.attack.map((attack) => attack.start));
  const least = start + (MIN_MESSAGES / rate) * 1e9;
  const most = start + (MAX_MESSAGES / rate) * 1e9;
  if (scenario.duration < least) return { durationNs: Math.min(Math.ceil(least), MAX_SECONDS * 1e9), why: `longer, for ${MIN_MESSAGES} messages` };
  if (scenario.duration > most) return { durationNs: Math.floor(most), why: `shorter, for ${MAX_MESSAGES} messages` };
  return { durationNs: scenario.duration, why: null };
}

/** Attack messages a second that make sense. */
export const LOWEST_RATE = 0.001;
export const HIGHEST_RATE = 10_000;
/** Steps of a decade, nearly even on a logarithmic axis. */
const STEPS = [1, 3];
const DECADES = [-3, -2, -1, 0, 1, 2, 3, 4];

/** "0.1..1000", two points a decade, or a list with commas; rising. Null when it is neither or beyond the limits. */
export function parseRates(text: string): number[] | null {
  const range = /^([\d.]+)\.\.([\d.]+)$/.exec(text);
  const rates = range ? between(Number(range[1]), Number(range[2])) : text.split(',').map((word) => (word.trim() === '' ? NaN : Number(word)));
  if (rates.length === 0 || rates.some((rate) => !(rate >= LOWEST_RATE && rate <= HIGHEST_RATE))) return null;
  return [...new Set(rates)].sort((a, b) => a - b);
}

const between = (low: number, high: number): number[] =>
  DECADES.flatMap((decade) => STEPS.map((step) => Number(`${step}e${decade}`))).filter((rate) => rate >= low && rate <= high);
