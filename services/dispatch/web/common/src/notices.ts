/** What the person here was told: how many he has not read, and the list. Follows the live line of the page. */
import { api, Problem, t, Unreachable } from "@grid/webkit";
import { computed, inject, onScopeDispose, provide, ref, shallowRef, type InjectionKey } from "vue";
import type { Feed } from "./feed";

export interface Notice {
  id: number;
  kind: string;
  title: string;
  about: string;
  notes: string[];
  case_no: string | null;
  post: string;
  urgent: boolean;
  merged: boolean;
  count: number | null;
  planned_at: string | null;
  at: string;
  read_at: string | null;
}
interface Page {
  items: Notice[];
  next: string | null;
  unread: number;
}

export const NOTICES = "/api/v1/escalation/notices";
/** Somebody may be told without a change that this page hears of. */
const LOOK = 60_000;
/** After a change the people it names are told within a second or so; a busy street is asked no oftener. */
const SOON = 1_500;
const NO_OFTENER = 10_000;
const MOST = 100;

function explain(error: unknown): string {
  if (error instanceof Problem) return error.message;
  if (error instanceof Unreachable) return t("error.unreachable");
  throw error;
}

/** How long to wait with a look after a change, when the last look began at `last` (milliseconds). */
export function waitFor(now: number, last: number): number {
  return Math.max(SOON, last + NO_OFTENER - now);
}

/** What a bell says beside itself: nothing, a number, or that there are more than are counted. */
export function badge(unread: number): string {
  return unread === 0 ? "" : unread >= MOST ? "99+" : String(unread);
}

function makeNotices(feed: Feed) {
  const unread = ref(0);
  const rows = shallowRef<Notice[]>([]);
  const next = ref<string | null>(null);
  const failed = ref("");
  const loading = ref(false);
  /** Whether somebody looks at the list: then it is read with the count. */
  const shown = ref(0);
  let last = -NO_OFTENER;
  let soon: ReturnType<typeof setTimeout> | undefined;

  async function count(): Promise<void> {
    last = performance.now();
    try {
      unread.value = (await api.get<{ unread: number }>(`${NOTICES}/unread`)).unread;
    } catch (error) {
      explain(error); // the bell keeps what it last knew; that the service is away is said elsewhere
    }
  }

  async function read(after: string | null): Promise<void> {
    last = performance.now();
    loading.value = true;
    try {
      const page = await api.get<Page>(NOTICES, { limit: 30, after });
      const known = new Set(page.items.map((one) => one.id));
      const others = rows.value.filter((one) => !known.has(one.id));
      const older = after === null && others.length > 0 && rows.value.length > page.items.length;
      rows.value = after === null ? [...page.items, ...(older ? others : [])] : [...others, ...page.items];
      if (!older) next.value = page.next;
      unread.value = page.unread;
      failed.value = "";
    } catch (error) {
      failed.value = explain(error);
    } finally {
      loading.value = false;
    }
  }

  const look = () => (shown.value > 0 ? read(null) : count());

  function lookSoon(): void {
    if (document.visibilityState !== "visible") return;
    soon ??= setTimeout(() => {
      soon = undefined;
      void look();
    }, waitFor(performance.now(), last));
  }

  async function mark(body: { id: number } | { upto: number }): Promise<void> {
    const at = new Date().toISOString();
    const hit = (one: Notice) => one.read_at === null && ("id" in body ? one.id === body.id : one.id <= body.upto);
    rows.value = rows.value.map((one) => (hit(one) ? { ...one, read_at: at } : one));
    try {
      await api.post(`${NOTICES}/read`, body);
      await count();
    } catch (error) {
      failed.value = explain(error);
    }
  }

  feed.onCase(lookSoon);
  const timer = setInterval(() => document.visibilityState === "visible" && void look(), LOOK);
  const back = () => document.visibilityState === "visible" && lookSoon();
  document.addEventListener("visibilitychange", back);
  onScopeDispose(() => {
    clearInterval(timer);
    clearTimeout(soon);
    document.removeEventListener("visibilitychange", back);
  });
  void count();

  return {
    unread,
    badge: computed(() => badge(unread.value)),
    rows,
    next,
    failed,
    loading,
    load: () => read(null),
    more: () => read(next.value),
    /** The list is on the screen until the answer is called. */
    watch(): () => void {
      shown.value += 1;
      void read(null);
      return () => (shown.value -= 1);
    },
    readOne: (notice: Notice) => (notice.read_at === null ? mark({ id: notice.id }) : Promise.resolve()),
    readAll: () => {
      const newest = rows.value[0];
      return newest === undefined ? Promise.resolve() : mark({ upto: newest.id });
    },
    /** The things that a merged notice stands for. */
    inside: async (notice: Notice): Promise<Notice[]> => {
      try {
        return (await api.get<Page>(NOTICES, { merged: notice.id, limit: 200 })).items;
      } catch (error) {
        failed.value = explain(error);
        return [];
      }
    },
  };
}

export type Notices = ReturnType<typeof makeNotices>;

const KEY: InjectionKey<Notices> = Symbol("notices");

/** Start it for the page; components below reach it with `useNotices`. */
export function startNotices(feed: Feed): Notices {
  const notices = makeNotices(feed);
  provide(KEY, notices);
  return notices;
}

export function useNotices(): Notices {
  const notices = inject(KEY);
  if (!notices) throw new Error("startNotices() was not called");
  return notices;
}
