/**
 * Error numbers of Linux/MIPS o32 (arch/mips/include/uapi/asm/errno.h). From 35 up they differ from
 * the generic table. Inside the machine a failed operation is the *negative* number: `-Errno.ENOENT`.
 */
export const Errno = {
  EPERM: 1, ENOENT: 2, ESRCH: 3, EINTR: 4, EIO: 5, ENXIO: 6, E2BIG: 7, ENOEXEC: 8, EBADF: 9, ECHILD: 10,
  EAGAIN: 11, ENOMEM: 12, EACCES: 13, EFAULT: 14, ENOTBLK: 15, EBUSY: 16, EEXIST: 17, EXDEV: 18, ENODEV: 19,
  ENOTDIR: 20, EISDIR: 21, EINVAL: 22, ENFILE: 23, EMFILE: 24, ENOTTY: 25, ETXTBSY: 26, EFBIG: 27, ENOSPC: 28,
  ESPIPE: 29, EROFS: 30, EMLINK: 31, EPIPE: 32, EDOM: 33, ERANGE: 34, ENOMSG: 35, EIDRM: 36, EDEADLK: 45,
  ENOLCK: 46, ENODATA: 61, ETIME: 62, ENONET: 64, ENOLINK: 67, EPROTO: 71, EBADMSG: 77, ENAMETOOLONG: 78, EOVERFLOW: 79, EILSEQ: 88,
  ENOSYS: 89, ELOOP: 90, ENOTEMPTY: 93, EUSERS: 94, ENOTSOCK: 95, EDESTADDRREQ: 96, EMSGSIZE: 97,
  EPROTOTYPE: 98, ENOPROTOOPT: 99, EPROTONOSUPPORT: 120, ESOCKTNOSUPPORT: 121, EOPNOTSUPP: 122,
  EPFNOSUPPORT: 123, EAFNOSUPPORT: 124, EADDRINUSE: 125, EADDRNOTAVAIL: 126, ENETDOWN: 127, ENETUNREACH: 128,
  ENETRESET: 129, ECONNABORTED: 130, ECONNRESET: 131, ENOBUFS: 132, EISCONN: 133, ENOTCONN: 134, EUCLEAN: 135,
  ESHUTDOWN: 143, ETOOMANYREFS: 144, ETIMEDOUT: 145, ECONNREFUSED: 146, EHOSTDOWN: 147, EHOSTUNREACH: 148,
  EALREADY: 149, EINPROGRESS: 150, ESTALE: 151, ECANCELED: 158, EOWNERDEAD: 165, ENOTRECOVERABLE: 166,
  EDQUOT: 1133,
} as const;

export type ErrnoName = keyof typeof Errno;

const names = new Map<number, string>(Object.entries(Errno).map(([name, value]) => [value, name]));

/** Name of a positive errno, e.g. 2 -> "ENOENT"; an unknown one comes back as its number. */
export function errnoName(value: number): string {
  return names.get(value) ?? String(value);
}

/**
 * The result of an operation a guest can make fail: >= 0 is success, a negative errno is failure.
 * Operations that yield an object return `Object | Fail`; test it with `failed()`.
 */
export type Result = number;
export type Fail = number;

export function failed(value: unknown): value is Fail {
  return typeof value === 'number' && value < 0;
}
