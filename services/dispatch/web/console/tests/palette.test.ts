import { describe, expect, it } from "vitest";
import { grouped, matching, type Command } from "../src/palette";

const command = (id: string, group: string, label: string, more: Partial<Command> = {}): Command => ({ id, group, label, run: () => undefined, ...more });

const ALL = [
  command("queue-intake", "队列", "待受理", { detail: "街道统筹 · 在办 4", keys: ["g", "3"] }),
  command("queue-to_dispatch", "队列", "待派遣", { detail: "街道统筹 · 在办 2" }),
  command("page-register", "页面", "登记"),
];

describe("the palette", () => {
  it("keeps what contains every word, wherever it is said", () => {
    expect(matching(ALL, "").length).toBe(3);
    expect(matching(ALL, "待 统筹").map((one) => one.id)).toEqual(["queue-intake", "queue-to_dispatch"]);
    expect(matching(ALL, "派遣").map((one) => one.id)).toEqual(["queue-to_dispatch"]);
    expect(matching(ALL, "G 3").map((one) => one.id)).toEqual(["queue-intake"]);
    expect(matching(ALL, "没有")).toEqual([]);
  });

  it("shows each command once, under the headings in the order they came", () => {
    const found = command("page-register", "案件", "登记");
    expect(grouped([...ALL, found]).map((one) => [one.group, one.commands.length])).toEqual([
      ["队列", 2],
      ["页面", 1],
    ]);
  });
});
