import type { Random } from '../../emulator/base/index.js';
import { yes, wildRecord } from './console.js';
import { stackSmash } from './dhcp.js';
import { ednsLeak, ednsUnderflow, pointerLoop } from './dns.js';

export { formNames, forms, type FormName, type Formed } from './forms.js';

/** Attack messages made rather than captured. */
export const generators = {
  'dns-edns-underflow': ednsUnderflow,
  'dns-pointer-loop': pointerLoop,
  'dns-edns-leak': ednsLeak,
  'dhcp-long-host-name': stackSmash,
  'console-yes': yes,
  'wild-record': wildRecord,
} as const satisfies Record<string, (random: Random) => Uint8Array>;

export type GeneratorName = keyof typeof generators;
export const generatorNames = Object.keys(generators) as [GeneratorName, ...GeneratorName[]];
