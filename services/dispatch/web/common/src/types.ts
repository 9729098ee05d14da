/** What dispatch and, through it, escalation and intake answer. Times are RFC 3339 texts. */
import type { ActionOut, CellFeature, ClockBasis, DueOut, StageOut, TimelineOut } from "@grid/webkit";

export interface QueueCount {
  id: string;
  label: string;
  group: "stage" | "watch" | "desk";
  stage: string | null;
  open: number;
  overdue: number;
  oldest_at: string | null;
}

export interface QueuesOut {
  queues: QueueCount[];
  cursor: string;
}

export interface QueueRow {
  case_no: string;
  version: number;
  sequence: number;
  /** Null where the reader may know class and community alone; so with the three below and `opened_at`. */
  state: string | null;
  stage: string | null;
  tier: string | null;
  urgency: string | null;
  category: { code: string; name: string } | null;
  summary: string;
  address: string;
  owner_name: string;
  lead_unit: string | null;
  /** Codes of its community and of the lead unit. */
  community?: string | null;
  unit?: string | null;
  due: DueOut | null;
  /** What some lists are sorted by, beside `due`: twice the limit used, the work's own limit, an order's, a review. */
  twice_at?: string | null;
  work_due_at?: string | null;
  reply_at?: string | null;
  review_at?: string | null;
  /** Where the small copy of its first photo is. */
  photo?: string | null;
  reports: number;
  hand_overs: number;
  opened_at: string | null;
  flags: string[];
  /** How it was found when that was last said. */
  grade?: string | null;
  /** What is asked for in it, the newest first; told in lists that are about it, and by the live line. */
  requests?: RowRequest[];
  restricted: boolean;
  sample: boolean;
}

export interface RowRequest {
  /** Codes; `unit` and `account` are of who asks. */
  kind: string;
  status: string;
  reason: string | null;
  until: string | null;
  by_name: string | null;
  account: string | null;
  unit: string | null;
  at: string;
}

/** Somebody who has a case open; `acting`: he fills in a form of it. */
export interface Present {
  account: string;
  name: string;
  acting: boolean;
}

export interface CasePresence {
  case_no: string;
  people: Present[];
}

export interface PresenceOut {
  cases: CasePresence[];
}

/** `whole`: nothing else is open; else only what changed. */
export interface PresenceTold extends PresenceOut {
  whole: boolean;
}

export interface QueuePage {
  rows: QueueRow[];
  next: string | null;
  cursor: string;
  /** Of a search, with its first page: how many there are; with `more` there are more than that. */
  total?: number | null;
  more?: boolean;
}

export interface CaseChanged {
  case_no: string;
  sequence: number;
  version: number;
  /** The queues the case stands in now, for this reader. */
  queues: string[];
  row: QueueRow;
}

export interface CaseGone {
  case_no: string;
}

export interface CaseClock {
  clock_id: string;
  kind: string;
  label: string;
  state: "running" | "paused" | "stopped";
  basis: ClockBasis;
  budget_s: number;
  started_at: string;
  due_at: string;
  original_due: string;
  provisional: boolean;
  sentence: string;
  /** The sentence in its parts. */
  steps: string[];
}

export interface CasePhoto {
  id: string;
  url: string;
}

export interface CaseReport {
  id: string;
  receipt_no: string;
  text: string;
  place_words: string;
  photos: CasePhoto[];
  at: string;
  source: string;
}

export interface CaseTask {
  id: string;
  kind: string;
  unit: string | null;
  unit_name: string | null;
  person_name: string | null;
  state: string;
  given_at: string;
  done_at: string | null;
  /** What was asked when it was given, and by whom. */
  ask?: string | null;
  given_by?: string | null;
  /** While it is open. */
  due?: DueOut | null;
  last?: { at: string; label: string; by_name: string | null } | null;
  evidence?: CasePhoto[];
}

export interface CaseRequest {
  id: string;
  kind: string;
  label: string;
  status: string;
  by_name: string | null;
  at: string;
  until: string | null;
  reason: string | null;
  note: string | null;
  /** What it was filled in with, in words. */
  asked: { name: string; label: string; text: string }[];
  /** Posts whose word is awaited. */
  deciders: string[];
}

export interface Routing {
  lead: string | null;
  co_units: string[];
  line: string | null;
  basis: string;
  /** `<catalogue line>:<what did not fit>` */
  unmatched: string[];
  rulebook_lead: string | null;
  /** Unit code → name. */
  names?: Record<string, string>;
  /** What people call the version that chose, such as 2026.2. */
  edition: string;
  /** What the line rests on. */
  line_basis: string;
  /** What the matter says where the line asked for something, in words. */
  because: string[];
  /** The lines that were not taken, each with its reason in words. */
  reasons: RouteReason[];
}

export interface RouteReason {
  line: string;
  unit: string;
  basis: string;
  why: string;
}

export interface Mediation {
  mediator: string | null;
  may_write: boolean;
  notes: { id: string; at: string; by_name: string | null; text: string }[];
}

export interface CaseOut {
  id: string;
  case_no: string;
  version: number;
  sequence: number;
  /** Null where the reader may know class and community alone; so with what has no value below. */
  stage: string | null;
  state: string | null;
  state_label: string;
  tier: string | null;
  urgency: string | null;
  nature: string | null;
  source: string;
  category: { scheme: string; version: string; code: string; name: string; proposed: boolean } | null;
  condition: string | null;
  condition_text: string | null;
  close_condition: string | null;
  cell: string | null;
  place: {
    street: string;
    community: string | null;
    community_name: string | null;
    grid: string | null;
    grid_name: string | null;
    cell: string | null;
    cell_name?: string | null;
    cell_outline?: CellFeature["geometry"] | null;
    lng: number | null;
    lat: number | null;
    words: string;
  };
  owner: { tier: string; code: string; role: string; name: string } | null;
  lead_unit: string | null;
  lead_unit_name: string | null;
  co_units: string[];
  flags: string[];
  restricted: boolean;
  history: boolean;
  liaison_leader: string | null;
  opened_at: string | null;
  closed_at: string | null;
  closed_as: string | null;
  stages: StageOut[];
  clocks: CaseClock[];
  reports: CaseReport[];
  tasks: CaseTask[];
  requests: CaseRequest[];
  timeline: TimelineOut[];
  /** What the reader did last and may still undo. */
  undo: { label: string; until: string } | null;
  routing: Routing | null;
  mediator: string | null;
  /** Whether the reader may see the mediation record. */
  mediation: boolean;
  /** Number of the case that this one was merged into. */
  master: string | null;
  /** The cases that were merged into this one. */
  absorbed: { case_no: string; opened_at: string; merged_at: string; reports: number }[];
  /** Number of the ended case that its reporter took it for. */
  earlier: string | null;
  actions: ActionOut[];
  rulebook: string;
  sample: boolean;
}
