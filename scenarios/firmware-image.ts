import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** The router does not come up. */
export class BootError extends Error {
  override readonly name = 'BootError';
}

/** The root filesystem built from router-firmware. */
export function firmwareImage(): Uint8Array {
  const here = import.meta.dirname;
  for (const path of [join(here, '..', 'router-firmware', 'image', 'router.cpio.gz'), join(here, '..', '..', 'router-firmware', 'image', 'router.cpio.gz')]) {
    try {
      return readFileSync(path);
    } catch {
      continue;
    }
  }
  throw new BootError('router-firmware/image/router.cpio.gz is missing; build it with: npm run firmware');
}
