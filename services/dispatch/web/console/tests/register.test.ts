import { describe, expect, it } from "vitest";
import { blankCall, identityOf, missingIn, nobody, reportOf, wrongIn, type Named } from "../src/register";
import { fromRows } from "../src/similar";

const NOW = new Date("2026-11-22T12:00:00Z");
const place: Named = { id: "p1", name: "倚光花苑", kind: "estate", cell: "441802001005010", lng: 113.06, lat: 23.69, initials: "yghy" };

const row = (case_no: string, state: string | null) => ({ case_no, state, opened_at: "2026-11-22T10:00:00Z", summary: "垃圾", category: null });

describe("registering a call", () => {
  it("asks for a place and for what is the matter", () => {
    expect(missingIn(blankCall())).toEqual(["place_words", "text"]);
    expect(missingIn({ ...blankCall(), placeWords: "东门", danger: "danger" })).toEqual([]);
    expect(missingIn({ ...blankCall(), cell: place.cell, text: "垃圾" })).toEqual([]);
  });

  it("sends the named place's position only while its name stands in the field", () => {
    const heard = { ...blankCall(), place, placeWords: place.name, cell: place.cell, text: "垃圾" };
    expect(reportOf(heard, nobody(), NOW)["position"]).toEqual({ lng: 113.06, lat: 23.69, crs: "wgs84" });
    expect(reportOf({ ...heard, placeWords: "对面的路口" }, nobody(), NOW)["position"]).toEqual({ cell: place.cell });
    expect(reportOf({ ...heard, placeWords: "对面的路口", cell: "" }, nobody(), NOW)["position"]).toBeNull();
  });

  it("sends a point set by hand before the named place", () => {
    const heard = { ...blankCall(), place, placeWords: place.name, pin: { lng: 113.07, lat: 23.7 }, text: "垃圾" };
    expect(reportOf(heard, nobody(), NOW)["position"]).toEqual({ lng: 113.07, lat: 23.7, crs: "wgs84" });
    expect(missingIn({ ...heard, placeWords: "" })).toEqual([]);
  });

  it("gives the vault only what was said of the caller, and nobody where nothing was", () => {
    const caller = { name: "王女士", phone: " 138 0000 1234 ", callBack: true };
    const heard = { ...blankCall(), placeWords: "东门", text: "垃圾" };
    expect(reportOf(heard, caller, NOW)["reporter"]).toEqual({ name: "王女士", phone: "138 0000 1234", contact: "phone" });
    expect(reportOf(heard, nobody(), NOW)["reporter"]).toBeNull();
    expect(identityOf(nobody())).toBeNull();
    expect(wrongIn(caller)).toEqual([]);
    expect([wrongIn({ ...caller, phone: "12" }), wrongIn({ ...nobody(), callBack: true })]).toEqual([["phone"], ["phone"]]);
  });

  it("takes open cases alone for possible repetitions, and none of which the clerk may not say how they stand", () => {
    const rows = [row("a", "reported"), row("b", "closed"), row("c", null)] as unknown as Parameters<typeof fromRows>[0];
    expect(fromRows(rows).map((one) => one.case_no)).toEqual(["a"]);
  });

  it("says who is in danger, and leaves the direct call to the street's rules", () => {
    const heard = { ...blankCall(), placeWords: "东门", danger: "life" as const };
    expect(reportOf(heard, nobody(), NOW)).toMatchObject({ danger: true, life: true, source: "phone" });
    expect(reportOf(heard, nobody(), NOW)).not.toHaveProperty("direct"); // a post in the field may ask for it, a clerk may not
    expect(reportOf({ ...heard, danger: "none" }, nobody(), NOW)).toMatchObject({ danger: false, life: false });
  });
});
