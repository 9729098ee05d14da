import { describe, expect, it } from "vitest";
import { gone, begin, type QueueRow } from "../../common/src";
import { nextAfter, shows, type Acted } from "../src/next";

const row = (case_no: string, sequence = 1) => ({ case_no, sequence }) as unknown as QueueRow;
const list = begin("intake", ["a", "b", "c"].map((no) => row(no)), null);
const acted = (caseNo: string, waits = false): Acted => ({ caseNo, sequence: 2, waits });

describe("after an act the list goes on", () => {
  it("waits until it shows what the act made of the case", () => {
    expect(shows(list, acted("b"))).toBe(false);
    expect(shows(begin("intake", [row("b", 2)], null), acted("b"))).toBe(true);
    expect(shows(gone(list, "b", "b"), acted("b"))).toBe(true);
    expect(shows(gone(list, "b", null), acted("b"))).toBe(true);
  });

  it("goes to the row below, from the last one to the one above", () => {
    expect(nextAfter(gone(list, "b", "b"), acted("b"))).toBe("c");
    expect(nextAfter(gone(list, "c", "c"), acted("c"))).toBe("b");
    expect(nextAfter(list, acted("a"))).toBe("b");
  });

  it("stays where the case keeps its place and still waits for the same person", () => {
    expect(nextAfter(list, acted("b", true))).toBeNull();
    expect(nextAfter(gone(list, "b", "b"), acted("b", true))).toBe("c");
  });

  it("stays where there is nothing else, passing over what has left too", () => {
    const alone = begin("intake", [row("a")], null);
    expect(nextAfter(gone(alone, "a", "a"), acted("a"))).toBeNull();
    const left = { ...list, entries: list.entries.map((one) => ({ ...one, left: one.row.case_no !== "c" })) };
    expect(nextAfter(left, acted("a"))).toBe("c");
    expect(nextAfter(list, acted("z"))).toBeNull();
  });
});
