/** Words on the screen. They all come from `schemas/labels`; a page holds ids only. */
import { ref, shallowReactive, watchEffect } from "vue";

export type Language = "zh-CN" | "en-US";
export type Values = Readonly<Record<string, string | number>>;

export const LANGUAGES: readonly Language[] = ["zh-CN", "en-US"];

const STORED_AS = "grid.language";
type List = Record<string, string>;

// The language of the street comes with the page, another one when somebody asks for it.
const here = import.meta.glob<List>(["@labels/zh-CN.json", "@labels/pages/zh-CN.json"], { eager: true, import: "default" });
const elsewhere = import.meta.glob<List>(["@labels/en-US.json", "@labels/pages/en-US.json"], { import: "default" });

const words = shallowReactive<Partial<Record<Language, List>>>({ "zh-CN": Object.assign({}, ...Object.values(here)) as List });

async function learn(next: Language): Promise<void> {
  if (words[next]) return;
  const lists = await Promise.all(Object.values(elsewhere).map((load) => load()));
  words[next] = Object.assign({}, ...lists) as List;
}

function isLanguage(value: string | null): value is Language {
  return value === "zh-CN" || value === "en-US";
}

function remembered(): Language {
  try {
    const value = localStorage.getItem(STORED_AS);
    return isLanguage(value) ? value : "zh-CN";
  } catch {
    return "zh-CN"; // storage is closed in some embedded browsers; the page still has to speak
  }
}

/** The language in use. Change it with `speak`. */
export const language = ref<Language>(remembered());

watchEffect(() => {
  document.documentElement.lang = language.value;
});

/** Resolves once the remembered language can be spoken; where its words cannot be had the page speaks Chinese. */
export async function wordsReady(): Promise<void> {
  await learn(language.value).catch(() => undefined);
}

/** Use another language and remember the choice on this device. Rejects where its words cannot be had. */
export async function speak(next: Language): Promise<void> {
  await learn(next);
  language.value = next;
  try {
    localStorage.setItem(STORED_AS, next);
  } catch {
    // not remembered; nothing else depends on it
  }
}

/** Put values into a text: `{name}` is replaced, an unknown name stays visible so that a test can see it. */
export function fill(text: string, values: Values = {}): string {
  return text.replace(/\{([^{}]+)\}/g, (whole, name: string) => {
    const value = values[name];
    return value === undefined ? whole : String(value);
  });
}

/** Whether the label list has this id, or the id without its `@x`. */
export function has(key: string): boolean {
  return find(key) !== undefined;
}

function find(key: string): string | undefined {
  const own = words[language.value];
  const usual = words["zh-CN"];
  const general = key.split("@")[0] ?? key;
  return own?.[key] ?? own?.[general] ?? usual?.[key] ?? usual?.[general];
}

/** The word for an id. `action.answer@street` falls back to `action.answer`; a missing id shows itself. */
export function t(key: string, values?: Values): string {
  return fill(find(key) ?? key, values);
}

/** The word for an id, or the given text if the list does not have it (names that come from data). */
export function tOr(key: string, other: string, values?: Values): string {
  const text = find(key);
  return text === undefined ? other : fill(text, values);
}
