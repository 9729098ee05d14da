/** Matters that a call may repeat: near the place once it is known, before that by the words of the place. */
import { api, type Point } from "@grid/webkit";
import { ended, type QueuePage, type QueueRow } from "../../common/src";

export interface Similar {
  case_no: string;
  title: string;
  state: string;
  /** Null: found by words alone. */
  distance_m: number | null;
  opened_at: string;
}

interface NearPage {
  items: { case_no: string; category_name: string; state: string; distance_m: number; opened_at: string }[];
}

const MOST = 5;
/** Words shorter than this name no place. */
export const WORDS_FROM = 2;
const WORDS_TO = 100;

/** Rows of a search that are still open and whose reader may say that they are. */
export function fromRows(rows: readonly QueueRow[]): Similar[] {
  return rows
    .flatMap((row) => {
      if (row.state === null || row.opened_at === null || ended(row)) return [];
      return [{ case_no: row.case_no, title: row.summary || (row.category?.name ?? ""), state: row.state, distance_m: null, opened_at: row.opened_at }];
    })
    .slice(0, MOST);
}

/** A hint, never in the way of taking the call: nothing where the service does not answer. */
export async function lookForSimilar(near: Point | null, words: string, category: string | null): Promise<Similar[]> {
  try {
    if (near) {
      const { items } = await api.get<NearPage>("/api/v1/intake/duplicates", { lng: near.lng, lat: near.lat, category });
      return items.map(({ category_name: title, ...one }) => ({ ...one, title }));
    }
    if (words.trim().length < WORDS_FROM || words.length > WORDS_TO) return [];
    const page = await api.get<QueuePage>("/api/v1/cases", { q: words.trim(), limit: 20 });
    return fromRows(page.rows);
  } catch {
    return [];
  }
}
