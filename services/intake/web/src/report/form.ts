/** What the form is made from: categories, tiles, cells and places; fresh when there is a network, kept otherwise. */
import { api, Problem, Unreachable, type Point } from "@grid/webkit";
import { shallowReactive } from "vue";
import { shelf } from "../outbox";
import { merged, nearestPlaces, placesIn, searchPlaces, SEARCH_FROM } from "../place/search";
import type { FormOut, Place } from "../types";

// Shallow: cells and places are many, are replaced whole, and every look at a deep proxy costs.
export const form = shallowReactive<{ data: FormOut | null; places: Place[]; failed: boolean; offline: boolean }>({
  data: null,
  places: [],
  failed: false,
  offline: false,
});

/** Mark the person's own grid, so that the map can show it. */
function marked(fresh: FormOut): FormOut {
  const { grid } = fresh.me;
  for (const { properties } of fresh.cells.features) properties.own = grid !== null && (properties.grid === grid || properties.code.startsWith(grid));
  return fresh;
}

function silent(error: unknown): boolean {
  return error instanceof Unreachable || (error instanceof Problem && error.temporary);
}

/** Load the form's parts: what the phone kept first, so that the page stands at once, then the service's. */
export async function loadForm(): Promise<void> {
  const store = await shelf();
  form.data ??= await store.kept<FormOut>("form");
  if (form.places.length === 0) form.places = (await store.kept<Place[]>("places")) ?? [];
  try {
    const fresh = marked(await api.get<FormOut>("/api/v1/form"));
    form.data = fresh;
    form.offline = false;
    form.failed = false;
    await store.keep("form", fresh, Date.now()); // the plain answer: a reactive proxy cannot be stored
    await fetchPlaces({ cell: fresh.me.grid ?? fresh.cells.features[0]?.properties.code ?? "" });
  } catch (error) {
    if (!silent(error)) throw error;
    form.offline = true;
    form.failed = form.data === null;
  }
}

async function fetchPlaces(query: { cell?: string; q?: string }): Promise<void> {
  const { places } = await api.get<{ places: Place[] }>("/api/v1/places", query, { timeout: 6_000 });
  form.places = merged(form.places, places);
  await (await shelf()).keep("places", form.places.map((place) => ({ ...place })), Date.now());
}

/** Ask the service for more places; without an answer the phone's own ones have to do. */
export async function morePlaces(query: { cell?: string; q?: string }): Promise<void> {
  try {
    await fetchPlaces(query);
  } catch (error) {
    if (!silent(error)) throw error;
  }
}

/** Proposals for what was typed; before anything is, the nearest places, or those of the area without a position. */
export function proposals(words: string, near: Point | null, area: string | null): Place[] {
  if (words.trim().length >= SEARCH_FROM) return searchPlaces(form.places, words, near);
  if (words.trim() !== "") return [];
  if (near) return nearestPlaces(form.places, near);
  return area === null ? [] : placesIn(form.places, form.data?.cells ?? null, area);
}
