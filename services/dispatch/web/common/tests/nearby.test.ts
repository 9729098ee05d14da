import { describe, expect, it } from "vitest";
import { alike, placed, type Nearby } from "../src/nearby";
import { afterOf } from "../src/photos";

const one = (case_no: string, change: Partial<Nearby> = {}): Nearby => ({
  case_no, title: "", category: "", state: "reported", state_label: "", urgency: "U2", reports: 1, opened_at: "", distance_m: 12,
  lng: 113.06, lat: 23.69, same_class: false, open: true, due: null, ...change,
});

const entry = (sequence: number, kind: string, ...ids: string[]) => ({
  sequence, kind, at: "", label: "", actor_name: null, actor_post: null, machine: false, evidence: ids.map((id) => ({ id, url: id })),
});

describe("what stands around a case", () => {
  it("is drawn where it is open and has a place", () => {
    const near = [one("a"), one("b", { open: false }), one("c", { lng: null, lat: null })];
    expect(placed(near).map((each) => each.case_no)).toEqual(["a"]);
  });

  it("may be the same matter only within its class, also when it was closed lately", () => {
    const near = [one("a"), one("b", { same_class: true }), one("c", { same_class: true, open: false })];
    expect(alike(near).map((each) => each.case_no)).toEqual(["b", "c"]);
  });
});

describe("photos of the place afterwards", () => {
  it("come from acts that settle it, the newest first", () => {
    const timeline = [entry(1, "case.confirmed", "x"), entry(4, "case.co_done", "a"), entry(6, "case.fed_back", "b", "c")];
    expect(afterOf(timeline).map((photo) => photo.id)).toEqual(["b", "c", "a"]);
  });
});
