import { describe, expect, it } from "vitest";
import { begin, beside, changed, extend, gone, neighbour, orderOf, settle, standing, type List } from "../src/list";
import type { CaseChanged, QueueCount, QueueRow } from "../src/types";

const NOW = Date.parse("2026-11-22T12:00:00Z");

function row(no: number, dueIn: number | null, more: Partial<QueueRow> = {}): QueueRow {
  return {
    case_no: `FC-20261122-0000${no}`,
    version: 1,
    sequence: 1,
    state: "at_street",
    stage: "coordination",
    tier: "T2",
    urgency: "U2",
    category: null,
    summary: "",
    address: "",
    owner_name: "",
    lead_unit: null,
    due:
      dueIn === null
        ? null
        : {
            due_at: new Date(NOW + dueIn * 60_000).toISOString(),
            started_at: new Date(NOW - 3_600_000).toISOString(),
            basis: "wall",
            budget_s: 3_600,
          },
    reports: 1,
    hand_overs: 0,
    opened_at: new Date(NOW - 3_600_000 + no * 1_000).toISOString(),
    flags: [],
    restricted: false,
    sample: true,
    ...more,
  };
}

function event(of: QueueRow, queues: string[], sequence = of.sequence + 1): CaseChanged {
  return { case_no: of.case_no, sequence, version: of.version, queues, row: { ...of, sequence } };
}

const numbers = (list: List) => list.entries.map((entry) => Number(entry.row.case_no.slice(-1)));

const three = () => begin("to_dispatch", [row(1, 10), row(2, 20), row(3, 30)], null);

const sorted = (queue: string, rows: QueueRow[]) =>
  rows
    .slice()
    .sort(orderOf(queue) ?? (() => 0))
    .map((one) => Number(one.case_no.slice(-1)));

describe("a list under live changes", () => {
  it("puts a new case where its queue's order wants it", () => {
    const list = changed(three(), event(row(9, 15), ["to_dispatch"]), null);
    expect(numbers(list)).toEqual([1, 9, 2, 3]);
  });

  it("keeps cases without a deadline last", () => {
    const list = changed(three(), event(row(9, null), ["to_dispatch"]), null);
    expect(numbers(list)).toEqual([1, 2, 3, 9]);
  });

  it("keeps cases of which the reader knows nothing but the class last", () => {
    const unknown = { urgency: null, opened_at: null, state: null, stage: null, tier: null, restricted: true };
    expect(sorted("intake", [row(1, null, unknown), row(2, 10), row(3, 10, { urgency: "U1" })])).toEqual([3, 2, 1]);
    expect(sorted("disputes", [row(1, null, unknown), row(3, 10), row(2, 10)])).toEqual([2, 3, 1]);
  });

  it("moves a case whose deadline changed and removes one that left", () => {
    const moved = changed(three(), event(row(1, 25), ["to_dispatch"]), null);
    expect(numbers(moved)).toEqual([2, 1, 3]);
    expect(numbers(changed(moved, event(row(2, 20), ["to_sign"]), null))).toEqual([1, 3]);
  });

  it("drops what is sent twice or is older than the page", () => {
    const list = begin("to_dispatch", [row(1, 10, { sequence: 5 })], null);
    expect(changed(list, event(row(1, 10), ["to_dispatch"], 5), null)).toBe(list);
    expect(changed(list, event(row(1, 10), ["to_sign"], 4), null)).toBe(list);
  });

  it("takes out and puts in what changed lists by time alone", () => {
    const soon = begin("due_soon", [row(1, 1, { sequence: 5 })], null);
    expect(numbers(changed(soon, event(row(1, 1, { sequence: 5 }), ["overdue"], 5), null))).toEqual([]);
    expect(numbers(changed(soon, event(row(2, 9, { sequence: 5 }), ["due_soon"], 5), null))).toEqual([1, 2]);
  });

  it("takes no notice of cases of other queues", () => {
    const list = three();
    expect(changed(list, event(row(9, 15), ["intake"]), null)).toBe(list);
  });

  it("leaves to the next page what stands below the loaded one", () => {
    const list = { ...three(), next: "cursor" };
    expect(changed(list, event(row(9, 99), ["to_dispatch"]), null)).toBe(list);
    expect(numbers(changed(list, event(row(8, 5), ["to_dispatch"]), null))).toEqual([8, 1, 2, 3]);
  });

  it("holds the row that somebody reads: it neither moves nor goes until it is let go", () => {
    const held = row(2, 20).case_no;
    let list = changed(three(), event(row(2, 90), ["to_dispatch"]), held);
    expect(numbers(list)).toEqual([1, 2, 3]);
    expect(list.entries[1]?.row.sequence).toBe(2);
    list = changed(list, event(row(2, 90), ["to_sign"], 3), held);
    expect(list.entries[1]).toMatchObject({ left: true });
    expect(numbers(settle(list, held))).toEqual([1, 2, 3]);
    expect(numbers(settle(list, null))).toEqual([1, 3]);
  });

  it("puts a moved row right when it is let go", () => {
    const held = row(1, 10).case_no;
    const list = changed(three(), event(row(1, 40), ["to_dispatch"]), held);
    expect(numbers(list)).toEqual([1, 2, 3]);
    expect(numbers(settle(list, null))).toEqual([2, 3, 1]);
  });

  it("brings a held case back when it returns to the queue", () => {
    const held = row(2, 20).case_no;
    let list = changed(three(), event(row(2, 20), ["to_sign"], 2), held);
    list = changed(list, event(row(2, 20), ["to_dispatch"], 3), held);
    expect(list.entries[1]).toMatchObject({ left: false });
  });

  it("removes a case out of sight, but not from under the reader", () => {
    const caseNo = row(2, 20).case_no;
    expect(numbers(gone(three(), caseNo, null))).toEqual([1, 3]);
    expect(gone(three(), caseNo, caseNo).entries[1]).toMatchObject({ left: true });
    const list = three();
    expect(gone(list, "FC-20261122-99999", null)).toBe(list);
  });

  it("does not double rows when a page follows", () => {
    const list = extend({ ...three(), next: "cursor" }, [row(3, 30), row(4, 40)], null);
    expect(numbers(list)).toEqual([1, 2, 3, 4]);
    expect(list.next).toBeNull();
  });

  it("keeps a search's rows and their order, and only refreshes them", () => {
    const list = begin(null, [row(3, 30), row(1, 10)], null);
    const next = changed(list, event(row(1, 10, { state: "filed" }), ["to_dispatch"]), null);
    expect(numbers(next)).toEqual([3, 1]);
    expect(next.entries[1]?.row.state).toBe("filed");
    expect(changed(list, event(row(9, 1), ["to_dispatch"]), null)).toBe(list);
  });
});

describe("orders", () => {
  it("takes the urgent first, then who came first, at the street's intake", () => {
    expect(sorted("intake", [row(1, 1), row(3, 50, { urgency: "U1" }), row(2, 90, { urgency: "U1" })])).toEqual([2, 3, 1]);
  });

  it("takes first what is first twice over its limit", () => {
    const slow = row(1, -60, { twice_at: "2026-11-22T13:00:00Z" });
    const short = row(2, -30, { twice_at: "2026-11-22T11:40:00Z" });
    expect(sorted("overdue", [slow, short])).toEqual([2, 1]);
  });

  it("has the key of each order in the row; without one a row comes last", () => {
    const early = row(2, 9, { review_at: "2026-11-24T00:00:00Z", work_due_at: "2026-11-25T00:00:00Z" });
    const late = row(1, 1, { review_at: "2026-11-25T00:00:00Z", work_due_at: "2026-11-26T00:00:00Z" });
    for (const queue of ["review_due", "approvals", "my_requests", "to_approve"]) {
      expect(sorted(queue, [row(3, 0), late, early])).toEqual([2, 1, 3]);
    }
    expect(orderOf(null)).toBeNull();
  });
});

describe("moving by keyboard", () => {
  const list = begin("to_dispatch", [row(1, 10), row(2, 20)], null);

  it("goes to the neighbour, stops at the ends, begins at an end", () => {
    expect(neighbour(list, row(1, 10).case_no, 1)?.case_no).toBe(row(2, 20).case_no);
    expect(neighbour(list, row(2, 20).case_no, 1)?.case_no).toBe(row(2, 20).case_no);
    expect(neighbour(list, null, 1)?.case_no).toBe(row(1, 10).case_no);
    expect(neighbour(begin("x", [], null), null, 1)).toBeNull();
  });
});

function count(id: string, open: number, overdue = 0): QueueCount {
  return { id, label: id, group: "stage", stage: "coordination", open, overdue, oldest_at: null };
}

function opens(list: List, told: QueueCount[]): unknown[] {
  return beside(told, list).map((one) => [one.id, one.open, one.overdue]);
}

describe("counts beside rows", () => {
  it("agree with a list that is loaded to its end, whatever was told last", () => {
    let list = begin("intake", [row(1, 10), row(2, 20)], null);
    expect(opens(list, [count("intake", 3, 3), count("to_dispatch", 7)])).toEqual([["intake", 2, 2], ["to_dispatch", 7, 0]]);
    list = changed(list, event(row(3, 30), ["intake"]), null);
    expect(opens(list, [count("intake", 2)])).toEqual([["intake", 3, 0]]);
  });

  it("do not count a held row that has left", () => {
    const list = changed(begin("intake", [row(1, 10), row(2, 20)], null), event(row(1, 10), []), row(1, 10).case_no);
    expect(list.entries).toHaveLength(2);
    expect(standing(list)).toBe(1);
  });

  it("stay as told where not every row is here", () => {
    expect(opens(begin("intake", [row(1, 10)], "more"), [count("intake", 140)])).toEqual([["intake", 140, 0]]);
    expect(standing(begin(null, [row(1, 10)], null))).toBeNull();
  });
});
