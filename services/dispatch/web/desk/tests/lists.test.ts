import type { SessionOut } from "@grid/webkit";
import { describe, expect, it } from "vitest";
import { desksOf, listName, listsOf } from "../src/lists";

function person(desks: string[], roles: string[]): SessionOut {
  const posts = roles.map((role) => ({ role, area: "", unit: null, label: "" }));
  return { account_id: "1", name: "", lang: "zh-CN", posts, sample: true, desks };
}

describe("lists of a desk", () => {
  it("begin with what must be done first", () => {
    expect(listsOf(person(["branch"], ["GS"]))[0]).toBe("branch_triage");
    expect(listsOf(person(["unit"], ["HU"]))).toEqual(["to_sign", "to_respond", "in_handling", "co_tasks", "my_requests"]);
  });

  it("stand once, even for somebody with two posts", () => {
    const ids = listsOf(person(["branch", "community"], ["GS", "CS"]));
    expect(new Set(ids).size).toBe(ids.length);
    expect(ids).toContain("community_calls");
  });

  it("give a verifier the checks, and the centre's lists only with a post there", () => {
    expect(desksOf(person(["console"], ["VF"]))).toEqual(["verifier"]);
    expect(desksOf(person(["console"], ["VF", "DC"]))).toEqual(["verifier", "console"]);
  });

  it("are called as their desk calls them", () => {
    expect(listName("branch_triage", ["branch"])).toBe("待研判");
    expect(listName("branch_triage", ["console"])).toBe("支部待研判");
  });
});
