import { describe, expect, it } from "vitest";
import { blankCall, missingIn, reportOf, type Named } from "../src/register";

const NOW = new Date("2026-11-22T12:00:00Z");
const place: Named = { id: "p1", name: "倚光花苑", kind: "estate", cell: "441802001005010", lng: 113.06, lat: 23.69, initials: "yghy" };

describe("registering a call", () => {
  it("asks for a place and for what is the matter", () => {
    expect(missingIn(blankCall())).toEqual(["place_words", "text"]);
    expect(missingIn({ ...blankCall(), placeWords: "东门", danger: "danger" })).toEqual([]);
    expect(missingIn({ ...blankCall(), cell: place.cell, text: "垃圾" })).toEqual([]);
  });

  it("sends the named place's position only while its name stands in the field", () => {
    const heard = { ...blankCall(), place, placeWords: place.name, cell: place.cell, text: "垃圾" };
    expect(reportOf(heard, NOW)["position"]).toEqual({ lng: 113.06, lat: 23.69, crs: "wgs84" });
    expect(reportOf({ ...heard, placeWords: "对面的路口" }, NOW)["position"]).toEqual({ cell: place.cell });
    expect(reportOf({ ...heard, placeWords: "对面的路口", cell: "" }, NOW)["position"]).toBeNull();
  });

  it("calls the street directly when somebody is in danger", () => {
    const heard = { ...blankCall(), placeWords: "东门", danger: "life" as const };
    expect(reportOf(heard, NOW)).toMatchObject({ danger: true, life: true, direct: true, source: "phone" });
    expect(reportOf({ ...heard, danger: "none" }, NOW)).toMatchObject({ danger: false, life: false, direct: false });
  });
});
