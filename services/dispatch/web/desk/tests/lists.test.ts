import type { SessionOut } from "@grid/webkit";
import { describe, expect, it } from "vitest";
import { desksOf, listName, listsOf, waits } from "../src/lists";

function person(desks: string[], roles: string[]): SessionOut {
  const posts = roles.map((role) => ({ role, area: "", unit: null, label: "" }));
  return { account_id: "1", name: "", lang: "zh-CN", posts, sample: true, desks };
}

describe("lists of a desk", () => {
  it("begin with what must be done first", () => {
    expect(listsOf(person(["branch"], ["GS"]), null)[0]).toBe("branch_triage");
    expect(listsOf(person(["unit"], ["HU"]), null)).toEqual(["to_sign", "to_respond", "in_handling", "co_tasks", "my_requests"]);
  });

  it("stand once, even for somebody with two posts", () => {
    const ids = listsOf(person(["branch", "community"], ["GS", "CS"]), null);
    expect(new Set(ids).size).toBe(ids.length);
    expect(ids).toContain("community_calls");
  });

  it("give a verifier the checks, and the centre's lists only with a post there", () => {
    expect(desksOf(person(["console"], ["VF"]))).toEqual(["verifier"]);
    expect(desksOf(person(["console"], ["VF", "DC"]))).toEqual(["verifier", "console"]);
  });

  it("leave the centre's lists to those who work there", () => {
    expect(desksOf(person(["console"], ["SC"]))).toEqual(["committee"]);
    for (const role of ["AD", "AU", "EV"]) expect(desksOf(person(["console"], [role]))).toEqual([]);
    expect(desksOf(person(["console"], ["IC", "DP"]))).toEqual(["console"]);
  });

  it("come by need while something stands in them", () => {
    const leader = person(["leader"], ["SL"]);
    const quiet = new Map([["to_approve", 0], ["supervised", 0], ["disputes", 0]]);
    expect(listsOf(leader, quiet)).toEqual(["to_approve", "supervised", "today"]);
    expect(listsOf(leader, new Map(quiet).set("disputes", 1))).toEqual(["to_approve", "supervised", "disputes", "today"]);
  });

  it("are those that the service has", () => {
    const unit = person(["unit"], ["HU"]);
    expect(listsOf(unit, new Map([["to_sign", 0], ["in_handling", 2]]))).toEqual(["to_sign", "in_handling"]);
  });

  it("count as waiting where the reader himself has to act", () => {
    expect(["to_sign", "to_approve", "visits"].every(waits)).toBe(true);
    expect(["grid_open", "called_street", "my_requests", "supervised"].some(waits)).toBe(false);
  });

  it("are called as their desk calls them", () => {
    expect(listName("branch_triage", ["branch"])).toBe("待研判");
    expect(listName("branch_triage", ["console"])).toBe("支部待研判");
  });
});
