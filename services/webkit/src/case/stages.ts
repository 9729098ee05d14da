/** The six steps that a person sees first, and where a case stands among them. */
import type { StageOut } from "../api/types";

export const STAGES = ["discovery", "community_call", "coordination", "response", "disposal", "closing"] as const;
export type Stage = (typeof STAGES)[number];

export type StepState = "done" | "now" | "ahead" | "skipped";

export interface Step {
  stage: Stage;
  state: StepState;
  /** Why it was not walked: `grid`, `community`, `direct`. */
  skipped: string | null;
  enteredAt: string | null;
}

/** What lists carry: the ids of skipped stages, or each stage with its reason. */
export type Skipped = readonly (string | { stage: string; why?: string; reason?: string; skipped?: string })[];

function reasonFor(stage: string, skipped: Skipped): string | null {
  for (const item of skipped) {
    if (typeof item === "string") {
      const [name, why] = item.split(":");
      if (name === stage) return why ?? "";
    } else if (item.stage === stage) return item.why ?? item.reason ?? item.skipped ?? "";
  }
  return null;
}

export interface Standing {
  stage: string;
  /** Closed and archived cases have walked their last step too. */
  finished?: boolean;
  stages?: readonly StageOut[];
  skipped?: Skipped;
}

/** One row per step, in order. */
export function stepsOf(standing: Standing): Step[] {
  const at = STAGES.indexOf(standing.stage as Stage);
  return STAGES.map((stage, i) => {
    const detail = standing.stages?.find((one) => one.stage === stage);
    const skipped = detail?.skipped ?? reasonFor(stage, standing.skipped ?? []);
    let state: StepState = i < at ? "done" : i === at ? "now" : "ahead";
    if (i === at && standing.finished) state = "done";
    if (skipped !== null && i !== at) state = "skipped";
    return { stage, state, skipped: skipped ?? null, enteredAt: detail?.entered_at ?? null };
  });
}
