/** Type size and light or dark, chosen on this device. Applied to the root element, where the tokens listen. */
import { ref, watchEffect } from "vue";

export type Look = "auto" | "light" | "dark" | "contrast";
export type TypeSize = "normal" | "large";
export const LOOKS: readonly Look[] = ["auto", "light", "dark", "contrast"];
export const TYPE_SIZES: readonly TypeSize[] = ["normal", "large"];

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

export const look = ref<Look>(kept("grid.look", LOOKS, "auto"));
export const typeSize = ref<TypeSize>(kept("grid.size", TYPE_SIZES, "normal"));

/** Whether the device asks for more contrast; older browsers do not say. */
const contrastAsked = matchMedia("(prefers-contrast: more)").matches;

watchEffect(() => {
  const root = document.documentElement;
  const contrast = look.value === "contrast" || (look.value === "auto" && contrastAsked);
  if (look.value === "auto" && !contrast) delete root.dataset["theme"];
  else root.dataset["theme"] = contrast ? "contrast" : look.value;
  root.dataset["size"] = typeSize.value;
  keep("grid.look", look.value);
  keep("grid.size", typeSize.value);
});
