/** What 登记 sends: one report as intake takes it, made from what the clerk heard. Pure. */

export interface Named {
  id: string;
  name: string;
  kind: string;
  cell: string;
  lng: number;
  lat: number;
  initials: string;
}

export interface FormCategory {
  scheme: string;
  version: string;
  code: string;
  name: string;
  tile: string;
}

export type Danger = "none" | "danger" | "life";

export interface Heard {
  source: string;
  nature: string;
  placeWords: string;
  place: Named | null;
  /** A cell chosen by hand when no named place fits. */
  cell: string;
  landmark: string;
  category: FormCategory | null;
  text: string;
  danger: Danger;
  joins: string | null;
}

export function blankCall(): Heard {
  return {
    source: "phone",
    nature: "complaint",
    placeWords: "",
    place: null,
    cell: "",
    landmark: "",
    category: null,
    text: "",
    danger: "none",
    joins: null,
  };
}

/** Fields that still miss something, by name. */
export function missingIn(heard: Heard): string[] {
  const found: string[] = [];
  if (heard.placeWords.trim() === "" && heard.cell === "") found.push("place_words");
  if (heard.category === null && heard.text.trim() === "" && heard.danger === "none") found.push("text");
  return found;
}

/** The body for POST /api/v1/intake/reports. */
export function reportOf(heard: Heard, now: Date): Record<string, unknown> {
  const { place, category } = heard;
  let position: Record<string, unknown> | null = null;
  if (place && place.name === heard.placeWords.trim()) position = { lng: place.lng, lat: place.lat, crs: "wgs84" };
  else if (heard.cell !== "") position = { cell: heard.cell };
  const danger = heard.danger !== "none";
  return {
    source: heard.source,
    nature: heard.nature,
    position,
    place_words: heard.placeWords.trim(),
    landmark: heard.landmark.trim(),
    category: category && { scheme: category.scheme, version: category.version, code: category.code },
    text: heard.text.trim(),
    danger,
    life: heard.danger === "life",
    direct: danger,
    joins: heard.joins,
    occurred_at: now.toISOString(),
    photos: [],
  };
}
