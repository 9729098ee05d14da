/**
 * What a camera wrote into its JPEG: when and where it was taken. Read from the head of the file, before drawing it
 * anew loses it. Only what is asked for is looked at, nothing is followed twice, so rubbish ends in "not known".
 */

export interface CameraNote {
  /** RFC 3339, UTC. */
  takenAt: string | null;
  /** WGS-84, as the standard says; null island and what lies off the globe count as no position. */
  fix: { lng: number; lat: number } | null;
}

/** The note stands in the first segments; one segment has 64 KB at most. */
export const HEAD_BYTES = 256 * 1024;

const NOTHING: CameraNote = { takenAt: null, fix: null };
const START = 0xffd8;
const NOTE_SEGMENT = 0xe1;
const SCAN = 0xda;
const EXIF = [0x45, 0x78, 0x69, 0x66, 0, 0];
const MOST_ENTRIES = 512;
const ASCII = 2;
const RATIONAL = 5;
const Tag = {
  Changed: 0x0132,
  Camera: 0x8769,
  Gps: 0x8825,
  Taken: 0x9003,
  TakenOffset: 0x9011,
  LatRef: 1,
  Lat: 2,
  LngRef: 3,
  Lng: 4,
  GpsTime: 7,
  GpsDate: 0x1d,
} as const;
type Tag = (typeof Tag)[keyof typeof Tag];

interface Entry {
  type: number;
  count: number;
  /** Where the four bytes of value or offset stand. */
  at: number;
}

type Directory = Map<number, Entry>;

export function readCameraNote(head: ArrayBuffer, now: number): CameraNote {
  const tiff = findTiff(new DataView(head));
  if (!tiff) return NOTHING;
  const first = tiff.directory(tiff.long(4));
  const camera = tiff.directory(tiff.pointer(first, Tag.Camera));
  const gps = tiff.directory(tiff.pointer(first, Tag.Gps));
  const taken = tiff.text(camera, Tag.Taken) ?? tiff.text(first, Tag.Changed);
  const at = moment(taken, tiff.text(camera, Tag.TakenOffset)) ?? gpsMoment(tiff, gps);
  return { takenAt: at !== null && believable(at, now) ? new Date(at).toISOString() : null, fix: position(tiff, gps) };
}

/** The block of tags inside the JPEG, or null. */
function findTiff(view: DataView): Tiff | null {
  if (view.byteLength < 4 || view.getUint16(0) !== START) return null;
  let at = 2;
  while (at + 4 <= view.byteLength && view.getUint8(at) === 0xff) {
    const marker = view.getUint8(at + 1);
    if (marker === 0xff) {
      at += 1; // padding
      continue;
    }
    const length = view.getUint16(at + 2);
    if (marker === SCAN || length < 2) return null;
    const isNote = marker === NOTE_SEGMENT && at + 10 <= view.byteLength && EXIF.every((one, i) => view.getUint8(at + 4 + i) === one);
    if (isNote) return Tiff.open(view, at + 10, Math.min(at + 2 + length, view.byteLength));
    at += 2 + length;
  }
  return null;
}

class Tiff {
  private constructor(
    private readonly view: DataView,
    private readonly little: boolean,
  ) {}

  static open(whole: DataView, from: number, to: number): Tiff | null {
    if (to - from < 8) return null;
    const view = new DataView(whole.buffer, whole.byteOffset + from, to - from);
    const order = view.getUint16(0);
    if (order !== 0x4949 && order !== 0x4d4d) return null;
    const tiff = new Tiff(view, order === 0x4949);
    return tiff.short(2) === 42 ? tiff : null;
  }

  private holds(at: number, bytes: number): boolean {
    return at >= 0 && at + bytes <= this.view.byteLength;
  }

  private short(at: number): number | null {
    return this.holds(at, 2) ? this.view.getUint16(at, this.little) : null;
  }

  long(at: number): number | null {
    return this.holds(at, 4) ? this.view.getUint32(at, this.little) : null;
  }

  directory(at: number | null): Directory {
    const found: Directory = new Map();
    const count = at === null ? null : this.short(at);
    if (at === null || count === null) return found;
    for (let i = 0; i < Math.min(count, MOST_ENTRIES); i += 1) {
      const entry = at + 2 + i * 12;
      if (!this.holds(entry, 12)) break;
      const tag = this.view.getUint16(entry, this.little);
      const [type, values] = [this.view.getUint16(entry + 2, this.little), this.view.getUint32(entry + 4, this.little)];
      if (!found.has(tag)) found.set(tag, { type, count: values, at: entry + 8 });
    }
    return found;
  }

  /** Offset of a directory that another one names. */
  pointer(directory: Directory, tag: Tag): number | null {
    const entry = directory.get(tag);
    return entry ? this.long(entry.at) : null;
  }

  text(directory: Directory, tag: Tag): string | null {
    const entry = directory.get(tag);
    if (!entry || entry.type !== ASCII || entry.count > 64) return null;
    const from = entry.count <= 4 ? entry.at : this.long(entry.at);
    if (from === null || !this.holds(from, entry.count)) return null;
    let text = "";
    for (let i = 0; i < entry.count; i += 1) {
      const code = this.view.getUint8(from + i);
      if (code === 0) break;
      text += String.fromCharCode(code);
    }
    return text.trim();
  }

  /** Three fractions: degrees, minutes, seconds, or hours, minutes, seconds. */
  three(directory: Directory, tag: Tag): [number, number, number] | null {
    const entry = directory.get(tag);
    const from = entry && entry.type === RATIONAL && entry.count === 3 ? this.long(entry.at) : null;
    if (from === null) return null;
    const parts = [0, 1, 2].map((i) => {
      const [over, under] = [this.long(from + i * 8), this.long(from + i * 8 + 4)];
      return over === null || !under ? Number.NaN : over / under;
    });
    return parts.every(Number.isFinite) ? (parts as [number, number, number]) : null;
  }
}

/** `2026:06:01 08:30:00`, in the zone told beside it, else in the phone's own. */
function moment(text: string | null, offset: string | null): number | null {
  const parts = /^(\d{4}):(\d\d):(\d\d) (\d\d):(\d\d):(\d\d)/.exec(text ?? "");
  if (!parts) return null;
  const [year, month, day, hour, minute, second] = parts.slice(1).map(Number) as [number, number, number, number, number, number];
  if (month < 1 || month > 12 || day < 1 || day > 31 || hour > 23 || minute > 59 || second > 60) return null;
  const zone = /^([+-])(\d\d):(\d\d)$/.exec(offset ?? "");
  if (!zone) return new Date(year, month - 1, day, hour, minute, second).getTime();
  const east = (Number(zone[2]) * 60 + Number(zone[3])) * (zone[1] === "-" ? -1 : 1);
  return Date.UTC(year, month - 1, day, hour, minute, second) - east * 60_000;
}

/** The satellites' own time, UTC. */
function gpsMoment(tiff: Tiff, gps: Directory): number | null {
  const date = /^(\d{4}):(\d\d):(\d\d)/.exec(tiff.text(gps, Tag.GpsDate) ?? "");
  const time = tiff.three(gps, Tag.GpsTime);
  if (!date || !time) return null;
  const [year, month, day] = date.slice(1).map(Number) as [number, number, number];
  return Date.UTC(year, month - 1, day) + ((time[0] * 60 + time[1]) * 60 + time[2]) * 1000;
}

/** A camera that was never set says 1980; one that is ahead says tomorrow. Neither is worth keeping. */
function believable(at: number, now: number): boolean {
  return at > Date.UTC(2005, 0, 1) && at < now + 10 * 60_000;
}

function position(tiff: Tiff, gps: Directory): CameraNote["fix"] {
  const lat = angle(tiff.three(gps, Tag.Lat), tiff.text(gps, Tag.LatRef), "N", "S", 90);
  const lng = angle(tiff.three(gps, Tag.Lng), tiff.text(gps, Tag.LngRef), "E", "W", 180);
  if (lat === null || lng === null || (lat === 0 && lng === 0)) return null;
  return { lng, lat };
}

function angle(parts: [number, number, number] | null, side: string | null, plus: string, minus: string, most: number): number | null {
  if (!parts || (side !== plus && side !== minus)) return null;
  const size = parts[0] + parts[1] / 60 + parts[2] / 3600;
  if (size > most) return null;
  const rounded = Math.round(size * 1e6) / 1e6;
  return side === minus ? -rounded : rounded;
}
