/**
 * Reader of the cpio "newc" format (Linux: Documentation/driver-api/early-userspace/buffer-format.rst).
 *
 *   offset 0  "070701" (or "070702", with a checksum field that is not checked for names)
 *          6  13 fields of 8 hexadecimal digits: ino mode uid gid nlink mtime filesize devmajor devminor
 *             rdevmajor rdevminor namesize check
 *        110  name with its final NUL, padded with NULs to a multiple of 4
 *             contents, padded to a multiple of 4
 *
 * The end is an entry named "TRAILER!!!". Archives are untrusted: whatever is wrong comes back as one error
 * with the offset where it stands.
 */
export interface CpioEntry {
  /** Without leading "/" or "./"; "" is the root itself. */
  name: string;
  /** File type and permission bits, as st_mode. */
  mode: number;
  uid: number;
  gid: number;
  nlink: number;
  mtime: number;
  /** (major << 8) | minor. */
  rdev: number;
  /** Names of one file share `inode` (device and inode number). */
  inode: string;
  /** A view of the archive. */
  content: Uint8Array;
  /** Of the header, for error messages. */
  offset: number;
}

export interface ArchiveError {
  offset: number;
  message: string;
}

export interface CpioListing {
  entries: CpioEntry[];
  /** What stopped the reading; the entries before it are whole. */
  error?: ArchiveError;
}

const HEADER = 110;
const TRAILER = 'TRAILER!!!';
const NAME_LIMIT = 4096;
const FIELDS = ['ino', 'mode', 'uid', 'gid', 'nlink', 'mtime', 'filesize', 'devmajor', 'devminor', 'rdevmajor', 'rdevminor', 'namesize', 'check'] as const;
type Fields = Record<(typeof FIELDS)[number], number>;

export function readCpio(archive: Uint8Array): CpioListing {
  const entries: CpioEntry[] = [];
  let at = 0;
  for (;;) {
    at = skipPadding(archive, at);
    const result = readEntry(archive, at);
    if ('message' in result) return { entries, error: result };
    if (result.entry === null) return { entries };
    entries.push(result.entry);
    at = result.next;
  }
}

/** Archives may be concatenated with NULs between them, as the kernel's initramfs allows. */
function skipPadding(archive: Uint8Array, from: number): number {
  let at = from;
  while (at < archive.length && archive[at] === 0) at++;
  return at;
}

function readEntry(archive: Uint8Array, at: number): { entry: CpioEntry | null; next: number } | ArchiveError {
  const error = (message: string, offset = at): ArchiveError => ({ offset, message });
  if (at + HEADER > archive.length) return error('the archive ends without its trailer');
  const magic = latin1(archive, at, at + 6);
  if (magic !== '070701' && magic !== '070702') return error(`not a cpio newc header (found ${JSON.stringify(magic)})`);
  const fields = readFields(archive, at + 6);
  if (typeof fields === 'number') return error('a header field is not a hexadecimal number', fields);
  if (fields.namesize < 1 || fields.namesize > NAME_LIMIT) return error(`a name of ${fields.namesize} bytes`);
  const nameEnd = at + HEADER + fields.namesize;
  const start = align4(nameEnd);
  const end = start + fields.filesize;
  if (nameEnd > archive.length) return error('the archive ends within a name');
  if (archive[nameEnd - 1] !== 0) return error('a name is not terminated', nameEnd - 1);
  const raw = latin1(archive, at + HEADER, nameEnd - 1);
  if (raw === TRAILER) return { entry: null, next: nameEnd };
  if (end > archive.length) return error(`the archive ends within ${JSON.stringify(raw)} (${fields.filesize} bytes long)`);
  const name = cleanName(raw);
  if (name === null) return error(`the name ${JSON.stringify(raw)} leads out of the archive or is malformed`);
  return { entry: entryOf(fields, name, archive.subarray(start, end), at), next: align4(end) };
}

function entryOf(fields: Fields, name: string, content: Uint8Array, offset: number): CpioEntry {
  const { mode, uid, gid, nlink, mtime } = fields;
  return {
    name, mode, uid, gid, nlink, mtime, content, offset,
    rdev: ((fields.rdevmajor & 0xfff) << 8) | (fields.rdevminor & 0xff),
    inode: `${fields.devmajor}:${fields.devminor}:${fields.ino}`,
  };
}

function readFields(archive: Uint8Array, start: number): Fields | number {
  const fields = {} as Fields;
  for (let i = 0; i < FIELDS.length; i++) {
    const at = start + 8 * i;
    const text = latin1(archive, at, at + 8);
    if (!/^[0-9a-fA-F]{8}$/.test(text)) return at;
    fields[FIELDS[i]] = parseInt(text, 16);
  }
  return fields;
}

/** "./a//b/" -> "a/b"; null for a name with "..", a NUL or a component that is too long. */
function cleanName(raw: string): string | null {
  if (raw.includes('\0')) return null;
  const parts = raw.split('/').filter((part) => part !== '' && part !== '.');
  return parts.some((part) => part === '..' || part.length > 255) ? null : parts.join('/');
}

function align4(offset: number): number {
  return (offset + 3) & ~3;
}

function latin1(bytes: Uint8Array, from: number, to: number): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1', from, to);
}
