import { describe, expect, it } from "vitest";
import { filterOf, flipped, isEmpty, passes, queryOf } from "../src/filter";
import type { QueueRow } from "../src/types";

const NOW = Date.parse("2026-11-22T12:00:00Z");
const at = (minutes: number) => new Date(NOW + minutes * 60_000).toISOString();

const ROW: QueueRow = {
  case_no: "FC-20261122-00001",
  version: 1,
  sequence: 1,
  state: "at_street",
  stage: "coordination",
  tier: "T2",
  urgency: "U1",
  category: { code: "0302", name: "施工占道" },
  summary: "",
  address: "",
  owner_name: "",
  lead_unit: "综合行政执法队",
  community: "441802001001",
  unit: "zhifadui",
  due: { clock_id: "1", kind: "T2", due_at: at(5), started_at: at(-55), basis: "wall", budget_s: 3_600, provisional: false },
  reports: 1,
  hand_overs: 0,
  opened_at: at(-60),
  flags: [],
  restricted: false,
  sample: true,
};

describe("a filter", () => {
  it("goes into the address and comes back the same, without what is no code", () => {
    const filter = filterOf({ urgency: "U0,U1,U0", q: "沙土", category: "", unit: ["zhifadui"], tier: "T2, ," });
    expect(filter).toEqual({ urgency: ["U0", "U1"], tier: ["T2"] });
    expect(filterOf(queryOf(filter))).toEqual(filter);
    expect(isEmpty(filterOf({}))).toBe(true);
  });

  it("takes a code in and out again", () => {
    const one = flipped({}, "late", "over");
    expect(queryOf(flipped(one, "late", "soon"))).toEqual({ late: "over,soon" });
    expect(isEmpty(flipped(one, "late", "over"))).toBe(true);
  });

  it("lets a row pass that has one of the codes of every field named", () => {
    expect(passes({}, ROW, NOW)).toBe(true);
    expect(passes({ urgency: ["U0", "U1"], unit: ["zhifadui"], community: ["441802001001"] }, ROW, NOW)).toBe(true);
    expect(passes({ urgency: ["U1"], category: ["0101"] }, ROW, NOW)).toBe(false);
    expect(passes({ tier: ["T2"] }, { ...ROW, tier: null }, NOW)).toBe(false);
  });

  it("knows by the clock what is late, and what will be soon", () => {
    expect(passes({ late: ["soon"] }, ROW, NOW)).toBe(true);
    expect(passes({ late: ["soon"] }, ROW, NOW + 6 * 60_000)).toBe(false);
    expect(passes({ late: ["over"] }, ROW, NOW + 6 * 60_000)).toBe(true);
    expect(passes({ late: ["over"] }, { ...ROW, due: null }, NOW)).toBe(false);
  });
});
