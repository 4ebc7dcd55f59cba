import type { Arm } from './arms.js';
import type { ScenarioFile } from './schema.js';
import { ROUTER } from './topology.js';

/** /etc/init.conf for one arm: the arm's policy and flags go to the daemons under test, the others are supervised as usual. */
export function initConf(scenario: Pick<ScenarioFile, 'daemons'>, arm: Arm): string {
  const lines = [
    'hostname shuntbox',
    'interface lo 127.0.0.1/8',
    `interface lan0 ${ROUTER.lan0}/24`,
    `interface wan0 ${ROUTER.wan0}/24`,
    'route default 203.0.113.1',
    'sysctl net.ipv4.ip_forward 1',
  ];
  for (const { name, program, arguments: words, underTest, options, addressSpace } of scenario.daemons) {
    if (addressSpace !== undefined) lines.push(`limit ${name} as ${addressSpace}`);
    const policy = underTest ? arm.policy : 'respawn 3600 5 5';
    lines.push(['daemon', name, policy, '--', program, ...words, ...(underTest && options ? arm.flags : [])].join(' '));
  }
  return lines.join('\n') + '\n';
}
