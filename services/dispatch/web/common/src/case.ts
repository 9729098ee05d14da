/** One case, kept fresh by the live line, and acting on it. */
import { api, Problem, t, Unreachable, type Photo } from "@grid/webkit";
import { onScopeDispose, ref, shallowRef, watch, type Ref } from "vue";
import { useFeed } from "./feed";
import type { CaseClock, CaseOut } from "./types";

const pathOf = (caseNo: string) => `/api/v1/cases/${encodeURIComponent(caseNo)}`;

/** The case of a number that may change. */
export function useCase(caseNo: Readonly<Ref<string | null>>) {
  const data = shallowRef<CaseOut | null>(null);
  const failed = ref("");
  const loading = ref(false);
  /** The case went out of the reader's sight; what is shown is the last he might see. */
  const away = ref(false);
  let asked = 0;
  let timer: ReturnType<typeof setTimeout> | undefined;

  async function load(): Promise<void> {
    const wanted = caseNo.value;
    const mine = (asked += 1);
    clearTimeout(timer);
    if (wanted === null) return;
    loading.value = true;
    try {
      const answer = await api.get<CaseOut>(pathOf(wanted));
      if (mine === asked) {
        away.value = false;
        take(answer);
      }
    } catch (error) {
      if (mine !== asked) return;
      if (error instanceof Problem) failed.value = error.status === 404 ? t("error.gone") : error.message;
      else if (error instanceof Unreachable) failed.value = t("error.unreachable");
      else throw error;
    } finally {
      if (mine === asked) loading.value = false;
    }
  }

  function take(answer: CaseOut): void {
    failed.value = "";
    if (data.value?.case_no === answer.case_no && data.value.sequence > answer.sequence) return;
    data.value = answer;
  }

  watch(
    caseNo,
    () => {
      data.value = null;
      failed.value = "";
      away.value = false;
      void load();
    },
    { immediate: true },
  );

  useFeed().onCase((no, sequence) => {
    if (no !== caseNo.value) return;
    if (sequence === null) {
      away.value = data.value !== null;
      return;
    }
    if (sequence <= (data.value?.sequence ?? 0)) return;
    clearTimeout(timer);
    timer = setTimeout(() => void load(), 150); // several facts of one act come together
  });
  onScopeDispose(() => clearTimeout(timer));

  return { data, failed, loading, away, load, take };
}

/** Perform an action on the version that the person looked at. */
export function act(caseNo: string, action: string, version: number, body: unknown, key: string): Promise<CaseOut> {
  return api.post<CaseOut>(`${pathOf(caseNo)}/actions/${action}`, body, { ifMatch: version, idempotencyKey: key });
}

/** Store one photo of the place; the action names it by the id given back. */
export async function upload(caseNo: string, photo: Photo): Promise<string> {
  const path = `${pathOf(caseNo)}/evidence/${photo.id}`;
  const stored = await api.put<{ id: string }>(path, photo.bytes, photo.mime, { timeout: 120_000 });
  return stored.id;
}

const WHOLE = new Set(["whole", "return_window"]);

/** The clock that somebody must keep now: the first to fall due, the whole case's own only when there is no other. */
export function mainClock(one: CaseOut): CaseClock | null {
  const open = one.clocks.filter((clock) => clock.state !== "stopped");
  const near = open.filter((clock) => !WHOLE.has(clock.kind));
  const sorted = (near.length > 0 ? near : open).slice().sort((a, b) => Date.parse(a.due_at) - Date.parse(b.due_at));
  return sorted[0] ?? null;
}

const ENDED = new Set(["closed", "void", "not_filed", "merged", "archived"]);

export function ended(one: { state: string | null }): boolean {
  return one.state !== null && ENDED.has(one.state);
}

/** One line that says what the case is about. */
export function titleOf(one: CaseOut): string {
  return one.reports[0]?.text || one.category?.name || t("restricted");
}
