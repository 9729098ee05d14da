import { afterEach, describe, expect, it } from "vitest";
import { effectScope } from "vue";
import { busyElsewhere, useKeys } from "../src/keys";

function press(target: Element, init: KeyboardEventInit = {}): KeyboardEvent {
  const event = new KeyboardEvent("keydown", { key: "j", bubbles: true, cancelable: true, ...init });
  target.dispatchEvent(event);
  return event;
}

describe("a key bound twice", () => {
  it("is the second one's where the first has nothing to do", () => {
    const scope = effectScope();
    const done: string[] = [];
    scope.run(() => {
      useKeys({ Escape: () => done.length > 0 && done.push("first") });
      useKeys({ Escape: () => done.push("second") });
    });
    press(document.body, { key: "Escape", code: "Escape" });
    expect(done).toEqual(["second"]);
    press(document.body, { key: "Escape", code: "Escape" });
    expect(done).toEqual(["second", "first"]);
    scope.stop();
    press(document.body, { key: "Escape", code: "Escape" });
    expect(done.length).toBe(2);
  });
});

describe("keys rest", () => {
  afterEach(() => {
    document.body.innerHTML = "";
  });

  it("while somebody types", () => {
    document.body.innerHTML = `<input><textarea></textarea><select></select><button></button>`;
    for (const name of ["input", "textarea", "select"]) {
      const field = document.querySelector(name) as Element;
      expect(busyElsewhere(press(field)), name).toBe(true);
    }
    expect(busyElsewhere(press(document.querySelector("button") as Element))).toBe(false);
    expect(busyElsewhere(press(document.body))).toBe(false);
  });

  it("while an input method composes", () => {
    expect(busyElsewhere(press(document.body, { isComposing: true }))).toBe(true);
    expect(busyElsewhere(press(document.body, { keyCode: 229 } as KeyboardEventInit))).toBe(true);
  });

  it("while Enter presses what has the focus", () => {
    document.body.innerHTML = `<button></button><a href="/"></a><details><summary></summary></details>`;
    for (const name of ["button", "a", "summary"]) {
      expect(busyElsewhere(press(document.querySelector(name) as Element, { key: "Enter" })), name).toBe(true);
    }
    expect(busyElsewhere(press(document.body, { key: "Enter" }))).toBe(false);
  });

  it("for shortcuts of the browser", () => {
    expect(busyElsewhere(press(document.body, { ctrlKey: true }))).toBe(true);
    expect(busyElsewhere(press(document.body, { metaKey: true }))).toBe(true);
  });
});
