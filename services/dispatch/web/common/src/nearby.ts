/** What else stands around a case: for the sketch, and for the question whether it is the same matter again. */
import { api, type DueOut } from "@grid/webkit";
import { shallowRef, watch, type ShallowRef } from "vue";
import type { CaseOut } from "./types";

export interface Nearby {
  case_no: string;
  title: string;
  category: string;
  state: string;
  state_label: string;
  urgency: string | null;
  reports: number;
  opened_at: string;
  /** Null: one of the two has no pin, they share a cell. */
  distance_m: number | null;
  lng: number | null;
  lat: number | null;
  same_class: boolean;
  open: boolean;
  due: DueOut | null;
}

/** Those around the case that is shown; empty until known, and where the reader may not know. */
export function useNearby(one: () => CaseOut): Readonly<ShallowRef<Nearby[]>> {
  const found = shallowRef<Nearby[]>([]);
  watch(
    () => [one().case_no, one().cell, one().category?.code, one().state === null] as const,
    async ([caseNo, , , hidden]) => {
      found.value = [];
      if (hidden) return;
      try {
        const answer = await api.get<{ cases: Nearby[] }>(`/api/v1/cases/${encodeURIComponent(caseNo)}/nearby`);
        if (caseNo === one().case_no) found.value = answer.cases;
      } catch {
        // the case is whole without them
      }
    },
    { immediate: true },
  );
  return found;
}

/** Of the same class: they may be the same matter, reported twice. */
export const alike = (near: readonly Nearby[]): Nearby[] => near.filter((one) => one.same_class);

/** Open ones with a place of their own, as points of the sketch. */
export const placed = (near: readonly Nearby[]) =>
  near.flatMap((one) => (one.open && one.lng !== null && one.lat !== null ? [{ ...one, lng: one.lng, lat: one.lat }] : []));
