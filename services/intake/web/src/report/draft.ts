/** What a person has filled in so far, kept on the phone with every change. */
import { newId, type Photo, type Point } from "@grid/webkit";
import type { CategoryKey, FormOut, Nature, Place, ReportIn, SpotAct } from "../types";

/** `photo`: its camera noted where it was taken. */
export type PinSource = "gps" | "hand" | "place" | "photo";

/** What a branch secretary does with his own find: 网格自办 or 呼叫社区. */
export type Handling = "grid" | "community";

export interface Draft {
  id: string;
  /** When it was seen (milliseconds): the first photo's moment, else the first entry's. Null: nothing entered yet. */
  seenAt: number | null;
  photos: Photo[];
  placeWords: string;
  /** Named place that the words were taken from; null once they are changed by hand. */
  place: Place | null;
  landmark: string;
  pin: Point | null;
  pinSource: PinSource | null;
  /** Metres, for a pin from the phone's own position. */
  accuracy: number | null;
  fixAt: string | null;
  /** Cell chosen from the list, without a pin. */
  cell: string | null;
  tile: string | null;
  category: string | null;
  danger: boolean;
  life: boolean;
  /** Null for everybody but a branch secretary, whose report rings nobody below himself. */
  handling: Handling | null;
  text: string;
  act: SpotAct | null;
  actNote: string;
  nature: Nature;
  anonymous: boolean;
}

export function emptyDraft(): Draft {
  return {
    id: newId(),
    seenAt: null,
    photos: [],
    placeWords: "",
    place: null,
    landmark: "",
    pin: null,
    pinSource: null,
    accuracy: null,
    fixAt: null,
    cell: null,
    tile: null,
    category: null,
    danger: false,
    life: false,
    handling: null,
    text: "",
    act: null,
    actNote: "",
    nature: "complaint",
    anonymous: false,
  };
}

/** Whether a person has put anything in (a position found by the phone does not count). */
export function touched(draft: Draft): boolean {
  return (
    draft.photos.length > 0 ||
    [draft.placeWords, draft.landmark, draft.text, draft.actNote].some((text) => text.trim() !== "") ||
    draft.tile !== null ||
    draft.category !== null ||
    draft.danger ||
    draft.act !== null ||
    draft.pinSource === "hand"
  );
}

export const UNSURE = "unsure";

export type Gap = "place" | "what" | "spot";

/** What is still missing. Danger lets the report go with place and danger only. */
export function gapsOf(draft: Draft): Gap[] {
  const gaps: Gap[] = [];
  if (draft.placeWords.trim() === "" && draft.pin === null && draft.cell === null) gaps.push("place");
  if (!draft.danger && draft.tile === null && draft.category === null) gaps.push("what");
  if (!draft.danger && draft.act !== null && draft.actNote.trim() === "") gaps.push("spot");
  return gaps;
}

function categoryKey(draft: Draft, form: FormOut): CategoryKey | null {
  const found = form.categories.find((one) => one.code === draft.category);
  return found ? { scheme: found.scheme, version: found.version, code: found.code } : null;
}

function positionOf(draft: Draft): ReportIn["position"] {
  if (draft.pin) {
    const { lng, lat } = draft.pin;
    return { lng, lat, crs: "wgs84", accuracy_m: draft.accuracy, at: draft.fixAt };
  }
  return draft.cell === null ? null : { cell: draft.cell };
}

/** Words that tell the clerk what was chosen even where no class was. */
export interface Fillers {
  unsure: (tile: string) => string;
  danger: () => string;
}

function textOf(draft: Draft, form: FormOut, fill: Fillers): string {
  const typed = draft.text.trim();
  if (typed !== "") return typed;
  if (draft.category !== null && draft.category !== UNSURE) return "";
  const tile = form.tiles.find((one) => one.id === draft.tile);
  if (tile) return fill.unsure(tile.name);
  return draft.danger ? fill.danger() : "";
}

/** The body to send. Danger calls the street directly and leaves no room for "already dealt with". */
export function reportOf(draft: Draft, form: FormOut, now: number, joins: string | null, fill: Fillers): ReportIn {
  const urgentOrDone = draft.danger || draft.act !== null;
  return {
    category: categoryKey(draft, form),
    nature: draft.nature,
    text: textOf(draft, form, fill),
    position: positionOf(draft),
    place_words: draft.placeWords.trim(),
    landmark: draft.landmark.trim(),
    danger: draft.danger,
    life: draft.danger && draft.life,
    direct: draft.danger,
    call_now: !urgentOrDone && draft.handling === "community",
    in_grid: !urgentOrDone && draft.handling === "grid",
    occurred_at: new Date(draft.seenAt ?? now).toISOString(),
    client_at: new Date(now).toISOString(),
    on_the_spot: !draft.danger && draft.act ? { act: draft.act, note: draft.actNote.trim() } : null,
    joins,
    photos: draft.photos.map(named),
    anonymous: draft.anonymous,
  };
}

/** A photo as the report names it. */
function named({ id, sha256, bytes, mime, takenAt = null, fix = null }: Photo): ReportIn["photos"][number] {
  return { id, sha256, bytes: bytes.byteLength, mime, taken_at: takenAt, fix: fix && { ...fix } };
}

/** Draft again from a report that was refused, so that a person can mend it. */
export function draftOf(report: ReportIn, photos: Photo[]): Draft {
  const pin = report.position && "lng" in report.position ? report.position : null;
  return {
    ...emptyDraft(),
    seenAt: Date.parse(report.occurred_at),
    photos,
    placeWords: report.place_words,
    landmark: report.landmark,
    pin: pin && { lng: pin.lng, lat: pin.lat },
    pinSource: pin && "hand",
    accuracy: pin?.accuracy_m ?? null,
    fixAt: pin?.at ?? null,
    cell: report.position && "cell" in report.position ? report.position.cell : null,
    category: report.category?.code ?? (report.danger ? null : UNSURE),
    danger: report.danger,
    life: report.life,
    handling: report.call_now ? "community" : report.in_grid ? "grid" : null,
    text: report.text,
    act: report.on_the_spot?.act ?? null,
    actNote: report.on_the_spot?.note ?? "",
    nature: report.nature,
    anonymous: report.anonymous,
  };
}

/** `id` is the idempotency key; a draft goes under its own, so that what was sent is never offered as a draft again. */
export function waitingOf(account: string, report: ReportIn, photos: readonly Photo[], now: number, id = newId()) {
  return {
    id,
    account,
    createdAt: now,
    report,
    photos: photos.map((photo) => ({ ...photo, sent: false })),
    state: "waiting" as const,
    attempts: 0,
    nextAt: 0,
    refusal: null,
    receipt: null,
  };
}
