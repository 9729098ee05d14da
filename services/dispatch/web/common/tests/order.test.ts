import type { ActionOut } from "@grid/webkit";
import { describe, expect, it } from "vitest";
import { inOrder, leads } from "../src/order";

function act(action: string, more: Partial<ActionOut> = {}): ActionOut {
  return { action, label: action, primary: false, inputs: [], ...more } as ActionOut;
}

const ids = (actions: ActionOut[]) => actions.map((one) => one.action);

describe("acts on a case", () => {
  it("begin with the word that somebody waits for", () => {
    const order = inOrder([act("call_conference"), act("redispatch", { ask: true }), act("approve"), act("deny"), act("urge")]);
    expect(ids(order).slice(0, 2)).toEqual(["approve", "deny"]);
    expect(order.every((one) => leads(one) === (one.action === "approve"))).toBe(true);
  });

  it("have beside the first what is done instead of it", () => {
    const check = inOrder([act("verify_pass", { primary: true }), act("merge", { ask: true }), act("verify_fail"), act("note")]);
    expect(ids(check).slice(0, 2)).toEqual(["verify_pass", "verify_fail"]);
    const offer = inOrder([act("claim", { primary: true }), act("co_done", { primary: true }), act("decline_offer")]);
    expect(ids(offer)).toEqual(["claim", "decline_offer", "co_done"]);
  });

  it("leave the main road first where nobody waits for a word", () => {
    const road = (name: string) => act(name, { primary: true });
    const order = inOrder([act("note"), road("answer"), act("urge"), road("file_dispatch"), act("file")]);
    expect(ids(order)).toEqual(["answer", "file_dispatch", "note", "urge", "file"]);
  });

  it("lose none and double none", () => {
    const all = [act("note"), act("feedback", { primary: true }), act("reclassify", { ask: true }), act("extend_request", { ask: true })];
    expect(ids(inOrder(all)).sort()).toEqual(ids(all).sort());
    expect(ids(inOrder([act("note"), act("urge")]))).toEqual(["note", "urge"]);
  });
});
