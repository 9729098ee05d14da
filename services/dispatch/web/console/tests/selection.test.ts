import { describe, expect, it } from "vitest";
import { through, toggled, within } from "../src/selection";

const ORDER = ["a", "b", "c", "d"];

describe("a selection", () => {
  it("takes a row and lets it go", () => {
    const one = toggled(new Set(), "b");
    expect([...one]).toEqual(["b"]);
    expect([...toggled(one, "b")]).toEqual([]);
  });

  it("takes everything between two rows, in either direction", () => {
    expect([...through(new Set(), ORDER, "b", "d")].sort()).toEqual(["b", "c", "d"]);
    expect([...through(new Set(["d"]), ORDER, "c", "a")].sort()).toEqual(["a", "b", "c", "d"]);
  });

  it("takes the row alone where the first one is no longer there", () => {
    expect([...through(new Set(), ORDER, "x", "c")]).toEqual(["c"]);
    expect([...through(new Set(), ORDER, "a", "x")]).toEqual([]);
  });

  it("forgets rows that left the list, and is the same set where none did", () => {
    const picked = new Set(["a", "c"]);
    expect(within(picked, ORDER)).toBe(picked);
    expect([...within(picked, ["c", "d"])]).toEqual(["c"]);
  });
});
