/** Which lists stand on whose desk, in the order in which they are worked. */
import { has, t, type SessionOut } from "@grid/webkit";

/** 今日概况 is made from the counts; everything else is a queue of the service. */
export const TODAY = "today";

const DESKS: Readonly<Record<string, readonly string[]>> = {
  branch: ["branch_triage", "grid_handling", "grid_open", "to_confirm", "to_verify"],
  community: ["community_calls", "community_handling", "called_street", "to_close", "to_verify"],
  unit: ["to_sign", "to_respond", "in_handling", "co_tasks", "my_requests"],
  member: ["to_claim", "pledged"],
  leader: ["to_approve", "disputes", "supervised", TODAY],
  district: ["whistles", "in_handling"],
  verifier: ["to_verify", "to_confirm"],
  console: ["red", "intake", "to_dispatch", "to_close", TODAY],
};

/** Desks that a person's posts open. A verifier works from the phone although the console is open to him too. */
export function desksOf(person: SessionOut): string[] {
  const desks = [...(person.desks ?? [])].filter((desk) => desk in DESKS);
  const verifies = person.posts.some((post) => post.role === "VF");
  if (!verifies) return desks;
  const others = person.posts.some((post) => ["IC", "DP", "DC", "AD"].includes(post.role));
  return ["verifier", ...desks.filter((desk) => desk !== "console" || others)];
}

/** Ids of the lists of all desks of a person, each once. */
export function listsOf(person: SessionOut): string[] {
  return [...new Set(desksOf(person).flatMap((desk) => DESKS[desk] ?? []))];
}

/** A list's name as its desk calls it: 支部待研判 is 待研判 to the branch itself. */
export function listName(id: string, desks: readonly string[]): string {
  const own = desks.map((desk) => `queue.${id}@${desk}`).find((key) => has(key));
  return t(own ?? `queue.${id}`);
}
