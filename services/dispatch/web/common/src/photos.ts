/** What a case's photos tell beside what they show: a hint for people, never a verdict. */
import { api, shortTime, t, type TimelineOut } from "@grid/webkit";
import type { CasePhoto } from "./types";

export interface PhotoHint {
  report_id: string;
  id: string;
  taken_at: string | null;
  metres_from_pin: number | null;
  same: { case_no: string; at: string }[];
  /** Reports with the same picture whose case the reader may not see. */
  elsewhere: number;
}

/** Nearer than this, satellites and pins differ by themselves. */
const FAR_M = 150;

export async function loadHints(caseNo: string): Promise<PhotoHint[]> {
  try {
    return (await api.get<{ photos: PhotoHint[] }>(`/api/v1/cases/${encodeURIComponent(caseNo)}/photos`)).photos;
  } catch {
    return []; // the case is whole without them
  }
}

/** What is worth a line: when it was taken, and how far away if that is far. */
export function wordsOf(hint: PhotoHint, now: number): string {
  const words = [];
  if (hint.taken_at !== null) words.push(t("photo.hint.taken", { time: shortTime(hint.taken_at, now) }));
  if (hint.metres_from_pin !== null && hint.metres_from_pin >= FAR_M) words.push(t("photo.hint.far", { m: hint.metres_from_pin }));
  if (hint.elsewhere > 0) words.push(t("photo.hint.elsewhere", { n: hint.elsewhere }));
  return words.join(" · ");
}

/** Acts whose photos show how the place looks now that somebody was there. */
const SETTLING = new Set(["case.self_resolved", "case.fed_back", "case.co_done", "case.verified"]);

/** Photos of the place afterwards, the newest first. */
export function afterOf(timeline: readonly TimelineOut[]): CasePhoto[] {
  return timeline
    .filter((entry) => SETTLING.has(entry.kind))
    .slice()
    .sort((a, b) => b.sequence - a.sequence)
    .flatMap((entry) => entry.evidence ?? []);
}

/** Other cases with the same picture, each once. */
export const sameIn = (hint: PhotoHint): string[] => [...new Set(hint.same.map((one) => one.case_no))];
