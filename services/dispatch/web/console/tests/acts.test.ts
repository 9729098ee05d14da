import type { ActionOut } from "@grid/webkit";
import { describe, expect, it } from "vitest";
import { BY_LETTER, firstOf, letterOf } from "../src/acts";

const action = (name: string, primary = false): ActionOut => ({ action: name, label: name, primary, inputs: [] });

describe("letters", () => {
  const atStreet = [action("note"), action("answer", true), action("urge"), action("file_dispatch", true), action("file")];

  it("stand for the first of their actions that the case offers", () => {
    expect(firstOf(BY_LETTER.d, atStreet)?.action).toBe("file_dispatch");
    expect(firstOf(BY_LETTER.c, atStreet)?.action).toBe("answer");
    expect(firstOf(BY_LETTER.e, atStreet)?.action).toBe("urge");
    expect(firstOf(BY_LETTER.d, [action("note")])).toBeNull();
  });

  it("stand beside the button that they press, and no other", () => {
    expect(letterOf("file_dispatch", atStreet)).toBe("d");
    expect(letterOf("file", atStreet)).toBeNull();
    expect(letterOf("note", atStreet)).toBeNull();
  });
});
