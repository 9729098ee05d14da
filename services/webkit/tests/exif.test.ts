import { describe, expect, it } from "vitest";
import { HEAD_BYTES, readCameraNote } from "../src/photo/exif";

const NOW = Date.UTC(2026, 5, 2);
const NOTHING = { takenAt: null, fix: null };
const [ASCII, LONG, RATIONAL] = [2, 4, 5];

type Value = string | number | [number, number][];
type Tags = Record<number, Value>;

/** Lays out directories of tags as a camera does, in the byte order asked for. */
class Camera {
  private readonly bytes: number[] = [];

  constructor(private readonly little: boolean) {
    this.put(0, little ? [0x49, 0x49] : [0x4d, 0x4d]);
    this.number(2, 42, 2);
    this.number(4, 8, 4);
  }

  private put(at: number, values: number[]): void {
    values.forEach((value, i) => {
      this.bytes[at + i] = value;
    });
  }

  private number(at: number, value: number, size: number): void {
    const place = (i: number) => (this.little ? i : size - 1 - i);
    this.put(at, Array.from({ length: size }, (_, i) => Math.floor(value / 256 ** place(i)) % 256));
  }

  directory(at: number, tags: Tags): void {
    const all = Object.entries(tags).map(([tag, value]) => [Number(tag), value] as const);
    this.number(at, all.length, 2);
    let free = at + 2 + all.length * 12 + 4;
    this.number(free - 4, 0, 4);
    all.forEach(([tag, value], i) => {
      const entry = at + 2 + i * 12;
      const kind = typeof value === "string" ? ASCII : typeof value === "number" ? LONG : RATIONAL;
      const count = typeof value === "string" ? value.length + 1 : typeof value === "number" ? 1 : value.length;
      this.number(entry, tag, 2);
      this.number(entry + 2, kind, 2);
      this.number(entry + 4, count, 4);
      if (typeof value === "number") this.number(entry + 8, value, 4);
      else if (typeof value === "string" && count <= 4) this.put(entry + 8, letters(value));
      else {
        this.number(entry + 8, free, 4);
        if (typeof value === "string") this.put(free, letters(value));
        else value.flat().forEach((one, n) => this.number(free + n * 4, one, 4));
        free += typeof value === "string" ? count : value.length * 8;
      }
    });
  }

  /** The whole JPEG's head: a JFIF segment first, as many cameras write it. */
  jpeg(): ArrayBuffer {
    const tiff = Array.from(this.bytes, (byte) => byte ?? 0);
    const note = [...letters("Exif"), 0, ...tiff];
    const size = note.length + 2;
    const jfif = [0xff, 0xe0, 0, 16, ...letters("JFIF"), ...Array.from({ length: 9 }, () => 0)];
    return Uint8Array.from([0xff, 0xd8, ...jfif, 0xff, 0xe1, size >> 8, size & 255, ...note, 0xff, 0xda, 0, 2]).buffer;
  }
}

const letters = (text: string) => [...Array.from(text, (letter) => letter.charCodeAt(0)), 0];

/** Somewhere in Guangdong, as satellites tell it. */
const PLACE: Tags = {
  1: "N",
  2: [[23, 1], [42, 1], [6419, 1000]],
  3: "E",
  4: [[113, 1], [2, 1], [398_184, 10_000]],
};

function photo(little: boolean, camera: Tags, gps: Tags = PLACE): ArrayBuffer {
  const made = new Camera(little);
  made.directory(8, { 0x0132: "2026:05:30 10:00:00", 0x8769: 200, 0x8825: 500 });
  made.directory(200, camera);
  made.directory(500, gps);
  return made.jpeg();
}

describe.each([
  ["little end first", true],
  ["big end first", false],
])("a camera's note, %s", (_, little) => {
  it("tells time with its zone, and place", () => {
    const note = readCameraNote(photo(little, { 0x9003: "2026:06:01 08:30:05", 0x9011: "+08:00" }), NOW);
    expect(note).toEqual({ takenAt: "2026-06-01T00:30:05.000Z", fix: { lng: 113.044394, lat: 23.701783 } });
  });

  it("takes the phone's own zone where none is told", () => {
    const { takenAt } = readCameraNote(photo(little, { 0x9003: "2026:06:01 08:30:05" }), NOW);
    expect(takenAt).toBe(new Date(2026, 5, 1, 8, 30, 5).toISOString());
  });

  it("knows west and south", () => {
    const { fix } = readCameraNote(photo(little, {}, { ...PLACE, 1: "S", 3: "W" }), NOW);
    expect(fix).toEqual({ lng: -113.044394, lat: -23.701783 });
  });

  it("falls back on the time of the last change, then on that of the satellites", () => {
    expect(readCameraNote(photo(little, {}), NOW).takenAt).toBe(new Date(2026, 4, 30, 10).toISOString());
    const made = new Camera(little);
    made.directory(8, { 0x8825: 100 });
    made.directory(100, { ...PLACE, 7: [[0, 1], [30, 1], [5, 1]], 29: "2026:06:01" });
    expect(readCameraNote(made.jpeg(), NOW).takenAt).toBe("2026-06-01T00:30:05.000Z");
  });

  it.each([
    ["a clock that was never set", "1980:01:01 00:00:00"],
    ["a clock that is ahead", "2031:01:01 00:00:00"],
    ["no date", "0000:00:00 00:00:00"],
    ["words", "yesterday evening!!"],
    ["the 40th", "2026:06:40 08:30:05"],
  ])("does not believe %s", (_what, text) => {
    expect(readCameraNote(photo(little, { 0x9003: text }), NOW).takenAt).toBeNull();
  });

  it.each<[string, Tags]>([
    ["null island", { ...PLACE, 2: [[0, 1], [0, 1], [0, 1]], 4: [[0, 1], [0, 1], [0, 1]] }],
    ["nothing under the line", { ...PLACE, 2: [[23, 0], [42, 1], [6, 1]] }],
    ["91 degrees", { ...PLACE, 2: [[91, 1], [0, 1], [0, 1]] }],
    ["no side", { 2: PLACE[2]!, 4: PLACE[4]! }],
    ["another side", { ...PLACE, 1: "Q" }],
    ["two numbers", { ...PLACE, 2: [[23, 1], [42, 1]] }],
  ])("takes no place from %s", (_what, gps) => {
    expect(readCameraNote(photo(little, {}, gps), NOW).fix).toBeNull();
  });

  it("walks no circle", () => {
    const made = new Camera(little);
    made.directory(8, { 0x8769: 8, 0x8825: 8, 0xa005: 8 });
    expect(readCameraNote(made.jpeg(), NOW)).toEqual(NOTHING);
  });

  it("stays calm wherever the file is cut or bent", () => {
    const whole = new Uint8Array(photo(little, { 0x9003: "2026:06:01 08:30:05", 0x9011: "+08:00" }));
    for (let length = 0; length < whole.length; length += 1) readCameraNote(whole.slice(0, length).buffer, NOW);
    let seed = 7;
    for (let round = 0; round < 4_000; round += 1) {
      const bent = whole.slice();
      for (let n = 0; n < 1 + (round % 4); n += 1) {
        seed = (seed * 1_103_515_245 + 12_345) % 2 ** 31;
        bent[seed % bent.length] = (seed >> 8) & 255;
      }
      const { takenAt, fix } = readCameraNote(bent.buffer, NOW);
      if (takenAt !== null) expect(Date.parse(takenAt)).toBeLessThan(NOW + 600_001);
      if (fix) expect(Math.abs(fix.lat) <= 90 && Math.abs(fix.lng) <= 180).toBe(true);
    }
  });
});

describe("what is no camera's JPEG", () => {
  it.each([
    ["nothing", []],
    ["a PNG", [0x89, 0x50, 0x4e, 0x47, 13, 10, 26, 10]],
    ["a JPEG without a note", [0xff, 0xd8, 0xff, 0xdb, 0, 4, 0, 0, 0xff, 0xda, 0, 2]],
    ["a segment of no length", [0xff, 0xd8, 0xff, 0xe1, 0, 0, 0x45, 0x78]],
    ["padding without end", [0xff, 0xd8, ...Array.from({ length: 500 }, () => 0xff)]],
  ])("tells nothing: %s", (_what, bytes) => {
    expect(readCameraNote(Uint8Array.from(bytes).buffer, NOW)).toEqual(NOTHING);
  });

  it("is read in its head only, where the largest note has room", () => {
    expect(HEAD_BYTES).toBeGreaterThan(2 * 65_535);
  });
});
