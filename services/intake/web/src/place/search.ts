/** Finding a named place by two characters or by pinyin initials, also without a network. */
import { metres, type Cells, type Point } from "@grid/webkit";
import type { Place } from "../types";

export const SEARCH_FROM = 2;

/** How well a place fits: 0 best, null not at all. */
function rank(place: Place, words: string): number | null {
  const name = place.name.toLowerCase();
  const readings = place.initials.toLowerCase().split(" ");
  if (name.startsWith(words)) return 0;
  if (readings.some((initials) => initials.startsWith(words))) return 1;
  if (name.includes(words)) return 2;
  return readings.some((initials) => initials.includes(words)) ? 3 : null;
}

/** Places that fit, the best first and among equals the nearest. */
export function searchPlaces(places: readonly Place[], words: string, near: Point | null, limit = 8): Place[] {
  const wanted = words.trim().toLowerCase();
  if (wanted.length < SEARCH_FROM) return [];
  const found: { place: Place; rank: number; away: number }[] = [];
  for (const place of places) {
    const fit = rank(place, wanted);
    if (fit !== null) found.push({ place, rank: fit, away: near ? metres(near, place) : 0 });
  }
  found.sort((a, b) => a.rank - b.rank || a.away - b.away || a.place.name.localeCompare(b.place.name, "zh"));
  return found.slice(0, limit).map((one) => one.place);
}

/** The nearest places of all, as a proposal before anything is typed. */
export function nearestPlaces(places: readonly Place[], near: Point, limit = 6): Place[] {
  return places
    .map((place) => ({ place, away: metres(near, place) }))
    .sort((a, b) => a.away - b.away)
    .slice(0, limit)
    .map((one) => one.place);
}

/** Places of a cell, or of a grid's cells, as a proposal where no position is known. */
export function placesIn(places: readonly Place[], cells: Cells | null, area: string, limit = 6): Place[] {
  const own = new Set([area]);
  for (const { properties } of cells?.features ?? []) if (properties.grid === area) own.add(properties.code);
  return places.filter((place) => own.has(place.cell) || place.cell.startsWith(area)).slice(0, limit);
}

/** Put answers of the service together with what the phone already has. */
export function merged(kept: readonly Place[], fresh: readonly Place[]): Place[] {
  const all = new Map(kept.map((place) => [place.id, place]));
  for (const place of fresh) all.set(place.id, place);
  return [...all.values()];
}
