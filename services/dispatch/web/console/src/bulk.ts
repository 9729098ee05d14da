/** One act on several cases. Pure. */
import type { ActionOut } from "@grid/webkit";

export interface BulkResult {
  case_no: string;
  done: boolean;
  version: number | null;
  code: string | null;
  /** Why not, in the reader's language. */
  detail: string | null;
}

export interface BulkOut {
  results: BulkResult[];
  done: number;
}

/** What may be said of several cases with the same words, as the service has it. */
const IN_BULK = new Set([
  "answer",
  "accept",
  "call_up",
  "send_down",
  "dispatch",
  "redispatch",
  "sign",
  "respond",
  "close",
  "urge",
  "supervise",
  "note",
]);
export const MOST_IN_BULK = 50;

/** Those of a case's acts that can be done to several, without what belongs to one case alone. */
export function together(actions: readonly ActionOut[]): ActionOut[] {
  return actions
    .filter((one) => IN_BULK.has(one.action) && !one.inputs.some((input) => input.type === "evidence" && input.required))
    .map((one) => ({ ...one, inputs: one.inputs.filter((input) => input.type !== "evidence") }));
}

/** Those not done, to be tried again or looked at one by one. */
export function undone(out: BulkOut): string[] {
  return out.results.filter((row) => !row.done).map((row) => row.case_no);
}
