/** A list that is read a page at a time, newest first, and can be looked at again without losing what stands below. */
import { api, Problem, t } from "@grid/webkit";
import { ref, shallowRef } from "vue";

export type Query = Record<string, string | number | null>;

export function said(error: unknown): string {
  return error instanceof Problem ? error.message : t("error.unreachable");
}

/** `query` is asked anew at each call; `idOf` tells whether two rows are the same one. */
export function usePaged<Row>(path: string, query: () => Query, idOf: (row: Row) => string) {
  const rows = shallowRef<Row[]>([]);
  const next = ref<string | null>(null);
  const failed = ref("");
  const loading = ref(true);
  let asked = 0;

  async function read(after: string | null): Promise<void> {
    const mine = (asked += 1);
    try {
      const page = await api.get<{ items: Row[]; next?: string | null }>(path, { ...query(), after });
      if (mine !== asked) return;
      const known = new Set((after === null ? page.items : rows.value).map(idOf));
      const others = (after === null ? rows.value : page.items).filter((row) => !known.has(idOf(row)));
      const below = after !== null || rows.value.length > page.items.length; // pages read earlier stay below
      if (after !== null || !below || others.length === 0) next.value = page.next ?? null;
      rows.value = after === null ? [...page.items, ...(below ? others : [])] : [...rows.value, ...others];
      failed.value = "";
    } catch (error) {
      if (mine === asked) failed.value = said(error);
    } finally {
      if (mine === asked) loading.value = false;
    }
  }

  return {
    rows,
    next,
    failed,
    loading,
    load: () => read(null),
    more: () => read(next.value),
    /** Another question: what was read answers the one before. */
    restart(): Promise<void> {
      rows.value = [];
      next.value = null;
      loading.value = true;
      return read(null);
    },
  };
}

/** Which rows have their details open. */
export function useOpened() {
  const opened = ref(new Set<string>());
  return {
    opened,
    toggle(id: string): void {
      const set = new Set(opened.value);
      if (!set.delete(id)) set.add(id);
      opened.value = set;
    },
  };
}
