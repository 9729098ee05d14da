/** Which of a case's actions a letter stands for: the first of these that the case offers. */
import type { ActionOut } from "@grid/webkit";

export type Letter = "c" | "d" | "e";

/** c takes it on, d gives it to somebody, e calls for somebody higher. */
export const BY_LETTER: Readonly<Record<Letter, readonly string[]>> = {
  c: ["answer", "accept", "sign", "respond", "answer_whistle", "self_resolve_start", "resume"],
  d: ["file_dispatch", "dispatch", "rule", "file", "redispatch"],
  e: ["call_up", "whistle", "supervise", "urge"],
};

/** The first of the wanted actions among those offered. */
export function firstOf(wanted: readonly string[], offered: readonly ActionOut[]): ActionOut | null {
  for (const name of wanted) {
    const found = offered.find((one) => one.action === name);
    if (found) return found;
  }
  return null;
}

/** The letter beside an action's button, if one would choose it. */
export function letterOf(action: string, offered: readonly ActionOut[]): Letter | null {
  const letters = Object.keys(BY_LETTER) as Letter[];
  return letters.find((letter) => firstOf(BY_LETTER[letter], offered)?.action === action) ?? null;
}
