/** What the phone says to intake and hears from it. */
import type { Cells, Page, StageOut } from "@grid/webkit";

export interface CategoryKey {
  scheme: string;
  version: string;
  code: string;
}

export interface FormCategory extends CategoryKey {
  name: string;
  tile: string;
  restricted?: boolean;
}

export interface Tile {
  id: string;
  name: string;
}

/** Everything the form needs to work without a network. */
export interface FormOut {
  rulebook: string;
  categories: FormCategory[];
  tiles: Tile[];
  cells: Cells;
  sample: boolean;
  me: { grid: string | null; community: string | null };
}

export interface Place {
  id: string;
  name: string;
  kind: string;
  cell: string;
  lng: number;
  lat: number;
  /** Pinyin first letters; of a name with several readings all of them, separated by spaces. */
  initials: string;
}

export type Nature = "complaint" | "help" | "enquiry" | "suggestion" | "thanks";
export type SpotAct = "guan" | "sao" | "quan" | "bang";

export interface ReportIn {
  category: CategoryKey | null;
  nature: Nature;
  text: string;
  position: { lng: number; lat: number; crs: "wgs84"; accuracy_m: number | null; at: string | null } | { cell: string } | null;
  place_words: string;
  landmark: string;
  danger: boolean;
  life: boolean;
  direct: boolean;
  call_now: boolean;
  in_grid: boolean;
  occurred_at: string;
  client_at: string;
  on_the_spot: { act: SpotAct; note: string } | null;
  joins: string | null;
  photos: {
    id: string;
    sha256: string;
    bytes: number;
    mime: string;
    taken_at: string | null;
    fix: { lng: number; lat: number } | null;
  }[];
  anonymous: boolean;
}

/** 讲: a good deed somebody saw. */
export interface DeedIn {
  text: string;
  place_words: string;
  cell: string | null;
  seen_at: string;
}

export interface DeedOut {
  id: string;
  text: string;
  place_words: string;
  grid: string | null;
  seen_at: string;
  told_at: string;
  mine: boolean;
}

export interface Receipt {
  id: string;
  receipt_no: string;
  case_no: string | null;
  due_at: string | null;
  track_url: string;
  created_at: string;
}

export interface ReportRow {
  id: string;
  receipt_no: string;
  case_no: string | null;
  state: string | null;
  stage: string | null;
  skipped: { stage: string; why: string }[];
  text: string;
  created_at: string;
  due_at: string | null;
  /** Somebody waits for words of the reporter. */
  awaited?: boolean;
}

export interface ReportOut extends ReportRow {
  /** What the street wrote for the reporter, oldest first. */
  words?: { kind: string; label: string; at: string; text: string; by_reporter: boolean }[];
  words_missing?: boolean;
  category_name: string | null;
  nature: Nature;
  place_words: string;
  danger: boolean;
  photos: { id: string; url: string; stored: boolean }[];
  track_url: string;
  /** An action that was asked and is not answered yet. */
  pending: string | null;
  /** What became of the last one; `text` says why it was refused. */
  answer?: { action: string; label: string; result: "done" | "refused"; text: string } | null;
  actions: { action: string; label: string }[];
  stages?: StageOut[];
}

export interface Similar {
  case_no: string;
  category_name: string;
  stage: string;
  state: string;
  distance_m: number;
  opened_at: string;
}

export type ReportPage = Page<ReportRow>;
