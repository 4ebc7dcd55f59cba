import { formatDuration } from './units.js';
import type { ScenarioFile } from './schema.js';
import { ROUTER } from './topology.js';

/** Something that can be read and run, and would make the result mean nothing: where it stands, and what is wrong with it. */
export interface Oversight {
  path: (string | number)[];
  message: string;
}

/** All of a scenario's. */
export function oversights(scenario: ScenarioFile): Oversight[] {
  const { topology: { hosts }, daemons } = scenario;
  return [
    ...repeated(hosts.map(({ name }) => name), (i) => ['topology', 'hosts', i, 'name'], 'host', 'name'),
    ...repeated(hosts.map(({ address }) => address), (i) => ['topology', 'hosts', i, 'address'], 'host', 'address'),
    ...repeated(daemons.map(({ name }) => name), (i) => ['daemons', i, 'name'], 'daemon', 'name'),
    ...hosts.flatMap(({ on, address }, i) => unreachable(on, address, ['topology', 'hosts', i, 'address'])),
    ...tooLate(scenario),
  ];
}

function repeated(values: readonly string[], path: (i: number) => Oversight['path'], owner: string, what: string): Oversight[] {
  return values.flatMap((value, i) => (values.indexOf(value) === i ? [] : [{ path: path(i), message: `another ${owner} has the ${what} "${value}"; each needs its own` }]));
}

/** A host can be reached by its port's own network only: each is a /24 around the router's address. */
function unreachable(port: keyof typeof ROUTER, address: string, path: Oversight['path']): Oversight[] {
  const router = ROUTER[port];
  const network = router.replace(/\d+$/, '');
  const last = address.replace(/^.*\./, '');
  if (address === router) return [{ path, message: `"${address}" is the router's own address on ${port}; take another of ${network}0/24` }];
  return address.startsWith(network) && last !== '0' && last !== '255' ? [] : [{ path, message: `"${address}" is no host's address on ${port}; take one of ${network}0/24` }];
}

/** What would begin when all is over. */
function tooLate({ duration, load, attack, fault }: ScenarioFile): Oversight[] {
  if (duration === 0) return [{ path: ['duration'], message: 'leaves no time for anything; write how long the run lasts, like 40s' }];
  return Object.entries({ load, attack, fault }).flatMap(([part, all]) => all.flatMap(({ start }, i) =>
    (start < duration ? [] : [{ path: [part, i, 'start'], message: `begins after the run's end: it lasts ${formatDuration(duration)}, so lengthen \`duration\` or start earlier` }])));
}
