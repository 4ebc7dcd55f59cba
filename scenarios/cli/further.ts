import { commandName } from './command-name.js';
import type { ReplayResult } from '../replay.js';

const hex = (value: number): string => `0x${(value >>> 0).toString(16)}`;

/** Commands that show more of what happened, with the files this run left. */
export function furtherSteps(result: ReplayResult, flags: { report?: string; pcap?: string; core?: string }): string[] {
  const lines = ['To look further'];
  const again = `${commandName()} replay ${result.scenario}`;
  const faulted = result.arms.find((arm) => arm.firstFault);
  if (faulted?.firstFault) {
    const { daemon, signal, pc, address, seconds } = faulted.firstFault;
    lines.push(`  first fault (${faulted.arm}): ${daemon}, signal ${signal}, pc ${hex(pc)}, address ${hex(address)}, ${seconds.toFixed(2)} s after power-on`);
    const core = faulted.files.core;
    if (core) lines.push(`  gdb-multiarch router-firmware/debug/${daemon} ${core} -ex bt -ex 'info registers' -ex 'x/i $pc'`);
    else lines.push(`  ${again} --arm ${faulted.arm} --core /tmp/cores     its core, for gdb-multiarch`);
  }
  const capture = result.arms.find((arm) => arm.files.pcap)?.files.pcap;
  if (capture) lines.push(`  wireshark ${capture}     (or: tshark -r ${capture})`);
  else lines.push(`  ${again} --pcap /tmp/captures     captures, for wireshark or tshark`);
  if (flags.report === undefined) lines.push(`  ${again} --report /tmp/report.html     timelines and state diagrams`);
  else lines.push(`  ${flags.report}: open it in a browser`);
  return lines;
}
