/** What 登记 sends: one report as intake takes it, made from what the clerk heard. Pure. */
import { printable } from "@grid/webkit";

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

/** Who calls. It goes along with the report, into the vault of the service that takes it, and nowhere else. */
export interface Caller {
  name: string;
  phone: string;
  /** Wishes to be called back. */
  callBack: boolean;
}

/** What the service answered. */
export interface Receipt {
  id: string;
  receipt_no: string;
  case_no: string | null;
}

export const nobody = (): Caller => ({ name: "", phone: "", callBack: false });

/** The body for the vault; null where nothing was said. */
export function identityOf(caller: Caller): Record<string, unknown> | null {
  const [name, phone] = [printable(caller.name), printable(caller.phone)];
  if (name === "" && phone === "") return null;
  return { name, phone, contact: caller.callBack && phone !== "" ? "phone" : "none" };
}

const PHONE = /^(?:\+?\d[\d\s-]{6,18}\d)$/;

/** What is wrong with the caller's number, by field; a wish to be called needs one. */
export function wrongIn(caller: Caller): string[] {
  const phone = caller.phone.trim();
  return (phone !== "" && !PHONE.test(phone)) || (phone === "" && caller.callBack) ? ["phone"] : [];
}

export type Danger = "none" | "danger" | "life";

export interface Heard {
  source: string;
  nature: string;
  placeWords: string;
  place: Named | null;
  /** A point set by hand on the sketch; it counts before the named place. */
  pin: { lng: number; lat: number } | null;
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
    pin: null,
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
  if (heard.placeWords.trim() === "" && heard.cell === "" && heard.pin === null) found.push("place_words");
  if (heard.category === null && heard.text.trim() === "" && heard.danger === "none") found.push("text");
  return found;
}

/** The body for POST /api/v1/intake/reports. */
export function reportOf(heard: Heard, caller: Caller, now: Date): Record<string, unknown> {
  const { place, category } = heard;
  let position: Record<string, unknown> | null = null;
  if (heard.pin) position = { lng: heard.pin.lng, lat: heard.pin.lat, crs: "wgs84" };
  else if (place && place.name === heard.placeWords.trim()) position = { lng: place.lng, lat: place.lat, crs: "wgs84" };
  else if (heard.cell !== "") position = { cell: heard.cell };
  const danger = heard.danger !== "none";
  return {
    source: heard.source,
    nature: heard.nature,
    position,
    place_words: printable(heard.placeWords),
    landmark: printable(heard.landmark),
    category: category && { scheme: category.scheme, version: category.version, code: category.code },
    text: printable(heard.text),
    danger,
    life: heard.danger === "life",
    joins: heard.joins,
    occurred_at: now.toISOString(),
    photos: [],
    reporter: identityOf(caller),
  };
}
