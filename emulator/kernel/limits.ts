/** Resource limits (setrlimit(2)); numbers as on MIPS (arch/mips/include/uapi/asm/resource.h). No limit is Infinity. */
export const Rlimit = {
  CPU: 0, FSIZE: 1, DATA: 2, STACK: 3, CORE: 4, NOFILE: 5, AS: 6, RSS: 7, NPROC: 8, MEMLOCK: 9,
  LOCKS: 10, SIGPENDING: 11, MSGQUEUE: 12, NICE: 13, RTPRIO: 14, RTTIME: 15,
} as const;
export const RLIM_NLIMITS = 16;
/** RLIM_INFINITY of the 32-bit calls. */
export const RLIM_INFINITY = 0x7fffffff;

export interface Limit {
  soft: number;
  hard: number;
}

const limit = (soft: number, hard = soft): Limit => ({ soft, hard });

/** What the first process gets; as include/asm-generic/resource.h, with no core files larger than memory to fear. */
export function defaultLimits(): Limit[] {
  const limits = Array.from({ length: RLIM_NLIMITS }, () => limit(Infinity));
  limits[Rlimit.STACK] = limit(8 << 20, Infinity);
  limits[Rlimit.CORE] = limit(0, Infinity);
  limits[Rlimit.NOFILE] = limit(1024, 4096);
  limits[Rlimit.NPROC] = limit(512);
  limits[Rlimit.MEMLOCK] = limit(64 << 10);
  limits[Rlimit.SIGPENDING] = limit(512);
  limits[Rlimit.MSGQUEUE] = limit(819200);
  limits[Rlimit.NICE] = limit(0);
  limits[Rlimit.RTPRIO] = limit(0);
  return limits;
}

export const copyLimits = (limits: readonly Limit[]): Limit[] => limits.map((one) => ({ ...one }));
