import type { Random } from '../../emulator/base/index.js';
import { wildAccount, wildRecord, yes } from './console.js';
import { fqdnLoop, stackSmash, starvation } from './dhcp.js';
import { deviceName, ednsLeak, ednsUnderflow, pointerLoop, unanswered } from './dns.js';
import { endlessHead, shortRequest } from './http.js';
import { echoFlood, fragmentFlood } from './flood.js';

export { formNames, forms, type FormName, type Formed } from './forms.js';

/** Attack messages made rather than captured: one, or several that are sent in turn. */
export const generators = {
  'dns-edns-underflow': ednsUnderflow,
  'dns-pointer-loop': pointerLoop,
  'dns-edns-leak': ednsLeak,
  'dns-device-name': deviceName,
  'dns-unanswered': unanswered,
  'dhcp-long-host-name': stackSmash,
  'dhcp-fqdn-loop': fqdnLoop,
  'dhcp-starvation': starvation,
  'quota-wild-account': wildAccount,
  'http-endless-head': endlessHead,
  'http-short-request': shortRequest,
  'icmp-echo-flood': echoFlood,
  'ip-fragment-flood': fragmentFlood,
  'console-yes': yes,
  'wild-record': wildRecord,
} as const satisfies Record<string, (random: Random) => Uint8Array | Uint8Array[]>;

export type GeneratorName = keyof typeof generators;
export const generatorNames = Object.keys(generators) as [GeneratorName, ...GeneratorName[]];
