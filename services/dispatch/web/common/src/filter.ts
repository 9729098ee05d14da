/** What a list is narrowed to. Pure: it comes from the address and goes back there, and says of a row whether it passes. */
import { leftOf } from "@grid/webkit";
import type { QueueRow } from "./types";

export const FIELDS = ["urgency", "tier", "late", "community", "category", "unit"] as const;
export type Field = (typeof FIELDS)[number];
/** Any of the codes of a field, and something of every field that is named. */
export type Filter = Readonly<Partial<Record<Field, readonly string[]>>>;

const CODES = /^[^\s,]{1,64}$/;

/** The filter that an address tells; what is not a filter's is left aside. */
export function filterOf(query: Readonly<Record<string, unknown>>): Filter {
  const filter: Partial<Record<Field, readonly string[]>> = {};
  for (const field of FIELDS) {
    const text = query[field];
    const codes = typeof text === "string" ? Array.from(new Set(text.split(",").filter((code) => CODES.test(code)))) : [];
    if (codes.length > 0) filter[field] = codes;
  }
  return filter;
}

/** The filter as an address or a request says it: `{urgency: "U0,U1"}`. */
export function queryOf(filter: Filter): Record<string, string> {
  const query: Record<string, string> = {};
  for (const field of FIELDS) {
    const codes = filter[field];
    if (codes?.length) query[field] = codes.join(",");
  }
  return query;
}

export function isEmpty(filter: Filter): boolean {
  return FIELDS.every((field) => !filter[field]?.length);
}

/** The filter with a code more, or without it. */
export function flipped(filter: Filter, field: Field, code: string): Filter {
  const codes = filter[field] ?? [];
  const next = codes.includes(code) ? codes.filter((one) => one !== code) : [...codes, code];
  return filterOf(queryOf({ ...filter, [field]: next }));
}

function codeOf(row: QueueRow, field: Field, now: number): string | null {
  switch (field) {
    case "urgency":
      return row.urgency;
    case "tier":
      return row.tier;
    case "late":
      return row.due ? leftOf(row.due, now).level : null;
    case "community":
      return row.community ?? null;
    case "category":
      return row.category?.code ?? null;
    case "unit":
      return row.unit ?? null;
  }
}

/** Whether a row passes, as the service would say at this moment. */
export function passes(filter: Filter, row: QueueRow, now: number): boolean {
  return FIELDS.every((field) => {
    const codes = filter[field];
    return !codes?.length || codes.includes(codeOf(row, field, now) ?? "");
  });
}
