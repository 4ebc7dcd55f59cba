import { commandName } from './command-name.js';
import type { ArmResult, ReplayResult } from '../replay.js';

/** gdb with the core and the program that has its symbols. */
export function gdbCommand({ files }: ArmResult): string | null {
  if (files.core === undefined) return null;
  return `gdb-multiarch -batch -ex bt -ex 'info registers' -ex 'x/i $pc' ${files.program ?? '-c'} ${files.core}`;
}

/** Commands that show more of what happened, with the files this run left. `again` is the command that repeats it. */
export function furtherSteps(result: ReplayResult, flags: { report?: string; pcap?: string; core?: string }, again = `${commandName()} replay ${result.scenario}`): string[] {
  const lines = ['To look further'];
  const faulted = result.arms.find((arm) => arm.firstFault);
  if (faulted) lines.push(`  ${gdbCommand(faulted) ?? `${again} --arm ${faulted.arm} --core /tmp/cores     its core and the program with symbols, for gdb-multiarch`}`);
  const capture = result.arms.find((arm) => arm.files.pcap)?.files.pcap;
  if (capture) lines.push(`  wireshark ${capture}     (or: tshark -r ${capture})`);
  else lines.push(`  ${again} --pcap /tmp/captures     captures, for wireshark or tshark`);
  if (flags.report === undefined) lines.push(`  ${again} --report /tmp/report.html     timelines and state diagrams`);
  else lines.push(`  ${flags.report}: open it in a browser`);
  return lines;
}
