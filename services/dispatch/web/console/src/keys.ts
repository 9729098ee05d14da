/** Keys of the console. They rest while somebody types, composes Chinese or reads a dialog. */
import { onScopeDispose } from "vue";
import { tinykeys } from "tinykeys";

/** What a key does; `false`: nothing this time, whoever else is bound to it may. */
export type Bindings = Readonly<Record<string, () => unknown>>;

/** What Enter itself presses. */
const PRESSED = "a[href], button, summary";
const TYPING = "input, textarea, select, [contenteditable='true'], [role='combobox']";

/** Whether a dialog that takes the whole keyboard is to be seen. */
function underDialog(): boolean {
  const dialogs = Array.from(document.querySelectorAll<HTMLElement>("[role='dialog'][aria-modal='true']:not([aria-hidden='true'])"));
  return dialogs.some((one) => one.offsetParent !== null || one.getClientRects().length > 0);
}

/** Whether a key press belongs to what has the focus and not to the page. */
export function busyElsewhere(event: KeyboardEvent): boolean {
  if (event.isComposing || event.keyCode === 229) return true; // an input method is at work
  if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return true;
  if (underDialog()) return true;
  const target = event.target instanceof Element ? event.target : null;
  if (target === null) return false;
  if (event.key === "Enter" && target.closest(PRESSED) !== null) return true;
  return target.closest(TYPING) !== null;
}

/** Bind keys for as long as the component lives. */
export function useKeys(bindings: Bindings): void {
  const map: Record<string, (event: KeyboardEvent) => void> = {};
  for (const [key, does] of Object.entries(bindings)) {
    map[key] = (event) => {
      if (does() !== false) event.preventDefault();
    };
  }
  onScopeDispose(tinykeys(window, map, { ignore: busyElsewhere }));
}

function composing(event: KeyboardEvent): boolean {
  return event.isComposing || event.keyCode === 229 || underDialog();
}

/** Ctrl+K, or ⌘K: also while somebody types, never while an input method composes or another dialog is open. */
export function usePaletteKey(toggle: () => void): void {
  const does = (event: KeyboardEvent) => {
    event.preventDefault();
    toggle();
  };
  onScopeDispose(tinykeys(window, { "$mod+k": does }, { ignore: composing }));
}
