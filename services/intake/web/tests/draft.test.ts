import "fake-indexeddb/auto";
import { mount } from "@vue/test-utils";
import { describe, expect, it, vi } from "vitest";
import { defineComponent } from "vue";
import { shelf } from "../src/outbox";
import { draftsOf } from "../src/report/drafts";
import { useDraft } from "../src/report/useDraft";

describe("a form", () => {
  it("whose sign-in has ended keeps what was typed last for the account that typed it", async () => {
    let account: string | null = "a-1";
    let kept!: ReturnType<typeof useDraft>;
    const Form = defineComponent({
      setup() {
        kept = useDraft({ account: () => account, handling: () => null });
        return () => null;
      },
    });
    const form = mount(Form);
    kept.draft.text = "写到一半";
    account = null;
    form.unmount();
    const store = await shelf();
    await vi.waitFor(async () => {
      const texts = (await draftsOf(store, "a-1")).map((one) => one.draft.text);
      expect(texts).toEqual(["写到一半"]);
    });
  });
});
