/** Taking back what was done last: for as long as the service allows, and by who did it. */
import { newId, Problem, t, Unreachable, useNow } from "@grid/webkit";
import { computed, onScopeDispose, ref, watch } from "vue";
import { act } from "./case";
import type { CaseOut } from "./types";

export interface Undoing {
  done: (answer: CaseOut, label: string) => void;
  failed: (why: string) => void;
}

/** The button comes where a form was sent: the second click of a double one there takes nothing back. */
const SETTLED = 600;

/** `seconds`: as long as `one` can still be undone; 0: it cannot. `fresh`: it has only just become possible, and clicks pass. */
export function useUndo(one: () => CaseOut | null, told: Undoing) {
  const now = useNow(1_000);
  const seconds = computed(() => {
    const until = one()?.undo?.until;
    return until ? Math.max(0, Math.floor((Date.parse(until) - now.value) / 1000)) : 0;
  });
  const fresh = ref(false);
  let busy = false;
  let settling: ReturnType<typeof setTimeout> | undefined;

  watch(
    () => one()?.undo?.until,
    (until) => {
      clearTimeout(settling);
      fresh.value = until !== undefined;
      settling = setTimeout(() => (fresh.value = false), SETTLED);
    },
  );
  onScopeDispose(() => clearTimeout(settling));

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

  return { seconds, fresh, undo };
}
