import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it } from "vitest";
import { groupsNamed, onlyWordsNamed } from "../../vite.words.ts";

it("a page carries the groups of words that its sources name, and no others", () => {
  const folder = mkdtempSync(join(tmpdir(), "sources-"));
  writeFileSync(join(folder, "Page.vue"), "<template>{{ t(`state.${one}`) }} {{ t('retry') }}</template>");
  writeFileSync(join(folder, "more.ts"), 'const key = "kind@street"; const other = group + ".title";');
  expect([...groupsNamed([folder])].sort()).toEqual(["kind", "retry", "state"]);

  const transform = onlyWordsNamed([folder]).transform as (code: string, id: string) => { code: string } | null;
  const list = { "state.closed": "已结案", "problem.gone": "没有", retry: "重试", "kind@street": "街道" };
  const built = transform(JSON.stringify(list), "/any/schemas/labels/zh-CN.json");
  expect(Object.keys(JSON.parse(built?.code ?? "{}"))).toEqual(["state.closed", "retry", "kind@street"]);
  expect(transform("{}", "/any/package.json")).toBeNull();
});
