import { mount } from "@vue/test-utils";
import { afterEach, describe, expect, it, vi } from "vitest";
import { Problem, Unreachable } from "../src/api/problem";
import type { ActionOut, InputOut } from "../src/api/types";
import ActionField from "../src/case/ActionField.vue";
import ActionForm from "../src/case/ActionForm.vue";
import { blank, bodyOf, missing, posed, startOf } from "../src/case/inputs";
import StageBar from "../src/case/StageBar.vue";
import { stepsOf } from "../src/case/stages";

const DISPATCH: ActionOut = {
  action: "dispatch",
  label: "派遣",
  primary: true,
  inputs: [
    { name: "lead_unit", type: "unit", required: true, label: "主办单位", choices: [{ id: "u1", label: "环卫公司" }, { id: "u2", label: "执法队" }] },
    { name: "co_units", type: "units", required: false, label: "协办单位", choices: [{ id: "u2", label: "执法队" }, { id: "u3", label: "城管办" }] },
    { name: "note", type: "text", required: false, label: "说明" },
    { name: "until", type: "datetime", required: false, label: "截止时间" },
    { name: "close_condition_met", type: "flag", required: false, label: "已达到结案条件" },
  ],
};

describe("values of a form", () => {
  it("leave out what is empty and put Beijing's offset to a time", () => {
    const values = { ...startOf(DISPATCH), lead_unit: "u1", note: " 请尽快 ", until: "2026-11-22T18:00" };
    expect(bodyOf(DISPATCH, values, {})).toEqual({ lead_unit: "u1", note: "请尽快", until: "2026-11-22T18:00:00+08:00" });
  });

  it("are sent without what came along unseen from elsewhere", () => {
    const pasted = "第一行\u000b\n第\t二行\u0000\u001b";
    expect(bodyOf(DISPATCH, { ...startOf(DISPATCH), lead_unit: "u1", note: pasted }, {})["note"]).toBe("第一行\n第\t二行");
  });

  it("name what is missing", () => {
    expect(missing(DISPATCH, startOf(DISPATCH))).toEqual(["lead_unit"]);
  });

  it("do not ask which request is meant where there is only one", () => {
    const request: InputOut = { name: "request", type: "choice", required: false, label: "申请", choices: [{ id: "r1", label: "延期" }, { id: "r2", label: "挂账" }] };
    const note: InputOut = { name: "note", type: "text", required: false, label: "说明" };
    const approve = (input: InputOut): ActionOut => ({ action: "approve", label: "同意", primary: true, inputs: [input, note] });
    expect(posed(approve(request))).toEqual([request, note]);
    expect(posed(approve({ ...request, choices: request.choices!.slice(1) }))).toEqual([note]);
    expect(posed(approve({ ...request, required: true, choices: request.choices!.slice(1) }))).toHaveLength(2);
  });

  it("choose by themselves where there is one answer to a required question", () => {
    const only: ActionOut = { ...DISPATCH, inputs: [{ ...DISPATCH.inputs[0]!, choices: [{ id: "u1", label: "环卫公司" }] }] };
    expect(startOf(only)).toEqual({ lead_unit: "u1" });
  });
});

function form(run: (body: Record<string, unknown>, key: string) => Promise<void>) {
  return mount(ActionForm, { props: { action: DISPATCH, run } });
}

describe("a generated form", () => {
  it("does not send while a required field is empty", async () => {
    const run = vi.fn(() => Promise.resolve());
    const page = form(run);
    await page.find("form").trigger("submit");
    expect(run).not.toHaveBeenCalled();
    expect(page.text()).toContain("请填写这一项");
  });

  it("sends what was chosen", async () => {
    const run = vi.fn(() => Promise.resolve());
    const page = form(run);
    await page.find('input[value="u1"]').setValue();
    await page.find('input[value="u3"]').setValue(true);
    await page.find("form").trigger("submit");
    expect(run).toHaveBeenCalledWith({ lead_unit: "u1", co_units: ["u3"] }, expect.any(String));
  });

  it("keeps what was typed over a refusal and shows it at its field", async () => {
    const problem = new Problem(422, "missing_input", "", "还缺内容", [{ field: "note", message: "请写明原因" }]);
    const page = form(() => Promise.reject(problem));
    await page.find('input[value="u2"]').setValue();
    await page.find("textarea").setValue("第一次");
    await page.find("form").trigger("submit");
    await vi.waitFor(() => expect(page.text()).toContain("请写明原因"));
    expect(page.text()).toContain("还缺内容");
    expect((page.find("textarea").element as HTMLTextAreaElement).value).toBe("第一次");
  });

  it("uses the same key for the same content after silence, another after a change", async () => {
    const keys: string[] = [];
    const page = form((_body, key) => {
      keys.push(key);
      return Promise.reject(new Unreachable());
    });
    await page.find('input[value="u1"]').setValue();
    for (const note of [null, null, "改了"]) {
      if (note) await page.find("textarea").setValue(note);
      await page.find("form").trigger("submit");
      await vi.waitFor(() => expect(page.find('button[type="submit"]').attributes("disabled")).toBeUndefined());
    }
    expect(keys[1]).toBe(keys[0]);
    expect(keys[2]).not.toBe(keys[0]);
  });
});

describe("a form that has just opened", () => {
  afterEach(() => {
    vi.useRealTimers();
  });

  it("lets the second click of a double one pass, and no key", async () => {
    vi.useFakeTimers();
    const ran = vi.fn(() => Promise.resolve());
    const page = mount(ActionForm, { props: { action: { action: "sign", label: "签收", primary: true, inputs: [] }, run: ran } });
    expect(page.find("form").classes()).toContain("is-fresh");
    await page.find("form").trigger("submit");
    expect(ran).toHaveBeenCalledOnce();
    vi.advanceTimersByTime(500);
    await page.vm.$nextTick();
    expect(page.find("form").classes()).not.toContain("is-fresh");
  });

  it("takes any text whole", () => {
    const note: InputOut = { name: "note", type: "text", required: true, label: "说明" };
    const field = mount(ActionField, { props: { input: note, modelValue: "" } });
    expect(field.find("textarea").attributes("maxlength")).toBeUndefined();
  });
});

const shown = (input: InputOut) => {
  const field = mount(ActionField, { props: { input, modelValue: blank(input) } });
  return field.findAll<HTMLInputElement>("input[type=radio]").map((one) => one.element.value);
};

describe("the order of choices", () => {
  const urgency: InputOut = {
    name: "urgency",
    type: "choice",
    required: false,
    label: "紧急程度",
    choices: ["U0", "U1", "U2", "U3"].map((id) => ({ id, label: id })),
    value: "U2",
  };
  const units: InputOut = {
    name: "lead_unit",
    type: "unit",
    required: true,
    label: "主办单位",
    choices: Array.from({ length: 9 }, (_, i) => ({ id: `u${i}`, label: `单位${i}` })),
    value: "u7",
  };
  it("is the natural one where all of them are in sight", () => {
    expect(shown(urgency)).toEqual(["U0", "U1", "U2", "U3"]);
  });

  it("puts what is proposed first in a long list", () => {
    expect(shown(units).slice(0, 3)).toEqual(["u7", "u0", "u1"]);
  });
});

describe("the six steps", () => {
  it("mark what was walked, what was not, and where the case is", () => {
    const steps = stepsOf({ stage: "response", skipped: [{ stage: "community_call", why: "direct" }] });
    expect(steps.map((step) => step.state)).toEqual(["done", "skipped", "done", "now", "ahead", "ahead"]);
  });

  it("are all behind a closed case", () => {
    expect(stepsOf({ stage: "closing", finished: true }).every((step) => step.state === "done")).toBe(true);
  });

  it("say in words why a step was not walked", () => {
    const bar = mount(StageBar, { props: { stage: "coordination", skipped: [{ stage: "community_call", why: "direct" }] } });
    expect(bar.text()).toContain("紧急直呼，未经社区");
    expect(bar.find('[aria-current="step"]').attributes("aria-label")).toContain("街道统筹");
  });
});
