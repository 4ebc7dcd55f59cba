export { BlockFilesystem, type BlockOptions } from './block/block-filesystem.js';
export { readCpio, type ArchiveError, type CpioEntry, type CpioListing } from './cpio.js';
export { writeCpio, type CpioSource } from './cpio-writer.js';
export { gunzip, unpackInitramfs } from './initramfs.js';
export { ramdiskKinds, type RamdiskKind } from './kinds.js';
export { Ramdisk, type RamdiskOptions } from './ramdisk.js';
export { RamdiskVnode } from './ramdisk-vnode.js';
