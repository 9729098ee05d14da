/** The list goes on by itself once it shows what an act made of the case. */
import { onScopeDispose, watch } from "vue";
import type { CaseOut, Feed } from "../../common/src";
import { goesOn, nextAfter, shows, type Acted } from "./next";

/** The live line tells within a moment; a list that hears nothing goes by what the act itself answered. */
const PATIENCE = 2_000;

/** Returns what is to be called after an act. `open`: the case that is shown; `go`: shows another. */
export function useGoOn(feed: Feed, open: () => string | null, go: (caseNo: string) => void): (answer: CaseOut) => void {
  let acted: Acted | null = null;
  let timer: ReturnType<typeof setTimeout> | undefined;

  function decide(atLast: boolean): void {
    if (acted === null || (!atLast && !shows(feed.list.value, acted))) return;
    const next = open() === acted.caseNo ? nextAfter(feed.list.value, acted) : null;
    acted = null;
    clearTimeout(timer);
    if (next !== null) go(next);
  }

  watch(feed.list, () => decide(false));
  onScopeDispose(() => clearTimeout(timer));
  return (answer) => {
    if (!goesOn.value || feed.list.value.queue === null) return;
    acted = { caseNo: answer.case_no, sequence: answer.sequence, waits: answer.actions.some((one) => one.primary) };
    clearTimeout(timer);
    timer = setTimeout(() => decide(true), PATIENCE);
    decide(false);
  };
}
