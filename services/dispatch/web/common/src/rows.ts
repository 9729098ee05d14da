/** What lists say about a row, in words. */
import { amount, t } from "@grid/webkit";
import type { QueueRow } from "./types";

/** Flags that change how a row is read; the rest stand in the case itself. */
const SHOWN = ["overdue", "supervised", "urged", "awaiting_more", "rework", "hard", "no_rule", "cross_border", "in_conference", "forced_choice"];

export function flagsOf(row: { flags: string[] }): string[] {
  return SHOWN.filter((flag) => row.flags.includes(flag));
}

export function toneOf(flag: string): string {
  if (flag === "overdue" || flag === "supervised" || flag === "forced_choice") return "is-bad";
  return flag === "no_rule" || flag === "urged" || flag === "awaiting_more" ? "is-warn" : "";
}

export function summaryOf(row: QueueRow): string {
  if (row.summary) return row.summary;
  return row.restricted ? t("restricted") : (row.category?.name ?? t("form.unsure"));
}

/** `FC-20261122-00031` without what all numbers of a street share: `1122-00031`. */
export function shortNo(caseNo: string): string {
  const parts = caseNo.split("-");
  const day = parts[1];
  const rest = parts[2];
  return parts.length === 3 && day?.length === 8 && rest ? `${day.slice(4)}-${rest}` : caseNo;
}

/** How old it is; nothing where the reader may not know. */
export function ageOf(row: { opened_at: string | null }, now: number): string {
  if (row.opened_at === null) return "";
  return amount(Math.max(0, now - Date.parse(row.opened_at)) / 1000);
}
