import { afterEach, describe, expect, it } from "vitest";
import type { DueOut } from "../src/api/types";
import { leftOf, workSeconds, type Windows } from "../src/clock/left";
import { noteServerTime, serverNow } from "../src/clock/server";
import { amount, localMinute, minutesSeconds, shortTime, stamp, workAmount } from "../src/clock/time";
import { speak } from "../src/i18n";

const at = (text: string) => Date.parse(text);
const HOUR = 3_600;

// Friday afternoon, the weekend, Monday morning.
const HOURS: Windows = [
  ["2026-11-20T09:00:00+08:00", "2026-11-20T12:00:00+08:00"],
  ["2026-11-20T14:00:00+08:00", "2026-11-20T18:00:00+08:00"],
  ["2026-11-23T09:00:00+08:00", "2026-11-23T12:00:00+08:00"],
  ["2026-11-23T14:00:00+08:00", "2026-11-23T18:00:00+08:00"],
];

function due(changes: Partial<DueOut> = {}): DueOut {
  return {
    due_at: "2026-11-23T11:00:00+08:00",
    started_at: "2026-11-20T16:00:00+08:00",
    budget_s: 4 * HOUR,
    basis: "work",
    ...changes,
  };
}

afterEach(() => speak("zh-CN"));

describe("amounts", () => {
  it.each([
    [35 * 60, "35分钟"],
    [2 * HOUR + 600, "2小时10分"],
    [2 * HOUR, "2小时"],
    [26 * HOUR, "1天2小时"],
    [48 * HOUR + 59, "2天"],
    [20, "不足1分钟"],
    [-35 * 60, "35分钟"],
  ])("%d s is %s", (seconds, text) => expect(amount(seconds)).toBe(text));

  it("never turns working hours into days", () => expect(workAmount(26 * HOUR)).toBe("26小时"));

  it("counts minutes and seconds", () => expect(minutesSeconds(187.9)).toBe("03:07"));

  it("speaks English", async () => {
    await speak("en-US");
    expect(amount(2 * HOUR + 600)).toBe("2 h 10 min");
  });
});

describe("times", () => {
  const now = at("2026-11-22T20:00:00+08:00");
  it.each([
    ["2026-11-22T06:05:00Z", "14:05"],
    ["2026-11-21T16:30:00Z", "00:30"],
    ["2026-11-21T15:30:00Z", "11月21日 23:30"],
    ["2027-01-03T01:00:00Z", "2027年1月3日 09:00"],
  ])("%s is %s in Beijing", (time, text) => expect(shortTime(time, now)).toBe(text));

  it("stamps photos with the whole date", () => expect(stamp("2026-11-22T06:05:00Z")).toBe("2026-11-22 14:05"));
});

describe("working seconds", () => {
  it("counts only inside the windows", () => {
    expect(workSeconds(at("2026-11-20T16:00:00+08:00"), at("2026-11-23T11:00:00+08:00"), HOURS)).toBe(4 * HOUR);
  });

  it("says nothing about days that it does not know", () => {
    expect(workSeconds(at("2026-11-20T16:00:00+08:00"), at("2026-11-24T11:00:00+08:00"), HOURS)).toBeNull();
    expect(workSeconds(0, 1, [])).toBeNull();
  });
});

describe("what is left", () => {
  it("counts working time over the weekend", () => {
    const left = leftOf(due(), at("2026-11-20T16:50:00+08:00"), HOURS);
    expect(left).toEqual({ level: "ok", seconds: 3 * HOUR + 600, text: "剩余 3小时10分（工作时间）" });
  });

  it("turns yellow at 75 % of the allowance", () => {
    expect(leftOf(due(), at("2026-11-23T09:59:00+08:00"), HOURS).level).toBe("ok");
    expect(leftOf(due(), at("2026-11-23T10:00:00+08:00"), HOURS).level).toBe("soon");
  });

  it("is over at the due time, also in the middle of the night", () => {
    expect(leftOf(due(), at("2026-11-23T11:00:00+08:00"), HOURS).level).toBe("over");
    expect(leftOf(due(), at("2026-11-23T11:35:00+08:00"), HOURS).text).toBe("超时 35分钟");
  });

  it("counts clock time for urgent cases", () => {
    const urgent = due({ basis: "wall", due_at: "2026-11-22T20:10:00+08:00", budget_s: 1_800 });
    expect(leftOf(urgent, at("2026-11-22T19:50:00+08:00"))).toEqual({
      level: "ok",
      seconds: 1_200,
      text: "剩余 20分钟（自然时间）",
    });
    expect(leftOf(urgent, at("2026-11-22T20:45:00+08:00")).text).toBe("超时 35分钟");
  });

  it("never calls calendar time working time: without the hours it says when it is due", () => {
    const left = leftOf(due(), at("2026-11-20T16:50:00+08:00"), []);
    expect(left.seconds).toBeNull();
    expect(left.text).toBe("截止 11月23日 11:00");
  });
});

describe("the service's clock", () => {
  it("corrects a phone that is an hour slow", () => {
    const phone = Date.now();
    noteServerTime(new Date(phone + 3_600_000).toUTCString(), phone - 50, phone);
    expect(Math.abs(serverNow() - (phone + 3_600_000))).toBeLessThan(1_500);
  });

  it("leaves a phone that is right alone, whatever fraction of the second the header drops", () => {
    for (const phone of [1_795_000_000_010, 1_795_000_000_500, 1_795_000_000_990]) {
      const before = serverNow() - Date.now();
      noteServerTime(new Date(phone + before).toUTCString(), phone - 20, phone + 20);
      expect(Math.abs(serverNow() - Date.now() - before)).toBeLessThanOrEqual(30);
    }
  });

  it("does not listen to nonsense", () => {
    const before = serverNow();
    noteServerTime("yesterday", 0, 1);
    noteServerTime(null, 0, 1);
    expect(Math.abs(serverNow() - before)).toBeLessThan(100);
  });
});

describe("a moment in a field", () => {
  it("is Beijing time, whatever the device's zone", () => {
    expect(localMinute("2026-11-22T17:05:00Z")).toBe("2026-11-23T01:05");
    expect(localMinute(null)).toBeUndefined();
  });
});
