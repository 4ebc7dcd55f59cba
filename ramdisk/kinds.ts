/** What a router's root filesystem is: a tmpfs, or a file system on a memory block device behind a buffer cache. */
export const ramdiskKinds = ['tmpfs', 'block'] as const;
export type RamdiskKind = (typeof ramdiskKinds)[number];
