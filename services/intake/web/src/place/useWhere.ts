/** Where the matter is: the phone's position until something is entered, then what stands in the draft. */
import { cellAt, serverNow, shortTime, t, type Photo, type Point } from "@grid/webkit";
import { computed, ref, watch } from "vue";
import type { Draft, PinSource } from "../report/draft";
import { form, morePlaces } from "../report/form";
import type { Place } from "../types";
import { locate } from "./locate";

/** A fix of this age still says where a photo was taken, milliseconds. */
const FRESH = 30_000;

export function useWhere(draft: Draft) {
  const locating = ref(false);
  const denied = ref(false);

  const cell = computed(() => {
    const cells = form.data?.cells;
    if (!cells) return null;
    if (draft.pin) return cellAt(cells, draft.pin);
    return cells.features.find((one) => one.properties.code === draft.cell) ?? null;
  });
  /** Area whose places are offered where no position is known. */
  const area = computed(() => draft.cell ?? form.data?.me.grid ?? null);
  const text = computed(() => {
    if (locating.value && !draft.pin) return t("form.pin.locating");
    if (!draft.pin && !draft.cell) return t(denied.value ? "form.pin.denied" : "form.pin.none");
    const name = cell.value?.properties.name ?? t("form.pin.outside");
    if (draft.pin && draft.pinSource === "gps") return gpsText(name);
    if (draft.pin && draft.pinSource === "photo") return t("form.pin.photo", { cell: name });
    return t(draft.pin && draft.pinSource === "place" ? "form.pin.place" : "form.pin.hand", { cell: name });
  });

  function gpsText(name: string): string {
    const found = t("form.pin.found", { cell: name, m: draft.accuracy ?? "?" });
    if (draft.seenAt === null || locating.value || !draft.fixAt) return found;
    return t("form.pin.locked", { where: found, time: shortTime(Date.parse(draft.fixAt), serverNow()) });
  }

  function setPin(point: Point, source: PinSource, accuracy: number | null = null, at: string | null = null): void {
    Object.assign(draft, { pin: { lng: point.lng, lat: point.lat }, pinSource: source, accuracy, fixAt: at, cell: null });
  }

  /** Ask the phone. A pin set by hand or by the place's name says more; only `asked` replaces it. */
  async function findMe(asked = false): Promise<void> {
    if (locating.value) return;
    locating.value = true;
    const { id } = draft;
    const fix = await locate((better) => {
      const free = draft.pinSource === null || draft.pinSource === "gps";
      if (draft.id === id && (asked || free)) setPin(better, "gps", better.accuracy, better.at);
    });
    locating.value = false;
    denied.value = fix === null;
    if (draft.id !== id) return void followPhone(); // another draft is in the form by now
    const here = cell.value?.properties.code;
    if (fix && here) void morePlaces({ cell: here });
  }

  /** Something was seen: where its photo was taken, else where the phone is at this moment, counts and stays. */
  function capture(photo?: Photo): void {
    if (draft.pinSource !== null && draft.pinSource !== "gps") return;
    const age = draft.fixAt === null ? Number.POSITIVE_INFINITY : Date.now() - Date.parse(draft.fixAt);
    if (photo?.fix) setPin(photo.fix, "photo", null, photo.takenAt ?? null);
    else if (age > FRESH) void findMe();
  }

  /** For a draft that holds nothing yet; one that does keeps the place it was made at. */
  function followPhone(): void {
    if (draft.seenAt === null && (draft.pinSource === null || draft.pinSource === "gps")) void findMe();
  }

  watch(
    () => [draft.id, draft.seenAt] as const,
    ([id, seen], [idBefore, seenBefore]) => {
      if (id === idBefore && seenBefore === null && seen !== null) capture();
    },
  );

  function choosePlace(place: Place | null): void {
    draft.place = place;
    if (!place) return;
    draft.placeWords = place.name;
    // A name says more than a fix, less than what a hand or the camera put there.
    if (draft.pinSource !== "hand" && draft.pinSource !== "photo") setPin(place, "place");
  }

  function chooseCell(code: string): void {
    Object.assign(draft, { pin: null, pinSource: "hand", accuracy: null, fixAt: null, cell: code });
    void morePlaces({ cell: code });
  }

  return { locating, denied, cell, area, text, setPin, findMe, capture, followPhone, choosePlace, chooseCell };
}

export type Where = ReturnType<typeof useWhere>;
