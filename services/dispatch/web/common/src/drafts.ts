/** What was typed into an action's form and not sent, by person, case and action, for as long as the page is open. */
import { session, type Values } from "@grid/webkit";

const shelf = new Map<string, Values>();

const keyOf = (caseNo: string, action: string) => `${session.person?.account_id ?? ""}:${caseNo}:${action}`;

export function draftOf(caseNo: string, action: string): Values {
  return { ...shelf.get(keyOf(caseNo, action)) };
}

export function keepDraft(caseNo: string, action: string, values: Values): void {
  shelf.set(keyOf(caseNo, action), values);
}

export function dropDraft(caseNo: string, action: string): void {
  shelf.delete(keyOf(caseNo, action));
}
