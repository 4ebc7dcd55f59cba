import { Store, type WriteOptions } from '../../emulator/checkpoint/index.js';

/**
 * The factorial: where the image goes, how its pages get there, and what is done besides. Every combination exists, so
 * that any two differ in one thing only.
 */
export const paths = ['vnode', 'shunt'] as const;
export const transfers = ['fresh', 'reused', 'share'] as const;
/** plain: nothing more. Checksum, atomic replacement and an ELF file are on for both paths or for neither. */
export const extras = ['plain', 'checksum', 'atomic', 'export'] as const;

export type Path = (typeof paths)[number];
export type Transfer = (typeof transfers)[number];
export type Extra = (typeof extras)[number];

export interface Cell {
  path: Path;
  transfer: Transfer;
  extra: Extra;
}

export const cells: readonly Cell[] = extras.flatMap((extra) => transfers.flatMap((transfer) => paths.map((path) => ({ path, transfer, extra }))));
export const plainCells = cells.filter(({ extra }) => extra === 'plain');

export const cellKey = ({ path, transfer, extra }: Cell): string => `${path}/${transfer}${extra === 'plain' ? '' : `+${extra}`}`;

const pathWords: Record<Path, Record<Transfer, string>> = {
  vnode: { fresh: 'vnodes, new file', reused: 'vnodes, over the existing file', share: 'vnodes, file adopts the pages' },
  shunt: { fresh: 'shunt, copy into fresh frames', reused: 'shunt, copy into a warm pool', share: 'shunt, share the pages' },
};
const extraWords: Record<Extra, string> = { plain: '', checksum: ', checksum', atomic: ', atomic', export: ', as ELF file' };

export const cellTitle = ({ path, transfer, extra }: Cell): string => pathWords[path][transfer] + extraWords[extra];

/**
 * new: a checkpoint of its own, dropped afterwards. into: the same checkpoint again and again. turns: two of them in turn, so that one
 * is whole at any moment although both are overwritten where they are.
 */
export type Manner = 'new' | 'into' | 'turns';

export interface Way {
  store: number;
  write: Partial<WriteOptions>;
  manner: Manner;
}

const shuntStores: Record<Transfer, number> = { fresh: Store.copy, reused: Store.pool, share: Store.share };

/** How sys_checkpoint is to be called for a cell. */
export function wayOf({ path, transfer, extra }: Cell): Way {
  const atomic = extra === 'atomic';
  const checksum = extra === 'checksum';
  // The shunt makes the new image, then drops the old one: a freeze into a checkpoint is atomic by itself.
  if (path === 'shunt') return { store: shuntStores[transfer], write: { checksum }, manner: atomic ? 'into' : 'new' };
  const overwrites = transfer === 'reused';
  const write = { checksum, complete: extra === 'export', inPlace: overwrites || !atomic, adopt: transfer === 'share' };
  if (overwrites) return { store: Store.vnode, write, manner: atomic ? 'turns' : 'into' };
  return { store: Store.vnode, write, manner: atomic ? 'into' : 'new' };
}
