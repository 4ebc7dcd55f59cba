import { cpus } from 'node:os';

/** What stands beside every time that was taken by this computer's clock. */
export const hostWords = (): string => `${cpus()[0]?.model ?? 'unknown processor'}, Node ${process.version}`;
