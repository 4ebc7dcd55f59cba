export { defineFilesystem, filesystemTypes, makeFilesystem } from './filesystem-types.js';
export { canAccess, isOwner, mayRemove } from './access.js';
export { OpenFlag } from './open-flags.js';
export { NAME_MAX, PATH_MAX, type Found, type NameContext } from './lookup.js';
export { Vfs, type FaultInjection, type Opened } from './vfs.js';
export {
  gatherLength, Vnode, type Attr, type AttrChange, type Cred, type DirEntry, type Filesystem, type Gather, type Mount, type Statfs, type Timespec, type VnodeType,
} from './vnode.js';
export { pagerOf, VnodePager } from './vnode-pager.js';
export * from './vop.js';
