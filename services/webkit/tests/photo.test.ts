import { describe, expect, it } from "vitest";
import { newId } from "../src/api/ids";
import { sha256, sha256ByHand } from "../src/photo/sha256";
import { fitted } from "../src/photo/shrink";

const bytes = (text: string) => new TextEncoder().encode(text).buffer as ArrayBuffer;

describe("SHA-256 by hand", () => {
  it("knows the published digests", () => {
    expect(sha256ByHand(bytes(""))).toBe("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    expect(sha256ByHand(bytes("abc"))).toBe("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  });

  it("agrees with the browser's at every padding", async () => {
    for (const length of [1, 54, 55, 56, 63, 64, 65, 119, 120, 1000]) {
      const data = bytes("x".repeat(length));
      expect(sha256ByHand(data)).toBe(await sha256(data));
    }
  });
});

describe("shrinking", () => {
  it("keeps the shape, never enlarges", () => {
    expect(fitted(4000, 3000)).toEqual({ width: 1600, height: 1200 });
    expect(fitted(3000, 4000)).toEqual({ width: 1200, height: 1600 });
    expect(fitted(640, 480)).toEqual({ width: 640, height: 480 });
    expect(fitted(10_000, 1)).toEqual({ width: 1600, height: 1 });
  });
});

describe("ids", () => {
  it("are UUIDs also where the browser has no randomUUID", () => {
    const old = { getRandomValues: (array: Uint8Array) => crypto.getRandomValues(array) } as unknown as Crypto;
    const made = newId(old);
    expect(made).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
    expect(newId(old)).not.toBe(made);
  });
});
