/** What a failure means, and how long to wait after it. */
import { Problem, type Unreachable } from "@grid/webkit/api";

/**
 * `stop`: nobody gets through now. `later`: this one does not, others may. `stranger`: the service knows another person
 * or none. `refused`: the service has read it and will never take it as it is.
 */
export type Verdict = "stop" | "later" | "stranger" | "refused";

const FIRST_WAIT = 5_000;
const LONGEST_WAIT = 10 * 60_000;
/** A service that asks for more than this has a wrong clock, or we have. */
const LONGEST_PAUSE = 60 * 60_000;
const NOBODY_GETS_THROUGH = new Set([408, 425, 429, 502, 503, 504]);

/** Milliseconds until the next try after so many failures. */
export function waitAfter(attempts: number): number {
  return Math.min(LONGEST_WAIT, FIRST_WAIT * 2 ** Math.max(0, attempts - 1));
}

/** Whether a moment is still to come. One further off than we ever wait was set before the phone's clock was put back. */
export function withinReason(moment: number, now: number): boolean {
  return moment > now && moment - now <= LONGEST_PAUSE;
}

/** A refusal counts only in the service's own words: a proxy's or a hotel's page says nothing about the report. */
export function verdictOf(error: Problem | Unreachable): Verdict {
  if (!(error instanceof Problem)) return "stop";
  if (error.status === 401 || error.status === 412) return "stranger";
  if (NOBODY_GETS_THROUGH.has(error.status)) return "stop";
  return error.temporary || error.code === `http_${error.status}` ? "later" : "refused";
}
