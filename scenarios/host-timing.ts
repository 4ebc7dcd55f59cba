import { findSyscall, type Handler } from '../emulator/kernel/index.js';

/** What freezes and thaws cost the host, in milliseconds: never part of the machine's state or of its event log. */
export interface HostTimes {
  freeze: number[];
  thaw: number[];
}

const SYS_CHECKPOINT = 4900;
/** Low byte of the call's first argument: what is done. */
const OPERATION = { freeze: 1, thaw: 2, freezeInto: 3 } as const;

/** Runs `work` with a stop-watch around every freeze and thaw. */
export function withHostTimes<T>(work: () => T): { result: T; times: HostTimes } {
  const times: HostTimes = { freeze: [], thaw: [] };
  const call = findSyscall(SYS_CHECKPOINT) as { handler: Handler } | undefined;
  if (!call) return { result: work(), times };
  const inner = call.handler;
  call.handler = (kernel, thread, type, ...rest) => {
    const begin = performance.now();
    const value = inner(kernel, thread, type, ...rest);
    const operation = type & 0xff;
    if (operation === OPERATION.thaw) times.thaw.push(performance.now() - begin);
    else if (operation === OPERATION.freeze || operation === OPERATION.freezeInto) times.freeze.push(performance.now() - begin);
    return value;
  };
  try {
    return { result: work(), times };
  } finally {
    call.handler = inner;
  }
}
