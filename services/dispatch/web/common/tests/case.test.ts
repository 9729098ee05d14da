import { describe, expect, it } from "vitest";
import { mainClock } from "../src/case";
import { shortNo } from "../src/rows";
import type { CaseClock, CaseOut } from "../src/types";

const clock = (kind: string, due_at: string, state: CaseClock["state"] = "running") => ({ kind, due_at, state, clock_id: kind }) as CaseClock;
const one = (more: Partial<CaseOut>) => ({ clocks: [], routing: null, condition: null, category: null, ...more }) as CaseOut;

describe("the clock that counts now", () => {
  it("is the first to fall due, not the whole case's own", () => {
    const clocks = [clock("whole", "2026-11-22T10:00:00Z"), clock("handling", "2026-11-23T10:00:00Z"), clock("response", "2026-11-22T12:00:00Z")];
    expect(mainClock(one({ clocks }))?.kind).toBe("response");
  });

  it("is never a stopped one", () => {
    const clocks = [clock("response", "2026-11-22T12:00:00Z", "stopped"), clock("whole", "2026-11-24T10:00:00Z")];
    expect(mainClock(one({ clocks }))?.kind).toBe("whole");
    expect(mainClock(one({ clocks: [clocks[0] as CaseClock] }))).toBeNull();
  });
});

it("shortens a case number to what differs", () => {
  expect(shortNo("FC-20261122-00031")).toBe("1122-00031");
  expect(shortNo("other")).toBe("other");
});
