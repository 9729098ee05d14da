import { describe, expect, it } from "vitest";
import { crc32, zip } from "../src/outbox/zip";

describe("the zip of what waits", () => {
  it("sums as everybody does", () => {
    expect(crc32(new TextEncoder().encode("123456789"))).toBe(0xcbf43926);
    expect(crc32(new Uint8Array())).toBe(0);
  });

  it("lists each file at the place where it begins", async () => {
    const entries = [
      { name: "一/report.json", bytes: new TextEncoder().encode("{}") },
      { name: "photo.jpg", bytes: new Uint8Array(300) },
    ];
    const whole = new DataView(await new Blob(zip(entries, new Date(2026, 10, 22, 20, 31, 8))).arrayBuffer());
    const end = whole.byteLength - 22;
    expect(whole.getUint32(end, true)).toBe(0x06054b50);
    expect(whole.getUint16(end + 10, true)).toBe(2);
    const second = whole.getUint32(end + 16, true) + 46 + new TextEncoder().encode("一/report.json").length;
    const place = whole.getUint32(second + 42, true);
    expect(whole.getUint32(place, true)).toBe(0x04034b50);
    expect(whole.getUint32(place + 22, true)).toBe(300);
  });
});
