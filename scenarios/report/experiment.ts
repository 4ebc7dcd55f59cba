import type { SeedsFlags } from '../cli/seeds.js';
import type { SeedsResult } from '../experiment/seeds.js';
import type { Scenario } from '../scenario.js';

export async function seedsReport(_s: Scenario, _r: SeedsResult, _f: SeedsFlags): Promise<string> {
  return '';
}
