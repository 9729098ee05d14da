/** In which order the acts on a case are offered, in the console as under the thumb. */
import type { ActionOut } from "@grid/webkit";

/** Somebody asks for the reader's word: that comes before his own step. */
const ASKED = ["approve", "reply_supervision"];

/** What is done instead of the first act, and so stands beside it. */
const INSTEAD: Readonly<Record<string, readonly string[]>> = {
  approve: ["deny"],
  claim: ["decline_offer"],
  co_done: ["decline_offer"],
  verify_pass: ["verify_fail"],
  answer_whistle: ["refuse"],
  sign: ["respond", "return"],
  respond: ["return"],
  feedback: ["extend_request", "call_up"],
  call_up: ["self_resolve_start"],
  self_resolve_done: ["call_up"],
  close: ["reopen"],
};

/** All of them: what is asked, the main road, what is done instead, what may be done, what may only be asked for. */
export function inOrder(actions: readonly ActionOut[]): ActionOut[] {
  const asked = actions.filter((one) => ASKED.includes(one.action));
  const road = actions.filter((one) => one.primary && !asked.includes(one));
  const first = asked[0] ?? road[0];
  if (!first) return [...actions];
  const instead = (INSTEAD[first.action] ?? [])
    .map((wanted) => actions.find((one) => one.action === wanted))
    .filter((one): one is ActionOut => one !== undefined);
  const rest = actions.filter((one) => !one.ask);
  return [...new Set([first, ...instead, ...asked, ...road, ...rest, ...actions])];
}

/** Whether the first of them is the one that is waited for. */
export function leads(action: ActionOut): boolean {
  return action.primary || ASKED.includes(action.action);
}
