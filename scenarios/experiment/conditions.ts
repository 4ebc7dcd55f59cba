import { gunzip, readCpio } from '../../ramdisk/index.js';
import type { ArmName } from '../arms.js';
import type { Scenario } from '../scenario.js';

/**
 * The circumstances a scenario is run under. "attack" is the experiment; the others are its controls: the same seed, traffic and arm with
 * one thing changed.
 */
export const conditionNames = ['attack', 'no-attack', 'patched', 'placebo', 'no-reseed'] as const;
export type Condition = (typeof conditionNames)[number];

interface ConditionInfo {
  title: string;
  /** What is different, for tables and reports. */
  words: string;
  change(scenario: Scenario): Scenario;
  /** Arguments after the arm's own. */
  flags: readonly string[];
  /** Arms it is run under, of those that are wanted. */
  arms(wanted: readonly ArmName[]): ArmName[];
}

const PATCHED = '.patched';
const only = (...names: ArmName[]) => (wanted: readonly ArmName[]): ArmName[] => wanted.filter((arm) => names.includes(arm));
const same = (scenario: Scenario): Scenario => scenario;

export const conditions: Record<Condition, ConditionInfo> = {
  attack: { title: 'attack', words: 'as the scenario says', change: same, flags: [], arms: (wanted) => [...wanted] },
  'no-attack': {
    title: 'no attack', words: 'the attacker is silent', flags: [], arms: (wanted) => [...wanted],
    change: (scenario) => ({ ...scenario, attack: scenario.attack.map((attack) => ({ ...attack, count: 0 })), fault: [] }),
  },
  patched: {
    title: 'patched daemon', words: 'the attacked daemon is the repaired build', flags: [], arms: only('none', 'rollback-filter'),
    change: (scenario) => ({ ...scenario, daemons: scenario.daemons.map((one) => (one.underTest ? { ...one, program: one.program + PATCHED } : one)) }),
  },
  placebo: { title: 'placebo filter', words: 'what the filter learns has nothing to do with the fault', change: same, flags: ['-m', 'placebo'], arms: only('rollback-filter') },
  'no-reseed': { title: 'no reseeding', words: 'the recovery library does not renew random state after a thaw', change: same, flags: ['-R'], arms: only('rollback-shunt') },
};

/** Absolute paths of the files on a root filesystem image. */
export function imageFiles(image: Uint8Array): Set<string> {
  const archive = gunzip(image);
  const entries = archive instanceof Uint8Array ? readCpio(archive).entries : [];
  return new Set(entries.map(({ name }) => `/${name.replace(/^\.?\//, '')}`));
}

const UNMODIFIED = {
  patched: 'its daemons are unmodified: there is no repaired build of them',
  placebo: 'its daemons are unmodified: there is no filter to replace',
  'no-reseed': 'its daemons are unmodified: nothing reseeds them after a thaw in the first place',
} as const;

/** Why this condition cannot be made of the scenario; null when it can. */
export function obstacle(condition: Condition, scenario: Scenario, files: ReadonlySet<string>, wanted: readonly ArmName[]): string | null {
  const tested = scenario.daemons.filter((daemon) => daemon.underTest);
  const silent = scenario.attack.length === 0 && scenario.fault.length === 0;
  const plain = tested.find((daemon) => !daemon.options);
  if (scenario.packages.length > 0 && condition !== 'attack' && condition !== 'no-attack') return UNMODIFIED[condition];
  switch (condition) {
    case 'attack': return null;
    case 'no-attack': return silent ? 'the scenario has no attack to leave out: its runs are this control' : null;
    case 'patched': {
      if (silent) return 'the scenario has no attack: the fault is what the program is for';
      const unpatched = tested.find((daemon) => !files.has(daemon.program + PATCHED));
      if (unpatched) return `there is no ${unpatched.program}${PATCHED} on the image: the fault is what the program is for`;
      return conditions.patched.arms(wanted).length === 0 ? 'needs the arm none or rollback-filter' : null;
    }
    case 'placebo':
      if (silent) return 'the scenario has no attack, so there is nothing to filter';
      if (plain) return `${plain.name} has no filter: it does not use the recovery library`;
      return wanted.includes('rollback-filter') && wanted.includes('rollback-shunt') ? null : 'needs the arms rollback-filter and, to compare with, rollback-shunt';
    case 'no-reseed':
      if (silent) return 'the scenario has no attack, so nothing need be thawed';
      if (plain) return `${plain.name} does not use the recovery library, which is what reseeds`;
      return wanted.includes('rollback-shunt') ? null : 'needs the arm rollback-shunt';
  }
}
