import { profiles, type ProfileName } from '../../emulator/router/profiles.js';
import { cellKey, cellTitle, plainCells } from './cell.js';
import { measureRungs } from './measurement.js';
import { modelRung } from './model.js';
import { cellRung, floorRung, Refused, writablePages, writtenRung } from './rungs.js';
import type { Ramdisk, Subject } from './subject.js';

export interface DirtyPoint {
  key: string;
  title: string;
  /** Share of the writable pages that the process writes between two freezes. */
  fraction: number;
  /** Cycles: the freeze, the page breaks its sharing causes, and the drop. */
  freeze: number;
  breaks: number;
  drop: number;
  /** Host seconds of all three and the writes themselves, median. */
  host: number | null;
}

export interface Crossover {
  title: string;
  /** Share of pages written at which sharing costs as much as copying; null when it never does, up to all of them. */
  fraction: number | null;
}

export interface DirtyResult {
  kind: 'dirty';
  subject: string;
  profile: ProfileName;
  hz: number;
  ramdisk: Ramdisk;
  pages: number;
  points: DirtyPoint[];
  crossovers: Crossover[];
}

export interface DirtyOptions {
  profile: ProfileName;
  ramdisk: Ramdisk;
  quick: boolean;
  rounds: number;
  seconds: number;
  onProgress?: (share: number) => void;
}

const FRACTIONS = [0, 0.01, 0.05, 0.1, 0.25, 0.5, 0.75, 1];
const QUICK_FRACTIONS = [0, 0.1, 0.5, 1];

export const totalCycles = ({ freeze, breaks, drop }: Pick<DirtyPoint, 'freeze' | 'breaks' | 'drop'>): number => freeze + breaks + drop;

/** What one freeze costs in all, from its start until its image is gone, against how much the process writes meanwhile. */
export function measureDirty(subject: Subject, options: DirtyOptions): DirtyResult {
  const fractions = options.quick ? QUICK_FRACTIONS : FRACTIONS;
  const modelled = fractions.flatMap((fraction) => plainCells.flatMap((cell) => modelOne(subject, cell, fraction)));
  const rungs = [floorRung(subject), ...fractions.flatMap((fraction) => plainCells.filter((cell) => modelled.some(({ key }) => key === cellKey(cell))).map((cell) => writtenRung(subject, cell, fraction)))];
  const { rungs: timed } = measureRungs(subject, rungs, { rounds: options.rounds, seconds: options.seconds, onProgress: options.onProgress });
  const points = modelled.map((point) => ({ ...point, host: timed.find(({ key }) => key === `${point.key}:${point.fraction}`)?.host.median ?? null }));
  return { kind: 'dirty', subject: subject.name, profile: options.profile, hz: profiles[options.profile].hz, ramdisk: options.ramdisk, pages: writablePages(subject), points, crossovers: crossovers(points) };
}

function modelOne(subject: Subject, cell: (typeof plainCells)[number], fraction: number): Omit<DirtyPoint, 'host'>[] {
  try {
    const { act, dirty, undo } = modelRung(subject, cellRung(subject, cell), fraction);
    return [{ key: cellKey(cell), title: cellTitle(cell), fraction, freeze: act.cycles, breaks: dirty.cycles, drop: undo.cycles }];
  } catch (error) {
    if (error instanceof Refused) return [];
    throw error;
  }
}

/** Each way of sharing against each way of copying. */
function crossovers(points: readonly DirtyPoint[]): Crossover[] {
  const curve = (key: string): { fraction: number; total: number; title: string }[] =>
    points.filter((point) => point.key === key).map((point) => ({ fraction: point.fraction, total: totalCycles(point), title: point.title }));
  const shares = plainCells.filter(({ transfer }) => transfer === 'share');
  const copies = plainCells.filter(({ transfer }) => transfer !== 'share');
  return shares.flatMap((share) => copies.flatMap((copy) => {
    const [a, b] = [curve(cellKey(share)), curve(cellKey(copy))];
    return a.length === 0 || b.length === 0 ? [] : [{ title: `${a[0].title} = ${b[0].title}`, fraction: whereEqual(a.map(({ fraction, total }, i) => ({ x: fraction, y: total - b[i].total }))) }];
  }));
}

/** Where a line through the points reaches 0 from below; null when it does not. */
export function whereEqual(points: readonly { x: number; y: number }[]): number | null {
  for (let i = 0; i + 1 < points.length; i++) {
    const [a, b] = [points[i], points[i + 1]];
    if (a.y <= 0 && b.y > 0) return a.x + ((b.x - a.x) * -a.y) / (b.y - a.y);
  }
  return null;
}
