/** A zip file without compression: photos are compressed already, and the page stays small. */

export interface Entry {
  /** Path within the archive, with `/`. */
  name: string;
  bytes: Uint8Array;
}

const UTF8_NAMES = 0x0800;
const VERSION = 20;
const POLYNOMIAL = 0xedb88320;

const TABLE = /* @__PURE__ */ Uint32Array.from({ length: 256 }, (_, n) => {
  let value = n;
  for (let bit = 0; bit < 8; bit += 1) value = value & 1 ? POLYNOMIAL ^ (value >>> 1) : value >>> 1;
  return value;
});

export function crc32(bytes: Uint8Array): number {
  let value = 0xffffffff;
  for (const byte of bytes) value = (TABLE[(value ^ byte) & 0xff] ?? 0) ^ (value >>> 8);
  return (value ^ 0xffffffff) >>> 0;
}

/** Date and time as DOS kept them: local, two seconds exact, from 1980 on. */
function dosTime(at: Date): [time: number, date: number] {
  const year = Math.max(0, at.getFullYear() - 1980);
  return [
    (at.getHours() << 11) | (at.getMinutes() << 5) | (at.getSeconds() >> 1),
    (year << 9) | ((at.getMonth() + 1) << 5) | at.getDate(),
  ];
}

/** Little-endian numbers of the given widths, one after the other. */
function packed(fields: readonly (readonly [value: number, width: 2 | 4])[]): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(fields.reduce((sum, [, width]) => sum + width, 0));
  const view = new DataView(bytes.buffer);
  let at = 0;
  for (const [value, width] of fields) {
    if (width === 2) view.setUint16(at, value, true);
    else view.setUint32(at, value, true);
    at += width;
  }
  return bytes;
}

/** The archive as parts of a Blob. */
export function zip(entries: readonly Entry[], at: Date): BlobPart[] {
  const [time, date] = dosTime(at);
  const [files, directory]: [BlobPart[], BlobPart[]] = [[], []];
  let [offset, listed] = [0, 0];
  for (const { name, bytes } of entries) {
    const path = new TextEncoder().encode(name);
    const size = bytes.byteLength;
    const common = [
      [VERSION, 2], [UTF8_NAMES, 2], [0, 2], [time, 2], [date, 2], [crc32(bytes), 4], [size, 4], [size, 4], [path.length, 2], [0, 2],
    ] as const;
    const head = packed([[0x04034b50, 4], ...common]);
    const line = packed([[0x02014b50, 4], [VERSION, 2], ...common, [0, 2], [0, 2], [0, 2], [0, 4], [offset, 4]]);
    files.push(head, path, bytes as Uint8Array<ArrayBuffer>);
    directory.push(line, path);
    offset += head.length + path.length + size;
    listed += line.length + path.length;
  }
  const count = entries.length;
  const end = packed([[0x06054b50, 4], [0, 2], [0, 2], [count, 2], [count, 2], [listed, 4], [offset, 4], [0, 2]]);
  return [...files, ...directory, end];
}
