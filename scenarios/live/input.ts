import { createHash } from 'node:crypto';
import type { Setup } from './recording.js';

/**
 * What entered from outside. `until` is the virtual time, in cycles, the machine had been asked to run to when it entered: running to the
 * same times and applying the same inputs repeats the session.
 */
export type Input = { until: number } & (
  | { kind: 'open'; id: number; forward: number }
  | { kind: 'data'; id: number; bytes: Uint8Array }
  | { kind: 'end' | 'abort' | 'pause' | 'resume'; id: number }
  | { kind: 'datagram'; id: number; forward: number; bytes: Uint8Array }
  | { kind: 'console'; bytes: Uint8Array }
  | { kind: 'console-end' }
);

export const RECORDING_SCHEMA = 'shuntbox-live/1';

export interface Outcome {
  until: number;
  /** SHA-256 of the event log, and of what left the machine. */
  eventLog: string;
  output: string;
  inputs: number;
}

export const setupLine = (setup: Setup): string => JSON.stringify(setup) + '\n';

export function inputLine(input: Input): string {
  return JSON.stringify('bytes' in input ? { ...input, bytes: Buffer.from(input.bytes).toString('base64') } : input) + '\n';
}

export const outcomeLine = (outcome: Outcome): string => JSON.stringify({ kind: 'outcome', ...outcome }) + '\n';

export const sha256 = (): ReturnType<typeof createHash> => createHash('sha256');
