/** A file of a tar archive. */
export interface TarMember {
  /** At most 99 bytes, no leading slash. */
  readonly name: string;
  readonly mode: number;
  readonly bytes: Uint8Array;
}

const BLOCK = 512;
const SIZE_LIMIT = 8 ** 11;

/**
 * Members in the POSIX ustar format, without owner and time, so that equal input gives equal bytes. Ends without the two
 * empty blocks of an archive: the parts can be joined, `TAR_END` goes last.
 */
export function tarMembers(members: readonly TarMember[]): Uint8Array<ArrayBuffer> {
  const total = members.reduce((sum, { bytes }) => sum + BLOCK + roundUp(bytes.length), 0);
  const archive = new Uint8Array(total);
  let at = 0;
  for (const member of members) {
    archive.set(tarHeader(member), at);
    archive.set(member.bytes, at + BLOCK);
    at += BLOCK + roundUp(member.bytes.length);
  }
  return archive;
}

/** The end of an archive. */
export const TAR_END: Uint8Array<ArrayBuffer> = new Uint8Array(2 * BLOCK);

/** Fields and offsets: POSIX.1-2017, pax, "ustar Interchange Format". */
function tarHeader({ name, mode, bytes }: TarMember): Uint8Array {
  const header = new Uint8Array(BLOCK);
  const put = (text: string, offset: number) => header.set(new TextEncoder().encode(text), offset);
  const octal = (value: number, digits: number) => value.toString(8).padStart(digits, "0");
  if (new TextEncoder().encode(name).length > 99) throw new RangeError(`Cannot pack '${name}': 99 bytes at most`);
  if (bytes.length >= SIZE_LIMIT) throw new RangeError(`Cannot pack '${name}': smaller than 8 GiB is wanted`);
  put(name, 0);
  put(octal(mode, 7), 100);
  put(octal(0, 7), 108);
  put(octal(0, 7), 116);
  put(octal(bytes.length, 11), 124);
  put(octal(0, 11), 136);
  put(" ".repeat(8), 148); // The checksum counts itself as blanks.
  put("0", 156); // A regular file.
  put("ustar\0" + "00", 257);
  put(octal(header.reduce((sum, byte) => sum + byte, 0), 6) + "\0 ", 148);
  return header;
}

function roundUp(length: number): number {
  return Math.ceil(length / BLOCK) * BLOCK;
}
