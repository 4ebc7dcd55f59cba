import type { ProfileName } from '../../emulator/router/profiles.js';
import { profiles } from '../../emulator/router/profiles.js';
import { measureRungs, type MeasureOptions, type RungResults } from './measurement.js';
import { ladder } from './rungs.js';
import type { Ramdisk, Subject } from './subject.js';

/** Every rung for one process on one ramdisk. */
export interface FactorialResult extends RungResults {
  kind: 'factorial';
  subject: string;
  profile: ProfileName;
  hz: number;
  ramdisk: Ramdisk;
  residentPages: number;
}

export function measureFactorial(subject: Subject, place: { profile: ProfileName; ramdisk: Ramdisk }, options: MeasureOptions): FactorialResult {
  const residentPages = subject.process.space.residentPages();
  return { kind: 'factorial', subject: subject.name, ...place, hz: profiles[place.profile].hz, residentPages, ...measureRungs(subject, ladder(subject), options) };
}
