/** How much of a deadline is left, and how it is said. Pure; the moment is an argument. */
import type { DueOut } from "../api/types";
import { t } from "../i18n";
import { amount, instant, shortTime, workAmount } from "./time";

/** Working hours as pairs of instants, in order, not overlapping. They come from the service with the lists. */
export type Windows = readonly (readonly [string, string])[];

/** `ok` under 75 % of the allowance, `soon` from there, `over` from 100 %. */
export type Level = "ok" | "soon" | "over";

export interface Left {
  level: Level;
  text: string;
  /** Seconds of the clock's own basis; negative when over; null when the working hours are not known. */
  seconds: number | null;
}

const SOON_FROM = 0.75;

let known: Windows = [];

/** Keep the working hours that the service sent. */
export function keepWorkWindows(windows: Windows): void {
  known = windows;
}

/** Working seconds between two instants, or null if the windows do not reach over both. */
export function workSeconds(from: number, to: number, windows: Windows): number | null {
  const first = windows[0];
  const last = windows[windows.length - 1];
  if (!first || !last || from < instant(first[0]) || to > instant(last[1])) return null;
  let total = 0;
  for (const [start, end] of windows) {
    const overlap = Math.min(to, instant(end)) - Math.max(from, instant(start));
    if (overlap > 0) total += overlap;
  }
  return Math.floor(total / 1000);
}

function levelOf(left: number, budget: number): Level {
  if (left <= 0) return "over";
  return budget > 0 && (budget - left) / budget >= SOON_FROM ? "soon" : "ok";
}

/** Where a deadline stands at `now`. Working time needs the windows; without them the due time itself is said. */
export function leftOf(due: DueOut, now: number, windows: Windows = known): Left {
  const dueAt = instant(due.due_at);
  if (due.basis !== "work") {
    const seconds = Math.floor((dueAt - now) / 1000);
    const level = levelOf(seconds, due.budget_s);
    const key = level === "over" ? "clock.over" : `clock.left.${due.basis}`;
    return { level, seconds, text: t(key, { amount: amount(seconds) }) };
  }
  const late = now >= dueAt;
  const seconds = late ? workSeconds(dueAt, now, windows) : workSeconds(now, dueAt, windows);
  if (seconds !== null) {
    const level = late ? "over" : levelOf(Math.max(seconds, 1), due.budget_s);
    const key = late ? "clock.over" : "clock.left.work";
    return { level, seconds: late ? -seconds : seconds, text: t(key, { amount: workAmount(seconds) }) };
  }
  // The hours are not known here: the share of the calendar span decides the colour, the due time is the text.
  const start = instant(due.started_at);
  const share = dueAt > start ? (now - start) / (dueAt - start) : 1;
  const level: Level = late ? "over" : share >= SOON_FROM ? "soon" : "ok";
  const text = late ? t("clock.over", { amount: amount((now - dueAt) / 1000) }) : t("clock.due", { time: shortTime(dueAt, now) });
  return { level, seconds: null, text };
}
