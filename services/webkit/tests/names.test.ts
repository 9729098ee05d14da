import { describe, expect, it } from "vitest";
import { aside, boxOf, fitting, widthOf } from "../src/map/names";

const at = (id: string, name: string, x: number, y: number) => ({ id, name, x, y });

describe("names on the map", () => {
  it("are written where they do not lie over each other, the first before the later", () => {
    const [a, b, c] = [at("a", "凤城花园", 50, 50), at("b", "凤城花园东门", 60, 55), at("c", "利民市场", 50, 120)];
    expect([...fitting([a, b, c], 16)]).toEqual(["a", "c"]);
    expect([...fitting([c, b, a], 16)]).toEqual(["c", "b"]);
  });

  it("leave room for what is written there already", () => {
    const place = at("a", "利民市场", 50, 50);
    expect(fitting([place], 16, [{ left: 60, top: 40, right: 120, bottom: 60 }]).size).toBe(0);
    expect(fitting([place], 16, [{ left: 200, top: 40, right: 260, bottom: 60 }]).size).toBe(1);
  });

  it("step aside for what stands on the map, no farther than they must", () => {
    const middle = { x: 100, y: 100 };
    const dot = { left: 88, top: 88, right: 112, bottom: 112 };
    expect(aside("云溪005单元", middle, 16, [])).toBe(0);
    expect(aside("云溪005单元", middle, 16, [dot])).toBe(42);
    expect(aside("云溪005单元", middle, 16, [dot, { left: 60, top: 120, right: 140, bottom: 200 }])).toBe(-42);
    expect(aside("云溪005单元", middle, 16, [{ left: 0, top: 0, right: 200, bottom: 200 }])).toBe(0);
  });

  it("take the room of their type", () => {
    expect(widthOf("凤城", 16)).toBe(32);
    expect(widthOf("A3", 20)).toBeCloseTo(23.2);
    expect(boxOf(at("a", "凤城", 100, 100), 16)).toEqual({ left: 90, top: 88, right: 142, bottom: 112 });
  });
});
