import type { NetInterface } from './interface.js';

/** Whom a frame was for (linux/if_packet.h). */
export const PacketKind = { HOST: 0, BROADCAST: 1, MULTICAST: 2, OTHERHOST: 3, OUTGOING: 4 } as const;

/** Sees the frames of the stack's interfaces, before the stack acts on them (packet(7)). */
export interface PacketTap {
  /** `kind` is a PacketKind; the frame may be kept but not changed. True: it was wanted and kept. */
  onFrame(device: NetInterface, frame: Uint8Array, kind: number): boolean;
}
