/** What was typed into an action's form and not sent, by case and action, for as long as the page is open. */
import type { Values } from "@grid/webkit";

const shelf = new Map<string, Values>();

const keyOf = (caseNo: string, action: string) => `${caseNo}:${action}`;

export function draftOf(caseNo: string, action: string): Values {
  return { ...shelf.get(keyOf(caseNo, action)) };
}

export function keepDraft(caseNo: string, action: string, values: Values): void {
  shelf.set(keyOf(caseNo, action), values);
}

export function dropDraft(caseNo: string, action: string): void {
  shelf.delete(keyOf(caseNo, action));
}
