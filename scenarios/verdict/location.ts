import { basename } from 'node:path';
import { hex } from '../../emulator/base/index.js';
import type { AddressSpace } from '../../emulator/memory/index.js';

export interface Location {
  /** The mapped file's name without its folder, or "[heap]", "[stack]", …. */
  object: string;
  offset: number;
}

/** The mapping an address falls into, counted from where its object begins: for a shared object that is the address its ELF file gives. Null outside all. */
export function locate(space: AddressSpace, address: number): Location | null {
  const region = space.regions.find(({ start, end }) => address >= start && address < end);
  if (!region || region.name === '') return null;
  const first = space.regions.find(({ name }) => name === region.name);
  return { object: basename(region.name), offset: address - (first?.start ?? region.start) };
}

/** "0x77e01234 (libc.so.6+0x1234)". */
export function locationText(space: AddressSpace, address: number): string {
  const place = locate(space, address);
  return place ? `${hex(address)} (${place.object}+${hex(place.offset)})` : hex(address);
}
