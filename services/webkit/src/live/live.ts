/**
 * Live changes from the service, and an honest answer to "how old is what I see".
 *
 * The service says every few seconds that all has been told (`beat`). A line on which bytes move but no beat comes is a
 * service that does not know itself what is new, so only events count as news.
 */
import { computed, onScopeDispose, ref, type ComputedRef } from "vue";
import type { Query } from "../api/client";
import { serverNow, useNow } from "../clock/server";
import { openLine, SILENCE, type Line } from "./line";
import type { StreamEvent } from "./stream";
import { joinTabs, type Tabs } from "./tabs";

/** Tabs that an older page left open speak to one another in another form; they keep a line of their own. */
const FORM = 2;
/** A page says that it is stale after this. */
const STALE_AFTER = 10_000;

export interface LiveOptions {
  path: string;
  query?: () => Query;
  /** Tabs of the same name have one line together: whoever is signed in, and his language. */
  shared: () => string;
  /** Load everything anew and give the cursor to follow from. Called at start, after a reset, and while no stream can
   * be had. */
  load: () => Promise<string>;
  on: Readonly<Record<string, (data: unknown) => void>>;
  /** The service no longer lets us listen. */
  refused?: (status: number) => void;
}

export interface Live {
  /** Seconds without news once that is worth a banner, else 0. */
  stale: ComputedRef<number>;
  /** Service time of the last news, in milliseconds. */
  lastAt: ComputedRef<number>;
  /** Load everything anew and follow from there. */
  restart: () => void;
  stop: () => void;
}

/** What the tab with the line tells the others. */
type Word =
  | { kind: "event"; event: StreamEvent }
  | { kind: "lost" }
  | { kind: "anew" }
  | { kind: "refused"; status: number };

/** Follow a stream for as long as the component lives. */
export function useLive(options: LiveOptions): Live {
  const heard = ref(serverNow());
  const lost = ref(false);
  /** An older service knows no beats; quiet proves nothing there. */
  const beats = ref(false);
  const now = useNow();
  let cursor: string | null = null;
  let stopped = false;
  let loads = 0;
  let again: ReturnType<typeof setTimeout> | undefined;
  let tabs: Tabs<Word> | undefined;
  let line: Line | undefined;

  function hear(word: Word): void {
    if (word.kind === "event") take(word.event);
    else if (word.kind === "lost") lost.value = true;
    else if (word.kind === "anew") void load();
    else refuse(word.status);
  }

  /** Heard by this tab's own line: for itself and for the others. */
  function tell(word: Word): void {
    tabs?.say(word);
    hear(word);
  }

  function take(event: StreamEvent): void {
    heard.value = serverNow();
    lost.value = false;
    if (event.type === "beat") beats.value = true;
    if (event.id !== null) cursor = event.id;
    if (event.type === "reset") void load();
    else options.on[event.type]?.(JSON.parse(event.data));
  }

  /** Lists anew; a later call overtakes. Repeated until it succeeds. */
  async function load(): Promise<void> {
    const mine = (loads += 1);
    clearTimeout(again);
    tabs ??= join(); // what another tab is told while the lists are on their way is heard here too
    try {
      const from = await options.load();
      if (stopped || mine !== loads) return;
      cursor ??= from; // where the line stands is never skipped: other tabs hang on it too
      heard.value = serverNow();
      tabs.compete();
    } catch {
      if (stopped || mine !== loads) return;
      lost.value = true;
      again = setTimeout(() => void load(), 2_000 + Math.random() * 2_000);
    }
  }

  function join(): Tabs<Word> {
    return joinTabs<Word>({
      name: `grid-live ${FORM} ${location.origin}${options.path} ${options.shared()}`,
      hear,
      patience: 2 * SILENCE,
      lead: () => {
        line = openLine({
          path: options.path,
          query: options.query,
          cursor: () => cursor ?? "",
          heard: (event) => tell({ kind: "event", event }),
          lost: () => tell({ kind: "lost" }),
          refused: (status) => tell({ kind: "refused", status }),
          poll: () => tell({ kind: "anew" }),
        });
        return line.stop;
      },
    });
  }

  function refuse(status: number): void {
    stop();
    options.refused?.(status);
  }

  function stop(): void {
    stopped = true;
    clearTimeout(again);
    tabs?.stop();
    removeEventListener("online", wake);
    document.removeEventListener("visibilitychange", wake);
  }

  function wake(): void {
    if (document.visibilityState === "visible") line?.wake();
  }

  addEventListener("online", wake);
  document.addEventListener("visibilitychange", wake);
  onScopeDispose(stop);
  void load();
  return {
    stale: computed(() => {
      const silence = now.value - heard.value;
      return (lost.value || beats.value) && silence > STALE_AFTER ? Math.floor(silence / 1000) : 0;
    }),
    lastAt: computed(() => heard.value),
    restart: () => {
      if (!stopped) void load();
    },
    stop,
  };
}
