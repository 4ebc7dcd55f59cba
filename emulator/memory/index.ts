export { Ram, FrameUse, PAGE_MASK, PAGE_SHIFT, PAGE_SIZE } from './ram.js';
export { dropTlbPage, fillRead, fillWrite, flushTlb, flushWriteTlb, READ_TLB, TLB_EMPTY, TLB_ENTRIES, WRITE_TLB } from './tlb.js';
export { AnonPager, type Pager } from './pager.js';
export { Region, RegionFlag } from './region.js';
export { Access, AddressSpace, Fault, pageEnd, pageStart, Prot, PTE_COW, PTE_DIRTY, PTE_PRESENT, PTE_READ, PTE_WRITE, USER_END, USER_START, type MapRequest, type MappedPage } from './address-space.js';
