import type { CellFeature } from "@grid/webkit";
import { describe, expect, it } from "vitest";
import { merged, nearestPlaces, placesIn, searchPlaces } from "../src/place/search";
import { draftOf, emptyDraft, gapsOf, reportOf, touched, UNSURE, type Draft } from "../src/report/draft";
import type { FormOut, Place } from "../src/types";

const FORM: FormOut = {
  rulebook: "r1",
  tiles: [{ id: "litter", name: "垃圾保洁" }],
  categories: [{ scheme: "fengcheng", version: "1", code: "c1", name: "垃圾满溢", tile: "litter" }],
  cells: { type: "FeatureCollection", features: [] },
  sample: true,
  me: { grid: null, community: null },
};
const fill = { unsure: (tile: string) => `${tile}（类别待定）`, danger: () => "现场有人身危险" };
const NOW = Date.parse("2026-11-22T12:00:00Z");
const draft = (changes: Partial<Draft> = {}): Draft => ({ ...emptyDraft(), ...changes });
const report = (changes: Partial<Draft>, joins: string | null = null) => reportOf(draft(changes), FORM, NOW, joins, fill);

describe("what is missing", () => {
  it("is a place and a matter, nothing else", () => {
    expect(gapsOf(draft())).toEqual(["place", "what"]);
    expect(gapsOf(draft({ placeWords: "凤城花园", tile: "litter" }))).toEqual([]);
    expect(gapsOf(draft({ cell: "441802001001001", category: UNSURE }))).toEqual([]);
  });

  it("is only the place when somebody is in danger", () => {
    expect(gapsOf(draft({ danger: true }))).toEqual(["place"]);
    expect(gapsOf(draft({ danger: true, pin: { lng: 113, lat: 23 } }))).toEqual([]);
  });

  it("is a line about what was done on the spot", () => {
    const done = { placeWords: "凤城花园", tile: "litter", act: "sao" as const };
    expect(gapsOf(draft(done))).toEqual(["spot"]);
    expect(gapsOf(draft({ ...done, actNote: "已清扫" }))).toEqual([]);
  });
});

describe("the report", () => {
  it("names its class with scheme and edition", () => {
    expect(report({ category: "c1" }).category).toEqual({ scheme: "fengcheng", version: "1", code: "c1" });
  });

  it("keeps the chosen button in words where no class was chosen", () => {
    expect(report({ tile: "litter", category: UNSURE })).toMatchObject({ category: null, text: "垃圾保洁（类别待定）" });
    expect(report({ tile: "litter", category: UNSURE, text: " 桶满了 " }).text).toBe("桶满了");
  });

  it("calls the street directly in danger and is never closed on the spot then", () => {
    const urgent = report({ danger: true, life: true, act: "guan", actNote: "x" });
    expect(urgent).toMatchObject({ danger: true, life: true, direct: true, on_the_spot: null, text: "现场有人身危险" });
    expect(report({ danger: false, life: true })).toMatchObject({ danger: false, life: false, direct: false });
  });

  it("carries what a secretary does with it, unless it is settled or urgent", () => {
    expect(report({ handling: "community" })).toMatchObject({ call_now: true, in_grid: false });
    expect(report({ handling: "grid" })).toMatchObject({ call_now: false, in_grid: true });
    for (const over of [{ danger: true }, { act: "sao" as const, actNote: "x" }]) {
      expect(report({ handling: "community", ...over }).call_now).toBe(false);
      expect(report({ handling: "grid", ...over }).in_grid).toBe(false);
    }
  });

  it("tells when it was seen, however late it goes out", () => {
    const seen = report({ seenAt: NOW - 3_600_000 });
    expect([seen.occurred_at, seen.client_at]).toEqual(["2026-11-22T11:00:00.000Z", "2026-11-22T12:00:00.000Z"]);
  });

  it("sends a pin as WGS-84, a chosen cell as a cell", () => {
    expect(report({ pin: { lng: 113.06, lat: 23.69 }, accuracy: 12, fixAt: "t", cell: "x" }).position).toEqual({
      lng: 113.06,
      lat: 23.69,
      crs: "wgs84",
      accuracy_m: 12,
      at: "t",
    });
    expect(report({ cell: "441802001001001" }).position).toEqual({ cell: "441802001001001" });
    expect(report({ placeWords: "凤城花园" }).position).toBeNull();
  });

  it("can be taken back into the form and comes out the same", () => {
    const sent = report({ placeWords: "凤城花园", landmark: "东门", category: "c1", text: "x", pin: { lng: 1, lat: 2 }, accuracy: 5 });
    expect(reportOf(draftOf(sent, []), FORM, NOW, null, fill)).toEqual(sent);
  });
});

it("a position alone is no draft worth keeping", () => {
  expect(touched(draft({ pin: { lng: 1, lat: 2 }, pinSource: "gps" }))).toBe(false);
  expect(touched(draft({ landmark: "东门" }))).toBe(true);
});

const place = (id: string, name: string, initials: string, lng = 113.06): Place => ({
  id,
  name,
  initials,
  kind: "estate",
  cell: "c",
  lng,
  lat: 23.69,
});
const PLACES = [
  place("1", "新凤城花园", "XFCHY"),
  place("2", "凤城小学", "FCXX", 113.07),
  place("3", "凤城花园", "FCHY", 113.08),
  place("4", "利民市场", "LMSC"),
];

const cell = (code: string, grid: string): CellFeature => ({
  type: "Feature",
  properties: { code, name: code, grid },
  geometry: { type: "Polygon", coordinates: [] },
});
const names = (found: Place[]) => found.map((one) => one.name);

describe("finding a place", () => {
  it("begins with two characters", () => {
    expect(searchPlaces(PLACES, "凤", null)).toEqual([]);
    expect(names(searchPlaces(PLACES, "凤城", null))).toHaveLength(3);
  });

  it("takes pinyin initials in any case", () => expect(names(searchPlaces(PLACES, "fchy", null))).toEqual(["凤城花园", "新凤城花园"]));

  it("puts a beginning before a middle, then the nearer one", () => {
    expect(names(searchPlaces(PLACES, "凤城", { lng: 113.08, lat: 23.69 }))).toEqual(["凤城花园", "凤城小学", "新凤城花园"]);
  });

  it("takes each reading of a name, and none across two", () => {
    const two = place("5", "重阳里", "CYL ZYL");
    expect(names(searchPlaces([two], "zyl", null))).toEqual(["重阳里"]);
    expect(searchPlaces([two], "lz", null)).toEqual([]);
  });

  it("proposes those of a cell or of a grid's cells where no position is known", () => {
    const cells = { type: "FeatureCollection" as const, features: [cell("c", "g1"), cell("d", "g2")] };
    expect(placesIn(PLACES, cells, "g1", 2)).toHaveLength(2);
    expect(placesIn(PLACES, cells, "c")).toHaveLength(4);
    expect(placesIn(PLACES, cells, "g2")).toEqual([]);
  });

  it("proposes the nearest before anything is typed", () => {
    expect(names(nearestPlaces(PLACES, { lng: 113.079, lat: 23.69 }, 2))).toEqual(["凤城花园", "凤城小学"]);
  });

  it("keeps one row per place, the newer one", () => {
    expect(merged(PLACES, [place("4", "利民综合市场", "LMZHSC")]).map((one) => one.id)).toEqual(["1", "2", "3", "4"]);
    expect(merged(PLACES, [place("4", "利民综合市场", "LMZHSC")])[3]?.name).toBe("利民综合市场");
  });
});
