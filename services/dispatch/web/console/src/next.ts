/** After an act the list goes on to its next case: which one, and whether this person wants it so. */
import { ref, watchEffect } from "vue";
import type { List } from "../../common/src";

const NAME = "grid.next";

/** What is to be known before the list can go on. */
export interface Acted {
  caseNo: string;
  /** The case's last fact by then. */
  sequence: number;
  /** It still waits for the same person. */
  waits: boolean;
}

function remembered(): boolean {
  try {
    return localStorage.getItem(NAME) !== "stay";
  } catch {
    return true;
  }
}

/** Chosen once at this device. */
export const goesOn = ref(remembered());

watchEffect(() => {
  const chosen = goesOn.value ? "on" : "stay";
  try {
    localStorage.setItem(NAME, chosen);
  } catch {
    // the choice holds until the page is closed
  }
});

/** Whether the list shows what the act made of the case. */
export function shows(list: List, acted: Acted): boolean {
  const entry = list.entries.find((one) => one.row.case_no === acted.caseNo);
  return entry === undefined || entry.left || entry.row.sequence >= acted.sequence;
}

/** Where to go on: the next row below that still stands there, else the last one above. Null: stay with the case. */
export function nextAfter(list: List, acted: Acted): string | null {
  const at = list.entries.findIndex((one) => one.row.case_no === acted.caseNo);
  const entry = list.entries[at];
  if (entry === undefined || (!entry.left && acted.waits)) return null;
  const below = list.entries.slice(at + 1).find((one) => !one.left);
  const above = list.entries.slice(0, at).filter((one) => !one.left).pop();
  return (below ?? above)?.row.case_no ?? null;
}
