import { describe, expect, it } from "vitest";
import { after, whoIsThere } from "../src/presence";
import { requestsFor, requestWords } from "../src/requests";
import type { QueueRow, RowRequest } from "../src/types";

const one = (name: string, acting = false) => ({ account: name, name, acting });

describe("who has a case open", () => {
  it("keeps what was told before, unless the whole is told", () => {
    const first = after(new Map(), { whole: true, cases: [{ case_no: "a", people: [one("张三")] }] });
    const then = after(first, { whole: false, cases: [{ case_no: "b", people: [one("李四", true)] }] });
    expect([...then.keys()]).toEqual(["a", "b"]);
    expect([...after(then, { whole: false, cases: [{ case_no: "a", people: [] }] }).keys()]).toEqual(["b"]);
    expect(after(then, { whole: true, cases: [] }).size).toBe(0);
  });

  it("says who acts before who reads", () => {
    expect(whoIsThere([])).toBe("");
    expect(whoIsThere([one("张三")])).toBe("张三 正在查看");
    expect(whoIsThere([one("张三"), one("李四", true)])).toBe("李四 正在处理");
    expect(whoIsThere([one("张三"), one("李四"), one("王五")])).toBe("张三、李四等 3 人 正在查看");
  });
});

const asked = (change: Partial<RowRequest>): RowRequest => ({
  kind: "extend_request", status: "pending", reason: "parts_wait", until: null, by_name: "李四", account: "u1", unit: "huanwei",
  at: "2026-11-22T10:00:00Z", ...change,
});

describe("what is asked for in a case", () => {
  const row = { requests: [asked({}), asked({ account: "me", unit: null, kind: "void" }), asked({ status: "approved", account: "x", unit: "y" })] } as unknown as QueueRow;
  const me = { account_id: "me", posts: [{ unit: "huanwei" }] };

  it("tells whoever decides what others wait for, and whoever asked what became of it", () => {
    expect(requestsFor("to_approve", row, me).map((each) => each.account)).toEqual(["u1"]);
    expect(requestsFor("approvals", row, me).map((each) => each.account)).toEqual(["u1", "me"]);
    expect(requestsFor("my_requests", row, me).map((each) => each.account)).toEqual(["u1"]);
    expect(requestsFor("intake", row, me)).toEqual([]);
  });

  it("names what is asked for, why, until when and by whom", () => {
    const now = Date.parse("2026-11-22T12:00:00Z");
    const said = requestWords("to_approve", asked({ kind: "suspend_request", reason: "weather", until: "2026-11-30T09:00:00Z" }), now);
    expect(said.what).toBe("申请挂账");
    expect(said.more).toMatch(/^.+ · .*11月30日.* · 李四$/);
    expect(requestWords("my_requests", asked({ reason: null }), now).more).toBe("待审批");
  });
});
