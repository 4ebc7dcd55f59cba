import type { Host, NetInterface, NetStack } from '../../../emulator/net/index.js';
import type { Target } from './forms.js';

/** What the frames are thrown at. */
export interface Subject {
  readonly target: Target;
  /** Every IPv4 stack in it. */
  readonly stacks: Readonly<Record<string, NetStack>>;
  /** The interface the frames reach, and who sent all of them. */
  readonly port: NetInterface;
  readonly sender: Host;
  /** Put frames on the wire at once and let time pass. */
  give(frames: readonly Uint8Array[]): void;
  /** Ask it something; what is wrong with the answer, or null. */
  ask(): string | null;
  /** Send a stream of bytes through a connection while `meanwhile` happens; what is wrong with what arrived, or null. */
  stream(bytes: Uint8Array, meanwhile: () => void): string | null;
  /** Let everything settle. */
  rest(): void;
  /** Equal in two runs with the same frames. */
  digest(): string;
  /** What happened to its daemons, in words. */
  story(): string;
}
