import { describe, expect, it } from "vitest";
import { sameIn, wordsOf, type PhotoHint } from "../src/photos";

const NOW = Date.parse("2026-06-02T02:00:00Z");
const hint = (more: Partial<PhotoHint>): PhotoHint => ({
  report_id: "r",
  id: "p",
  taken_at: null,
  metres_from_pin: null,
  same: [],
  elsewhere: 0,
  ...more,
});

describe("what a photo tells", () => {
  it("is nothing where its camera noted nothing and it was seen nowhere else", () => {
    expect(wordsOf(hint({}), NOW)).toBe("");
    expect(sameIn(hint({}))).toEqual([]);
  });

  it("is a distance only where that says something", () => {
    expect(wordsOf(hint({ metres_from_pin: 40 }), NOW)).toBe("");
    expect(wordsOf(hint({ metres_from_pin: 1112 }), NOW)).toContain("1112");
  });

  it("names each other case once, and counts what the reader may not see", () => {
    const at = "2026-06-01T00:00:00Z";
    const both = hint({ elsewhere: 2, same: [{ case_no: "FC-1", at }, { case_no: "FC-1", at }, { case_no: "FC-2", at }] });
    expect(sameIn(both)).toEqual(["FC-1", "FC-2"]);
    expect(wordsOf(both, NOW)).toContain("2");
  });
});
