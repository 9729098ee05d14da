/**
 * One list of cases under live changes. Pure: the moment is an argument, nothing is fetched.
 *
 * A row stands where its queue's order puts it. The row that somebody holds (reads, acts on) is the exception: it
 * keeps its place, and stays as "left" when the case leaves the queue, until it is let go.
 */
import type { CaseChanged, CaseGone, QueueCount, QueueRow } from "./types";

export interface Entry {
  row: QueueRow;
  /** The case no longer stands in this list; it is shown only because it is held. */
  left: boolean;
}

export interface List {
  /** Id of the queue, or null for the result of a search. */
  queue: string | null;
  entries: Entry[];
  /** Cursor of the next page; null at the end. */
  next: string | null;
}

type Compare = (a: QueueRow, b: QueueRow) => number;

const LAST = Number.POSITIVE_INFINITY;

/** Rows are never changed in place, so what is read from one is read once: a long list is compared many times. */
function once(read: (row: QueueRow) => number): (row: QueueRow) => number {
  const known = new WeakMap<QueueRow, number>();
  return (row) => {
    let value = known.get(row);
    if (value === undefined) known.set(row, (value = read(row)));
    return value;
  };
}

function moment(at: string | null | undefined): number {
  return at ? Date.parse(at) : LAST;
}

function byMoment(at: (row: QueueRow) => number): Compare {
  return (a, b) => byNumber(at(a), at(b)) || byText(a.case_no, b.case_no);
}

const dueAt = once((row) => (row.due ? Date.parse(row.due.due_at) : LAST));

function byText(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}

function byNumber(a: number, b: number): number {
  if (a === b) return 0; // two missing dues are equal, not NaN
  return a < b ? -1 : 1;
}

const byDue: Compare = (a, b) => byNumber(dueAt(a), dueAt(b)) || byText(a.case_no, b.case_no);
/** Last where the reader may not know it. */
const openedAt = once((row) => (row.opened_at ? Date.parse(row.opened_at) : LAST));

const byAge: Compare = (a, b) => byNumber(openedAt(a), openedAt(b)) || byText(a.case_no, b.case_no);
const byUrgency: Compare = (a, b) => byText(a.urgency ?? "~", b.urgency ?? "~") || byAge(a, b);

/** When it will have taken, or took, twice what it was allowed: it stands still, unlike the ratio itself. */
const byExcess = byMoment(once((row) => moment(row.twice_at)));
const byWork = byMoment(once((row) => moment(row.work_due_at)));
const byReply = byMoment(once((row) => moment(row.reply_at)));
const byReview = byMoment(once((row) => moment(row.review_at)));

const ORDERS: Readonly<Record<string, Compare>> = {
  intake: byUrgency,
  disputes: byAge,
  hard: byAge,
  cross_border: byAge,
  overdue: byExcess,
  approvals: byWork,
  my_requests: byWork,
  to_approve: byWork,
  supervise_open: byReply,
  supervised: byReply,
  review_due: byReview,
};

/** The order of a queue; null for what is no queue. */
export function orderOf(queue: string | null): Compare | null {
  return queue === null ? null : (ORDERS[queue] ?? byDue);
}

/** The first page of a list. */
export function begin(queue: string | null, rows: readonly QueueRow[], next: string | null): List {
  return { queue, entries: rows.map((row) => ({ row, left: false })), next };
}

/** A further page below what is there; rows that came meanwhile by the live line are not doubled. */
export function extend(list: List, rows: readonly QueueRow[], next: string | null): List {
  const known = new Set(list.entries.map((entry) => entry.row.case_no));
  const fresh = rows.filter((row) => !known.has(row.case_no)).map((row) => ({ row, left: false }));
  return { ...list, entries: [...list.entries, ...fresh], next };
}

function placeFor(entries: readonly Entry[], row: QueueRow, compare: Compare | null): number {
  if (!compare) return entries.length;
  const at = entries.findIndex((entry) => !entry.left && compare(row, entry.row) < 0);
  return at < 0 ? entries.length : at;
}

/** A case changed. Returns the same list when nothing here is touched. */
export function changed(list: List, event: CaseChanged, held: string | null): List {
  const at = list.entries.findIndex((entry) => entry.row.case_no === event.case_no);
  const known = at < 0 ? undefined : list.entries[at];
  if (known && event.sequence < known.row.sequence) return list; // older than the page
  const stands = list.queue === null ? at >= 0 : event.queues.includes(list.queue);
  if (known && stands && !known.left && event.sequence === known.row.sequence) return list; // sent twice
  if (!stands && !known) return list;
  if (known && (held === event.case_no || list.queue === null)) {
    return { ...list, entries: list.entries.map((entry, i) => (i === at ? { row: event.row, left: !stands } : entry)) };
  }
  const rest = known ? list.entries.filter((_, i) => i !== at) : list.entries;
  if (!stands) return { ...list, entries: rest };
  const compare = orderOf(list.queue);
  const to = known && !compare ? at : placeFor(rest, event.row, compare);
  if (!known && to === rest.length && list.next !== null) return list; // belongs to a page that is not loaded yet
  return { ...list, entries: [...rest.slice(0, to), { row: event.row, left: false }, ...rest.slice(to)] };
}

/** A case went out of the reader's sight. */
export function gone(list: List, caseNo: string, held: string | null): List {
  const known = list.entries.some((entry) => entry.row.case_no === caseNo);
  if (!known) return list;
  if (held === caseNo) {
    return { ...list, entries: list.entries.map((entry) => (entry.row.case_no === caseNo ? { ...entry, left: true } : entry)) };
  }
  return { ...list, entries: list.entries.filter((entry) => entry.row.case_no !== caseNo) };
}

/** What was heard since the list was last drawn, in one go. */
export function heard(list: List, events: readonly (CaseChanged | CaseGone)[], held: string | null): List {
  return events.reduce((now, event) => ("row" in event ? changed(now, event, held) : gone(now, event.case_no, held)), list);
}

/** Somebody let go of the held row: what left goes, what moved takes its place. `held` is the row held now. */
export function settle(list: List, held: string | null): List {
  const stay = list.entries.filter((entry) => !entry.left || entry.row.case_no === held);
  const compare = orderOf(list.queue);
  if (!compare) return stay.length === list.entries.length ? list : { ...list, entries: stay };
  const fixed = stay.findIndex((entry) => entry.row.case_no === held);
  const one = fixed < 0 ? undefined : stay[fixed];
  const others = stay.filter((_, i) => i !== fixed).sort((a, b) => compare(a.row, b.row));
  if (!one) return { ...list, entries: others };
  return { ...list, entries: [...others.slice(0, fixed), one, ...others.slice(fixed)] };
}

/** The neighbour of a row: `by` rows further down, or up when negative; stops at the ends. */
export function neighbour(list: List, from: string | null, by: number): QueueRow | null {
  const { entries } = list;
  if (entries.length === 0) return null;
  const at = from === null ? -1 : entries.findIndex((entry) => entry.row.case_no === from);
  const to = at < 0 ? (by > 0 ? 0 : entries.length - 1) : Math.min(entries.length - 1, Math.max(0, at + by));
  return entries[to]?.row ?? null;
}

/** How many rows stand in a queue that is loaded to its end; null where nobody here can tell. */
export function standing(list: List): number | null {
  return list.queue === null || list.next !== null ? null : list.entries.filter((entry) => !entry.left).length;
}

/** The counts as they are shown beside a list: what can be counted on the screen agrees with the screen. */
export function beside(counts: readonly QueueCount[], list: List): QueueCount[] {
  const open = standing(list);
  return counts.map((one) => (open === null || one.id !== list.queue || one.open === open ? one : { ...one, open, overdue: Math.min(one.overdue, open) }));
}
