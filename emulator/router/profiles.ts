/**
 * What we know and what we assume of the boards. Clock, RAM and core are the manufacturers' figures (MediaTek MT7628, MT7621
 * and Ralink RT5350 product pages and data sheets). Everything under `cpi` and `costs` is our assumption, an order
 * of magnitude for a single-issue in-order MIPS core without a second-level cache, and is labelled so wherever a
 * modelled time is shown: counts come first, times are counts multiplied by these constants.
 */
export interface Profile {
  name: string;
  title: string;
  hz: number;
  ramBytes: number;
  /** Cycles an instruction takes on the average; a multiple of 1/64. */
  cpi: number;
  /** Instructions a process runs before another gets its turn. */
  quantum: number;
  /** Frames the receive ring of an interface holds. */
  rxRing: number;
  /** Cycles a unit of kernel work, by ledger name; multiples of 1/64. */
  costs: Record<string, number>;
}

const round64 = (cycles: number): number => Math.round(cycles * 64) / 64;

/**
 * Work that the core does (`core`, in cycles, the same on every board) and work that waits for memory (`memory`, in
 * nanoseconds a byte on this board).
 *
 * core: a null system call of some 300 cycles, a context switch of 2000 and a fault of 1200 are the order lmbench reports
 * for cores of this class; a vnode operation is taken as the length of its path in a BSD kernel, 400 to 2500 instructions.
 * Collecting a page for an image is a page-table walk (40); sharing it copy-on-write a reference and a protection more (60, as in fork).
 * These cores have no FPU: each floating point instruction traps into the kernel's emulator, taken as 400 cycles.
 * A block of a memory disk goes through the same layers as one of a real disk, but sleeps for nothing: 1500 beside the copy; finding a
 * buffer is a hash, a lock and a list (200), not finding one a buffer reclaimed besides (500).
 * A CRC-32 with four tables of 1 KiB takes some 5 cycles a byte; its tables stay in the cache.
 * memory: a copy reads and writes, so its rate is about half of what a memory of this width and clock delivers in bursts.
 */
function costs(hz: number, copyNsPerByte: number): Record<string, number> {
  const perByte = (ns: number): number => round64((ns * hz) / 1e9);
  return {
    'syscall': 300, 'fault.page': 1200, 'fault.cow': 1200, 'context.switch': 2000, 'signal.deliver': 1800, 'fork.page': 60, 'fp.instruction': 400,
    'packet.rx': 6000, 'packet.tx': 5000,
    'vop.lookup': 900, 'vop.create': 2500, 'vop.open': 400, 'vop.close': 400, 'vop.getattr': 400, 'vop.setattr': 500, 'vop.access': 400,
    'vop.read': 700, 'vop.write': 900, 'vop.fsync': 400, 'vop.remove': 1500, 'vop.rename': 2500, 'vop.link': 1500, 'vop.symlink': 2500,
    'vop.mkdir': 2500, 'vop.rmdir': 1500, 'vop.mknod': 2500, 'vop.readdir': 900, 'vop.readlink': 600, 'vop.inactive': 300, 'vop.putpages': 900, 'vop.tmpfile': 2500, 'vop.allocate': 900, 'vop.getpages': 700, 'vop.adopt': 900,
    'bio.read': 1500, 'bio.write': 1500, 'buf.hit': 200, 'buf.miss': 500,
    'checkpoint.page': 40, 'checkpoint.share': 60, 'checksum.bytes': 5,
    'copy.bytes': perByte(copyNsPerByte), 'zero.bytes': perByte(copyNsPerByte / 2),
  };
}

function board(name: string, title: string, hz: number, ramMiB: number, copyNsPerByte: number): Profile {
  return { name, title, hz, ramBytes: ramMiB * 1048576, cpi: 1.5, quantum: 200_000, rxRing: 128, costs: costs(hz, copyNsPerByte) };
}

export const profiles = {
  /** 16-bit DDR2 at 200 MHz: 800 MB/s in bursts; we assume 290 MB/s copied. */
  mt7628: board('mt7628', 'MediaTek MT7628, 24KEc 580 MHz, 64 MiB', 580_000_000, 64, 3.45),
  /** 16-bit SDRAM at 120 MHz: 240 MB/s in bursts; we assume 90 MB/s copied. */
  rt5350: board('rt5350', 'Ralink RT5350, 24KEc 360 MHz, 32 MiB', 360_000_000, 32, 11.1),
  /** 16-bit DDR3 at 600 MHz and a second-level cache; we assume 590 MB/s copied. One of its cores is emulated. */
  'er-x': board('er-x', 'EdgeRouter X, MT7621A 1004Kc 880 MHz, 256 MiB', 880_000_000, 256, 1.7),
} as const satisfies Record<string, Profile>;

export type ProfileName = keyof typeof profiles;
export const profileNames = Object.keys(profiles) as [ProfileName, ...ProfileName[]];
