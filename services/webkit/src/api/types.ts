/** Answers that more than one page reads. Times are RFC 3339 texts. */

export interface PostOut {
  role: string;
  area: string;
  unit: string | null;
  label: string;
  /** Of a post that is held for a while (值班): when it ends, and the name of who lent it. */
  until?: string | null;
  granted_by?: string | null;
}

export interface SessionOut {
  account_id: string;
  name: string;
  lang: string | null;
  posts: PostOut[];
  /** The street is the made-up one; every page says so. */
  sample: boolean;
  desks?: string[];
  /** What the posts open beside the actions on cases: `cases`, `register`, `read_pushes`, … */
  rights?: string[];
  links?: Record<string, string>;
  /** Stands on photos in place of a name; residents have none. */
  work_no?: string | null;
}

export type ClockBasis = "wall" | "work" | "natural";

/** A deadline as rows and cases show it. */
export interface DueOut {
  clock_id?: string;
  kind?: string;
  state?: string;
  due_at: string;
  basis: ClockBasis;
  started_at: string;
  budget_s: number;
  provisional?: boolean;
}

export interface StageOut {
  stage: string;
  entered_at?: string | null;
  left_at?: string | null;
  used_s?: number | null;
  allowed_s?: number | null;
  /** What the step's own clock has counted of `allowed_s`, in seconds of its basis. */
  counted_s?: number | null;
  basis?: ClockBasis | null;
  /** The clock's name. */
  clock?: string | null;
  /** Who acted there, the last three. */
  who?: string[];
  /** Why the step was not walked: `grid`, `community` or `direct`. */
  skipped?: string | null;
}

export interface ChoiceOut {
  id: string;
  label: string;
  /** What else one compares by, on a line of its own. */
  detail?: string | null;
  /** Counts only while the form's category is this one. */
  of?: string | null;
}

export type InputType =
  | "text"
  | "choice"
  | "choices"
  | "unit"
  | "units"
  | "evidence"
  | "datetime"
  | "duration"
  | "person"
  | "category"
  | "condition"
  | "task"
  | "case_no"
  | "cell"
  | "flag"
  | "grade";

export interface InputOut {
  name: string;
  type: InputType;
  required: boolean;
  label: string;
  choices?: ChoiceOut[];
  /** What the machine proposes. */
  value?: string | string[] | null;
  /** Bounds of a moment. */
  earliest?: string | null;
  latest?: string | null;
}

export interface ActionOut {
  action: string;
  label: string;
  primary: boolean;
  /** It is only asked for; somebody else decides. */
  ask?: boolean;
  inputs: InputOut[];
  /** What holds for it: how often, until when, who decides. */
  limits?: string[];
}

export interface TimelineOut {
  sequence: number;
  at: string;
  kind: string;
  label: string;
  actor_name: string | null;
  actor_post: string | null;
  machine: boolean;
  rule?: string | null;
  note?: string | null;
  reason?: string | null;
  evidence?: { id: string; url: string }[];
  /** A machine act can be taken back until then. */
  recall_until?: string | null;
  /** Numbers of the other cases that it is about. */
  cases?: string[];
  /** Who was told in place of a post that nobody held, in words. */
  instead?: string[];
}

export interface Page<Row> {
  items: Row[];
  next: string | null;
}
