/** Of the word list, a page carries the groups that it speaks of; the sentences of the services stay with them. */
import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import type { Plugin } from "vite";

const SOURCE = /\.(?:vue|ts)$/;
/** The first part of every word in quotes: `"form.title"`, `` `state.${id}` ``, `"stage"`. Too many rather than too few. */
const QUOTED = /["'`]([A-Za-z_0-9]+)(?=[.@"'`])/g;

/** First parts of everything that could be the id of a word in the sources under these folders. */
export function groupsNamed(folders: readonly string[]): Set<string> {
  const found = new Set<string>();
  for (const folder of folders) {
    for (const path of sourcesUnder(folder)) {
      for (const match of readFileSync(path, "utf8").matchAll(QUOTED)) if (match[1]) found.add(match[1]);
    }
  }
  return found;
}

function sourcesUnder(folder: string): string[] {
  return readdirSync(folder).flatMap((name) => {
    const path = join(folder, name);
    if (statSync(path).isDirectory()) return name === "node_modules" ? [] : sourcesUnder(path);
    return SOURCE.test(name) ? [path] : [];
  });
}

/** Leave the other groups out of what is built. */
export function onlyWordsNamed(folders: readonly string[]): Plugin {
  let groups: Set<string> | undefined;
  return {
    name: "grid-only-words-named",
    apply: "build",
    enforce: "pre",
    transform(code, id) {
      if (!/\/schemas\/labels\/.*\.json$/.test(id)) return null;
      const named = (groups ??= groupsNamed(folders));
      const words = Object.entries(JSON.parse(code) as Record<string, string>);
      const kept = words.filter(([key]) => named.has(key.split(/[.@]/)[0] ?? key));
      return { code: JSON.stringify(Object.fromEntries(kept)), map: null };
    },
  };
}
