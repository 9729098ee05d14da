/** Taking back what was done last: for as long as the service allows, and by who did it. */
import { newId, Problem, t, Unreachable, useNow } from "@grid/webkit";
import { computed } from "vue";
import { act } from "./case";
import type { CaseOut } from "./types";

export interface Undoing {
  done: (answer: CaseOut, label: string) => void;
  failed: (why: string) => void;
}

/** `seconds`: as long as `one` can still be undone; 0: it cannot. */
export function useUndo(one: () => CaseOut | null, told: Undoing) {
  const now = useNow(1_000);
  const seconds = computed(() => {
    const until = one()?.undo?.until;
    return until ? Math.max(0, Math.floor((Date.parse(until) - now.value) / 1000)) : 0;
  });
  let busy = false;

  async function undo(): Promise<void> {
    const found = one();
    if (!found?.undo || seconds.value <= 0 || busy) return;
    busy = true;
    try {
      told.done(await act(found.case_no, "undo", found.version, {}, newId()), t("action.undo"));
    } catch (error) {
      if (!(error instanceof Problem || error instanceof Unreachable)) throw error;
      told.failed(error instanceof Problem ? error.message : t("error.unreachable"));
    } finally {
      busy = false;
    }
  }

  return { seconds, undo };
}
