import { closeSync, openSync, readSync, statSync } from 'node:fs';
import { readInput } from '../input-file.js';
import { looksLikeRecording, readRecording } from '../live/recording.js';
import { repeat } from '../live/recorded.js';
import { EXIT } from './errors.js';
import { Progress } from './progress.js';

const MAX_RECORDING_BYTES = 1 << 30;
const HEAD = 64;

/** Is it a file that `shuntbox boot --record` made? */
export function isRecording(name: string): boolean {
  if (!statSync(name, { throwIfNoEntry: false })?.isFile()) return false;
  const file = openSync(name, 'r');
  const head = Buffer.alloc(HEAD);
  const length = readSync(file, head, 0, HEAD, 0);
  closeSync(file);
  return looksLikeRecording(head.toString('utf8', 0, length));
}

/** Run a recorded session again and compare: exit status 1 when the event log or what left the machine differs. */
export function repeatRecording(file: string, flags: { json?: boolean; rootfs?: string }): void {
  const recording = readRecording(file, readInput(file, MAX_RECORDING_BYTES, 'no session is so long').toString('utf8'));
  const progress = new Progress();
  const { outcome, same } = repeat(recording, { rootfs: flags.rootfs, onProgress: (share) => progress.show('replaying', share) });
  progress.stop();
  const verdict = same === null ? 'the recording has no end to compare with: that session was cut off' : same ? 'the same event log and the same output, byte for byte' : 'DIFFERS from the recording: another root filesystem, or another version of shuntbox?';
  if (flags.json) process.stdout.write(JSON.stringify({ schema: 'shuntbox-recording/1', file, recorded: recording.outcome, repeated: outcome, same }, null, 2) + '\n');
  else process.stdout.write(`${file}: ${recording.inputs.length} inputs repeated; ${verdict}\n  event log ${outcome.eventLog}\n  output    ${outcome.output}\n`);
  process.exitCode = same === false ? EXIT.failed : EXIT.ok;
}
