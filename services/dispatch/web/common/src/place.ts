/** The street's cells with the case's own marked, as it was on the case's day: grids may have been redrawn since. */
import type { CellFeature, Cells } from "@grid/webkit";
import type { CaseOut } from "./types";

export function withOwnCell(cells: Cells, one: Pick<CaseOut, "cell" | "place">): Cells {
  const { cell_name: name, cell_outline: outline } = one.place;
  const features: CellFeature[] = cells.features.map((feature) => ({
    ...feature,
    properties: { ...feature.properties, own: !outline && feature.properties.code === one.cell },
  }));
  if (outline && one.cell) {
    features.push({ type: "Feature", properties: { code: one.cell, name: name ?? one.cell, own: true }, geometry: outline });
  }
  return { ...cells, features };
}
