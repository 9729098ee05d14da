/** Rows picked for one act on several cases. Pure: a selection is an immutable set of case numbers. */

export type Picked = ReadonlySet<string>;

/** Pick a row, or let it go. */
export function toggled(picked: Picked, caseNo: string): Picked {
  const next = new Set(picked);
  if (!next.delete(caseNo)) next.add(caseNo);
  return next;
}

/** Pick everything between two rows of the list, both included; without a first row only the second. */
export function through(picked: Picked, order: readonly string[], from: string | null, to: string): Picked {
  const a = from === null ? -1 : order.indexOf(from);
  const b = order.indexOf(to);
  if (b < 0) return picked;
  const [low, high] = a < 0 ? [b, b] : [Math.min(a, b), Math.max(a, b)];
  return new Set([...picked, ...order.slice(low, high + 1)]);
}

/** What is still there of a selection: rows that went out of the list are no longer picked. */
export function within(picked: Picked, order: readonly string[]): Picked {
  const there = new Set(order);
  const kept = Array.from(picked).filter((caseNo) => there.has(caseNo));
  return kept.length === picked.size ? picked : new Set(kept);
}
