/** The script before all others, which says a sentence where the page cannot start; with its words, by its hash. */
import { readFileSync } from "node:fs";
import type { Plugin } from "vite";

const NAMES = ["old", "outside", "update", "failed", "reload"] as const;
const LANGUAGES = ["zh-CN", "en-US"] as const;

const text = (path: string) => readFileSync(new URL(path, import.meta.url), "utf8");

const labels = (language: string) => JSON.parse(text(`../schemas/labels/pages/${language}.json`)) as Record<string, string>;

function words(): string {
  const entries = LANGUAGES.map((language) => {
    const all = labels(language);
    return [language, Object.fromEntries(NAMES.map((name) => [name, all[`gate.${name}`]]))];
  });
  return JSON.stringify(Object.fromEntries(entries));
}

export function gate(base: string): Plugin {
  return {
    name: "grid-gate",
    apply: "build",
    buildStart() {
      this.emitFile({ type: "asset", name: "gate.js", source: text("webkit/src/gate/gate.js").replace("__WORDS__", words()) });
    },
    transformIndexHtml: {
      order: "post",
      handler(_html, { bundle }) {
        const file = Object.keys(bundle ?? {}).find((name) => /\/gate-[^/]*\.js$/.test(name));
        if (!file) throw new Error("the gate was not built");
        return [{ tag: "script", attrs: { src: base + file }, injectTo: "head-prepend" }];
      },
    },
  };
}
