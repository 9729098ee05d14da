import { afterEach, describe, expect, it } from "vitest";
import { fill, has, language, speak, t, tOr } from "../src/i18n";

const files = import.meta.glob<Record<string, string>>("@labels/**/*.json", { eager: true, import: "default" });
const sources = import.meta.glob<string>(["../src/**/*.{vue,ts}", "../../intake/web/src/**/*.{vue,ts}"], {
  eager: true,
  query: "?raw",
  import: "default",
});

function list(name: string, folder: "" | "pages/"): Record<string, string> {
  const found = Object.entries(files).find(([path]) => path.endsWith(`labels/${folder}${name}.json`));
  if (!found) throw new Error(`no list ${folder}${name}`);
  return found[1];
}

const placeholders = (text: string) => [...text.matchAll(/\{([^{}]+)\}/g)].map((match) => match[1]).sort();

afterEach(() => speak("zh-CN"));

describe("the word lists", () => {
  it("say the same ids with the same values in both languages", () => {
    const zh = list("zh-CN", "pages/");
    const en = list("en-US", "pages/");
    expect(Object.keys(en).sort()).toEqual(Object.keys(zh).sort());
    for (const [id, text] of Object.entries(zh)) expect(placeholders(en[id] ?? ""), id).toEqual(placeholders(text));
  });

  it("hold no id twice", () => {
    const general = list("zh-CN", "");
    expect(Object.keys(list("zh-CN", "pages/")).filter((id) => id in general)).toEqual([]);
  });

  it("have every id that a page names", () => {
    const missing: string[] = [];
    for (const [path, text] of Object.entries(sources)) {
      for (const match of text.matchAll(/\bt\(\s*["']([a-z0-9_.@]+)["']/gi)) {
        if (match[1] && !has(match[1])) missing.push(`${path}: ${match[1]}`);
      }
    }
    expect(missing).toEqual([]);
  });
});

describe("t", () => {
  it("puts values in and leaves an unknown one visible", () => {
    expect(fill("待发 {n} 条，最早 {time}", { n: 2 })).toBe("待发 2 条，最早 {time}");
  });

  it("falls back from the desk's word to the general one", () => {
    expect(t("state.reported@nowhere")).toBe("已上报待研判");
  });

  it("shows the id itself, or the given name, where the list has nothing", () => {
    expect(t("nothing.like.this")).toBe("nothing.like.this");
    expect(tOr("nothing.like.this", "综合行政执法队")).toBe("综合行政执法队");
  });

  it("speaks the chosen language and remembers it", async () => {
    await speak("en-US");
    expect(t("form.submit")).toBe("Report");
    expect(language.value).toBe("en-US");
    expect(localStorage.getItem("grid.language")).toBe("en-US");
  });
});
