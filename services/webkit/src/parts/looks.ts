/** Type size and light or dark, chosen on this device. Applied to the root element, where the tokens listen. */
import { ref, watchEffect } from "vue";

export type Look = "auto" | "light" | "dark";
export type TypeSize = "normal" | "large";

function kept<T extends string>(name: string, allowed: readonly T[], usual: T): T {
  try {
    const value = localStorage.getItem(name) as T | null;
    return value !== null && allowed.includes(value) ? value : usual;
  } catch {
    return usual;
  }
}

function keep(name: string, value: string): void {
  try {
    localStorage.setItem(name, value);
  } catch {
    // the choice holds until the page is closed
  }
}

export const look = ref<Look>(kept("grid.look", ["auto", "light", "dark"], "auto"));
export const typeSize = ref<TypeSize>(kept("grid.size", ["normal", "large"], "normal"));

watchEffect(() => {
  const root = document.documentElement;
  if (look.value === "auto") delete root.dataset["theme"];
  else root.dataset["theme"] = look.value;
  root.dataset["size"] = typeSize.value;
  keep("grid.look", look.value);
  keep("grid.size", typeSize.value);
});
