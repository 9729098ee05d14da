/** Which lists stand on whose desk, in the order in which they are worked. */
import { has, t, type SessionOut } from "@grid/webkit";

/** 今日概况 is made from the counts; everything else is a queue of the service. */
export const TODAY = "today";

/** Always there, and there only while something stands in it. */
interface Desk {
  lists: readonly string[];
  byNeed?: readonly string[];
}

const DESKS: Readonly<Record<string, Desk>> = {
  branch: { lists: ["branch_triage", "grid_handling", "grid_open", "to_confirm", "to_verify"], byNeed: ["to_mediate"] },
  community: { lists: ["community_calls", "community_handling", "called_street", "to_close", "to_verify"], byNeed: ["my_requests", "to_mediate"] },
  unit: { lists: ["to_sign", "to_respond", "in_handling", "co_tasks", "my_requests"], byNeed: ["to_mediate"] },
  member: { lists: ["to_claim", "pledged"], byNeed: ["to_sign", "to_respond", "in_handling", "my_requests"] },
  leader: { lists: ["to_approve", "supervised", TODAY], byNeed: ["disputes"] },
  district: { lists: ["whistles", "in_handling"], byNeed: ["supervised", "my_requests"] },
  committee: { lists: ["hard"] },
  verifier: { lists: ["to_verify", "to_confirm", "visits"], byNeed: ["to_mediate"] },
  console: { lists: ["red", "intake", "to_dispatch", "to_close", TODAY], byNeed: ["disputes", "approvals"] },
};

/** Lists that repeat what others hold, or what others work on: nothing in them waits for the reader. */
const OVERVIEW = new Set(["grid_open", "called_street", "my_requests", "supervised", TODAY]);

/** Lists whose cases stand in several states. */
const MIXED = new Set(
  (
    "grid_open called_street co_tasks my_requests to_claim pledged to_approve approvals supervised red disputes hard " +
    "overdue due_soon review_due supervise_open no_rule cross_border"
  ).split(" "),
);

const CENTRE = ["IC", "DP", "DC"];

/** How many cases stand in each list, once the service has said so. */
export type Holds = ReadonlyMap<string, number>;

/** Desks that a person's posts open. Who works at no desk of the centre finds its lists at the console alone. */
export function desksOf(person: SessionOut): string[] {
  const holds = (...roles: string[]) => person.posts.some((post) => roles.includes(post.role));
  const own: string[] = [];
  if (holds("VF")) own.push("verifier");
  if (holds("SC")) own.push("committee");
  return [...own, ...(person.desks ?? []).filter((desk) => desk in DESKS && (desk !== "console" || holds(...CENTRE)))];
}

/** Ids of the lists of all desks of a person, each once; those by need where they hold something. */
export function listsOf(person: SessionOut, holds: Holds | null): string[] {
  const desks = desksOf(person).flatMap((id) => DESKS[id] ?? []);
  const always = desks.flatMap((desk) => desk.lists).filter((id) => id === TODAY || holds === null || holds.has(id));
  const needed = desks.flatMap((desk) => desk.byNeed ?? []).filter((id) => (holds?.get(id) ?? 0) > 0);
  const ids = [...new Set([...always, ...needed])];
  return [...ids.filter((id) => id !== TODAY), ...ids.filter((id) => id === TODAY)];
}

/** Whether what stands there waits for whoever has it on his desk. */
export function waits(id: string): boolean {
  return !OVERVIEW.has(id);
}

/** Whether each row must say where its case stands and with whom. */
export function mixed(id: string | null): boolean {
  return id === null || MIXED.has(id);
}

/** A list's name as its desk calls it: 支部待研判 is 待研判 to the branch itself. */
export function listName(id: string, desks: readonly string[]): string {
  const own = desks.map((desk) => `queue.${id}@${desk}`).find((key) => has(key));
  return t(own ?? `queue.${id}`);
}
