/** The counts, one list and whoever watches a case, all fed by the one live line of the page. */
import { api, keepWorkWindows, language, Problem, serverNow, session, t, Unreachable, useLive, type Windows } from "@grid/webkit";
import { computed, inject, onScopeDispose, provide, reactive, shallowRef, type InjectionKey } from "vue";
import { isEmpty, passes, queryOf, type Filter } from "./filter";
import { begin, beside, extend, heard, settle, standing, type List } from "./list";
import { makePresence } from "./presence";
import type { CaseChanged, CaseGone, PresenceTold, QueueCount, QueuePage, QueuesOut } from "./types";

/** Of a person, or of his posts; everything that he sees where nothing is said. */
export type Whose = "mine" | "unit";
export type Source = { queue: string; filter?: Filter; whose?: Whose } | { words: string };

const PAGE = 100;
/** The most rows of a list that are read anew with it; what was loaded beyond comes again by scrolling. */
const AGAIN = 1_000;
/** A list that could not be had because the service was away is asked for again after so long. */
const AGAIN_AFTER = 3_000;
/** While nobody sees the page it is drawn this often. */
const UNSEEN = 250;
/** Queues that time alone changes are counted anew this often. */
const RECOUNT = 60_000;
/** A count that still differs from the rows after this was made by time alone, of which no row tells: read them anew. */
const DOUBT = 3_000;
/** No event tells whose a case is: where that matters, lists and counts are read anew this long after one. */
const ANEW = 1_000;
/** Changes remembered while a page is on its way. */
const REMEMBERED = 2_000;

function explain(error: unknown): string {
  if (error instanceof Problem) return error.message;
  if (error instanceof Unreachable) return t("error.unreachable");
  throw error;
}

function isAway(error: unknown): boolean {
  return error instanceof Unreachable || (error instanceof Problem && error.status >= 500);
}

/** Learn the street's working hours; without them the due time itself is shown. */
async function hours(): Promise<void> {
  try {
    keepWorkWindows((await api.get<{ windows: Windows }>("/api/v1/calendar")).windows);
  } catch (error) {
    explain(error);
  }
}

function makeFeed() {
  const told = shallowRef<QueueCount[]>([]);
  const list = shallowRef<List>(begin(null, [], null));
  const state = reactive({
    /** Counts of all queues; they agree with the rows of the list that is shown. */
    queues: computed<QueueCount[]>(() => (settled() ? beside(told.value, list.value) : told.value)),
    counted: false,
    loading: false,
    failed: "",
    /** Case number of the row that somebody holds. */
    held: null as string | null,
    source: null as Source | null,
    /** How many a search found, in words; empty where the list itself tells. */
    found: "",
  });
  const presence = makePresence();
  const watchers = new Set<(caseNo: string, sequence: number | null) => void>();
  let recent: (CaseChanged | CaseGone)[] = [];
  let asked = 0;
  let doubt: ReturnType<typeof setTimeout> | undefined;
  let anew: ReturnType<typeof setTimeout> | undefined;
  let undrawn: (CaseChanged | CaseGone)[] = [];

  /** What the list that is shown is narrowed to. */
  function filter(): Filter {
    return state.source && "queue" in state.source ? (state.source.filter ?? {}) : {};
  }

  function whose(): Whose | undefined {
    return state.source && "queue" in state.source ? state.source.whose : undefined;
  }

  /** Whether the rows on the screen are all that the queue holds, as far as they are loaded. */
  function settled(): boolean {
    return !state.loading && state.failed === "" && isEmpty(filter()) && whose() === undefined;
  }

  /** To a narrowed list, a case that does not pass stands elsewhere. */
  function narrowed(events: readonly (CaseChanged | CaseGone)[]): readonly (CaseChanged | CaseGone)[] {
    const now = serverNow();
    const wanted = filter();
    const known = whose() === undefined ? null : new Set(list.value.entries.map((entry) => entry.row.case_no));
    if (isEmpty(wanted) && known === null) return events;
    const fits = (event: CaseChanged) => passes(wanted, event.row, now) && (known === null || known.has(event.case_no));
    return events.map((event) => ("row" in event && !fits(event) ? { ...event, queues: [] } : event));
  }

  function differs(): boolean {
    const open = settled() ? standing(list.value) : null;
    return open !== null && told.value.some((one) => one.id === list.value.queue && one.open !== open);
  }

  function keep(counts: QueueCount[]): void {
    told.value = counts;
    clearTimeout(doubt);
    if (differs()) doubt = setTimeout(() => void (differs() && state.source && show(state.source)), DOUBT);
  }

  /** However much comes, a page is drawn once a frame. */
  function draw(): void {
    if (undrawn.length === 0) return;
    const events = undrawn;
    undrawn = [];
    list.value = heard(list.value, narrowed(events), state.held);
  }

  function hear(event: CaseChanged | CaseGone): void {
    recent.push(event);
    if (recent.length > REMEMBERED) recent = recent.slice(-REMEMBERED / 2);
    if (undrawn.push(event) === 1) {
      requestAnimationFrame(draw);
      setTimeout(draw, UNSEEN); // a page that nobody sees has no frames
    }
    if (whose() !== undefined) anewSoon();
    for (const tell of watchers) tell(event.case_no, "row" in event ? event.sequence : null);
  }

  /** Read list and counts anew, once for all that comes meanwhile. */
  function anewSoon(): void {
    anew ??= setTimeout(() => {
      anew = undefined;
      if (state.source) void show(state.source);
      void count().catch(explain);
    }, ANEW);
  }

  async function count(): Promise<string> {
    const of = whose();
    const answer = await api.get<QueuesOut>("/api/v1/queues", of ? { whose: of } : {});
    if (of === whose()) keep(answer.queues);
    state.counted = true;
    return answer.cursor;
  }

  function ask(source: Source, after: string | null): Promise<QueuePage> {
    const query = { limit: PAGE, after };
    if ("queue" in source) {
      return api.get<QueuePage>(`/api/v1/queues/${encodeURIComponent(source.queue)}`, {
        ...query,
        ...queryOf(source.filter ?? {}),
        ...(source.whose ? { whose: source.whose } : {}),
      });
    }
    return api.get<QueuePage>("/api/v1/cases", { ...query, q: source.words });
  }

  /** Show another list, or the same anew. */
  async function show(source: Source): Promise<void> {
    const mine = (asked += 1);
    const queue = "queue" in source ? source.queue : null;
    const other = state.source === null || JSON.stringify(state.source) !== JSON.stringify(source);
    const before = whose();
    state.source = source;
    state.loading = true;
    state.failed = "";
    if (whose() !== before) void count().catch(explain);
    const again = other ? 0 : Math.min(list.value.entries.length, AGAIN);
    if (other) list.value = begin(queue, [], null);
    recent = [];
    try {
      const page = await ask(source, null);
      if (mine !== asked) return;
      let { rows, next } = page;
      while (next !== null && rows.length < again) {
        const further = await ask(source, next);
        if (mine !== asked) return;
        rows = [...rows, ...further.rows];
        next = further.next;
      }
      list.value = heard(begin(queue, rows, next), narrowed(recent), state.held);
      state.found = page.total == null ? "" : `${page.total >= 1000 ? "1 000" : page.total}${page.more ? "+" : ""}`;
    } catch (error) {
      if (mine !== asked) return;
      state.failed = explain(error);
      if (isAway(error)) setTimeout(() => void (mine === asked && show(source)), AGAIN_AFTER);
    } finally {
      if (mine === asked) state.loading = false;
    }
  }

  async function more(): Promise<void> {
    const { next } = list.value;
    const { source } = state;
    if (next === null || state.loading || !source) return;
    const mine = asked;
    state.loading = true;
    try {
      const page = await ask(source, next);
      if (mine !== asked) return;
      const here = new Set(page.rows.map((row) => row.case_no));
      const meanwhile = recent.filter((event) => here.has(event.case_no));
      list.value = heard(extend(list.value, page.rows, page.next), narrowed(meanwhile), state.held);
    } catch (error) {
      if (mine === asked) state.failed = explain(error);
    } finally {
      if (mine === asked) state.loading = false;
    }
  }

  /** Hold a row (or none): it stays where it is until another is held. */
  function hold(caseNo: string | null): void {
    if (state.held === caseNo) return;
    state.held = caseNo;
    list.value = settle(list.value, caseNo);
  }

  const live = useLive({
    path: "/api/v1/events",
    shared: () => `${session.person?.account_id ?? ""} ${language.value}`,
    load: async () => {
      void presence.load();
      const cursor = await count();
      if (state.source) await show(state.source);
      return cursor;
    },
    on: {
      "case.changed": (data) => hear(data as CaseChanged),
      "case.gone": (data) => hear(data as CaseGone),
      "queue.counts": (data) => {
        if (whose() === undefined) keep((data as { queues: QueueCount[] }).queues);
        else anewSoon();
      },
      presence: (data) => presence.hear(data as PresenceTold),
    },
  });
  void hours();
  const timer = setInterval(() => {
    void count().catch(explain);
    if (document.visibilityState === "visible") void presence.load();
  }, RECOUNT);
  onScopeDispose(() => {
    clearInterval(timer);
    clearTimeout(doubt);
    clearTimeout(anew);
  });

  return {
    state,
    list,
    stale: live.stale,
    lastAt: live.lastAt,
    show,
    more,
    hold,
    /** Who else has a case open. */
    others: presence.others,
    retry: () => {
      live.restart();
    },
    /** Be told of each change of a case; `sequence` null: it is out of sight. Ends with the component. */
    onCase(tell: (caseNo: string, sequence: number | null) => void): void {
      watchers.add(tell);
      onScopeDispose(() => watchers.delete(tell));
    },
  };
}

export type Feed = ReturnType<typeof makeFeed>;

const KEY: InjectionKey<Feed> = Symbol("feed");

/** Start the feed of the page; components below reach it with `useFeed`. */
export function startFeed(): Feed {
  const feed = makeFeed();
  provide(KEY, feed);
  return feed;
}

export function useFeed(): Feed {
  const feed = inject(KEY);
  if (!feed) throw new Error("no feed above this component");
  return feed;
}
