import { readFileSync } from 'node:fs';
import { coremarkLike } from './coremark-like.js';
import { dnsdAnswering } from './dnsd.js';
import { dnsmasqAnswering } from './dnsmasq.js';
import { forwarded } from './forward.js';
import { memory } from './memory.js';
import { rate } from './rate.js';
import { routing } from './routing.js';
import { starts } from './start.js';
import { streams } from './streams.js';
import type { Bench } from './workload.js';

/** How much of each is done in one run. */
export interface Size {
  iterations: number;
  queries: number;
  /** Of a stream within the emulated network, and through a forward. */
  bytes: number;
  forwardedBytes: number;
  connections: number;
  frames: number;
  halfOpen: number;
  established: number;
}

/** About a second a run. */
export const FULL: Size = { iterations: 3000, queries: 20_000, bytes: 20e6, forwardedBytes: 4e6, connections: 4000, frames: 100_000, halfOpen: 20_000, established: 2000 };
/** Only to see that everything runs. */
export const QUICK: Size = { iterations: 20, queries: 30, bytes: 300_000, forwardedBytes: 100_000, connections: 20, frames: 500, halfOpen: 500, established: 50 };

/** Everything there is, in the order it is run. `rootfs`: a distribution's root filesystem, or null. */
export function catalog(root: string, size: Size, rootfs: string | null): Bench[] {
  const netbench = `${root}test/guest/bench/netbench`;
  const image = readFileSync(`${root}router-firmware/image/router.cpio.gz`);
  const workloads = [
    coremarkLike(`${root}test/guest/bench/coremark-like`, size.iterations),
    dnsdAnswering(root, size.queries),
    dnsmasqAnswering(rootfs, size.queries),
    ...streams(netbench, size.bytes, size.connections),
    ...forwarded(netbench, image, size.forwardedBytes),
    ...routing(size.frames),
  ];
  return [...workloads.map(rate), ...memory(netbench, size.halfOpen, size.established), ...starts(`${root}dist/shuntbox.js`, rootfs)];
}
