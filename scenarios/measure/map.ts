import { profileNames, profiles, type ProfileName } from '../../emulator/router/profiles.js';
import type { Modelled, Work } from './model.js';
import type { SizePoint, SizesResult } from './sizes.js';
import type { Ramdisk } from './subject.js';

/**
 * Where the shunt wins by two: pure computation from counts. A freeze with all that follows it costs
 *   rest + bytes × (cycles a byte) + ops × (cycles a vnode operation)
 * and the two prices are what we know least about a board, so they are the axes.
 */
export interface Cost {
  rest: number;
  bytes: number;
  ops: number;
}

export interface Comparison {
  name: string;
  /** Where the file lies. */
  ramdisk: Ramdisk;
  title: string;
  vnode: string;
  shunt: string;
  /** Share of the pages the process writes before the image is dropped. */
  written: number;
}

export const comparisons: readonly Comparison[] = [
  { name: 'copy', ramdisk: 'tmpfs', title: 'both copy; tmpfs', vnode: 'vnode/fresh', shunt: 'shunt/fresh', written: 0 },
  { name: 'block', ramdisk: 'block', title: 'both copy; block ramdisk', vnode: 'vnode/fresh', shunt: 'shunt/fresh', written: 0 },
  { name: 'share', ramdisk: 'tmpfs', title: 'both share; tmpfs', vnode: 'vnode/share', shunt: 'shunt/share', written: 0 },
  { name: 'mixed', ramdisk: 'tmpfs', title: 'file copied, shunt shares*', vnode: 'vnode/fresh', shunt: 'shunt/share', written: 0.25 },
];

export interface MapLine {
  comparison: string;
  bytes: number;
  vnode: Cost;
  shunt: Cost;
  /** Ratio of the costs with each profile's own prices. */
  ratios: Record<ProfileName, number>;
  /** Cycles a vnode operation from which on the shunt wins by two, at each profile's price of a byte; 0: at any price. null: the file uses no more operations than the shunt. */
  thresholds: Record<ProfileName, number | null>;
}

export interface MapResult {
  kind: 'map';
  lines: MapLine[];
  /** Where the profiles lie: cycles a byte copied, and cycles a vnode operation on the average of a freeze. */
  places: Record<ProfileName, { byte: number; op: number }>;
}

const SIZES_SHOWN = [64 * 1024, 1024 * 1024, 8 * 1024 * 1024];
export const FACTOR = 2;

const isOp = (name: string): boolean => name.startsWith('vop.');

/** `rates` price everything that is on neither axis. */
export function costOf(works: readonly { work: Work; share: number }[], rates: Readonly<Record<string, number>>): Cost {
  const cost = { rest: 0, bytes: 0, ops: 0 };
  for (const { work, share } of works) {
    for (const [name, count] of Object.entries(work.counts)) {
      if (name === 'copy.bytes') cost.bytes += count * share;
      else if (isOp(name)) cost.ops += count * share;
      else cost.rest += count * share * (rates[name] ?? 0);
    }
  }
  return cost;
}

export const priced = ({ rest, bytes, ops }: Cost, byte: number, op: number): number => rest + bytes * byte + ops * op;

/** The price of a vnode operation at which the vnode path costs FACTOR times the shunt; 0 when it does at any price, null when it never does. */
export function threshold(vnode: Cost, shunt: Cost, byte: number): number | null {
  const lacking = FACTOR * priced(shunt, byte, 0) - priced(vnode, byte, 0);
  if (lacking <= 0) return 0;
  const ops = vnode.ops - FACTOR * shunt.ops;
  return ops > 0 ? lacking / ops : null;
}

/** Mean price of the vnode operations of a freeze. */
function meanOp(work: Work, rates: Readonly<Record<string, number>>): number {
  const ops = Object.entries(work.counts).filter(([name]) => isOp(name));
  return ops.reduce((sum, [name, count]) => sum + count * (rates[name] ?? 0), 0) / ops.reduce((sum, [, count]) => sum + count, 0);
}

const worksOf = ({ act, dirty, undo }: Modelled, written: number): { work: Work; share: number }[] =>
  [{ work: act, share: 1 }, { work: dirty, share: written }, { work: undo, share: 1 }];

/** From the points of the size sweeps with the fewest segments. */
export function mapOf(sweeps: readonly SizesResult[]): MapResult {
  const lines = comparisons.flatMap((comparison) => {
    const points = sweeps.find(({ ramdisk }) => ramdisk === comparison.ramdisk)?.points ?? [];
    return SIZES_SHOWN.flatMap((bytes) => {
      const [vnode, shunt] = [pick(points, comparison.vnode, bytes), pick(points, comparison.shunt, bytes)];
      return vnode && shunt ? [lineOf(comparison, vnode, shunt)] : [];
    });
  });
  const typical = pick(sweeps[0]?.points ?? [], 'vnode/fresh', SIZES_SHOWN[0]);
  const places = eachProfile((rates) => ({ byte: rates['copy.bytes'], op: typical ? meanOp(typical.modelled.act, rates) : NaN }));
  return { kind: 'map', lines, places };
}

/** An image has a few pages more than the size it is named after. */
function pick(points: readonly SizePoint[], key: string, bytes: number): SizePoint | undefined {
  const fewest = Math.min(...points.map(({ segments }) => segments));
  return points.find((one) => one.key === key && one.segments === fewest && one.bytes >= bytes && one.bytes < 2 * bytes);
}

function lineOf({ name, written }: Comparison, vnode: SizePoint, shunt: SizePoint): MapLine {
  const costs = (rates: Readonly<Record<string, number>>): [Cost, Cost] => [costOf(worksOf(vnode.modelled, written), rates), costOf(worksOf(shunt.modelled, written), rates)];
  // What is neither a byte nor an operation has the same price in cycles on every board.
  const [fileCost, shuntCost] = costs(profiles[profileNames[0]].costs);
  return {
    comparison: name, bytes: vnode.bytes, vnode: fileCost, shunt: shuntCost,
    ratios: eachProfile((rates) => {
      const op = meanOp(vnode.modelled.act, rates);
      const [a, b] = costs(rates);
      return priced(a, rates['copy.bytes'], op) / priced(b, rates['copy.bytes'], op);
    }),
    thresholds: eachProfile((rates) => threshold(...costs(rates), rates['copy.bytes'])),
  };
}

function eachProfile<T>(of: (rates: Readonly<Record<string, number>>) => T): Record<ProfileName, T> {
  return Object.fromEntries(profileNames.map((name) => [name, of(profiles[name].costs)])) as Record<ProfileName, T>;
}
