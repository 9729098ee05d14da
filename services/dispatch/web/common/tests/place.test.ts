import type { CellFeature, Cells } from "@grid/webkit";
import { describe, expect, it } from "vitest";
import { withOwnCell } from "../src/place";
import type { CaseOut } from "../src/types";

const square = { type: "Polygon" as const, coordinates: [[[0, 0], [1, 0], [1, 1], [0, 0]]] };
const feature = (code: string): CellFeature => ({ type: "Feature", properties: { code, name: code }, geometry: square });
const street: Cells = { type: "FeatureCollection", features: [feature("001"), feature("002")] };
const at = (cell: string, more: Partial<CaseOut["place"]> = {}) => ({ cell, place: { cell, cell_name: "旧单元", cell_outline: null, ...more } }) as CaseOut;
const own = (cells: Cells) => cells.features.filter(({ properties }) => properties.own).map(({ properties }) => properties.name);

describe("a case's own cell on the sketch", () => {
  it("is today's where it still is as it was", () => {
    expect(own(withOwnCell(street, at("002")))).toEqual(["002"]);
    expect(own(street)).toEqual([]);
  });

  it("is the one of its day where the grids were redrawn, with its name of then", () => {
    const ended = withOwnCell(street, at("009", { cell_outline: square }));
    expect(own(ended)).toEqual(["旧单元"]);
    expect(ended.features).toHaveLength(3);
    expect(own(withOwnCell(street, at("002", { cell_outline: square })))).toEqual(["旧单元"]);
  });
});
