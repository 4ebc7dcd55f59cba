/** General registers by their names in the o32 ABI, in the order of their numbers. */
export const registerNames = [
  'zero', 'at', 'v0', 'v1', 'a0', 'a1', 'a2', 'a3', 't0', 't1', 't2', 't3', 't4', 't5', 't6', 't7',
  's0', 's1', 's2', 's3', 's4', 's5', 's6', 's7', 't8', 't9', 'k0', 'k1', 'gp', 'sp', 'fp', 'ra',
] as const;

export type RegisterName = (typeof registerNames)[number];

export const registerNumber = (name: RegisterName): number => registerNames.indexOf(name);
