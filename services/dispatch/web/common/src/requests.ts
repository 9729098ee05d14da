/** What is asked for in a case, as a list that is about it shows it. Pure but for the words. */
import { shortTime, t, tOr } from "@grid/webkit";
import type { QueueRow, RowRequest } from "./types";

export interface Asker {
  account_id: string;
  posts: readonly { unit?: string | null }[];
}

/** Those of a row's requests that the list is about, the newest first. */
export function requestsFor(queue: string | null, row: QueueRow, person: Asker | null): readonly RowRequest[] {
  const all = row.requests ?? [];
  const own = (one: RowRequest) => one.account === person?.account_id;
  const units = new Set((person?.posts ?? []).map((post) => post.unit).filter(Boolean));
  if (queue === "to_approve") return all.filter((one) => one.status === "pending" && !own(one));
  if (queue === "approvals") return all.filter((one) => one.status === "pending");
  if (queue === "my_requests") return all.filter((one) => own(one) || (one.unit != null && units.has(one.unit))).slice(0, 1);
  return [];
}

/** What it is, until when, why, and by whom; in a list of one's own how it stands instead. */
export function requestWords(queue: string | null, one: RowRequest, now: number): { what: string; more: string } {
  const why = one.reason ? tOr(`reason.${one.reason}`, tOr(`whistle_kind.${one.reason}`, "")) : "";
  const until = one.until ? t("clock.due", { time: shortTime(one.until, now) }) : "";
  const last = queue === "my_requests" ? t(`request_status.${one.status}`) : (one.by_name ?? "");
  return { what: t(`action.${one.kind}`), more: [why, until, last].filter(Boolean).join(" · ") };
}
