/**
 * Live changes from the service, and an honest answer to "how old is what I see".
 *
 * Read with fetch instead of EventSource: the service's heartbeats are comments, which EventSource hides, so a line
 * that died quietly would look alive.
 */
import { computed, onScopeDispose, ref, type ComputedRef } from "vue";
import { address, type Query } from "../api/client";
import { serverNow, useNow } from "../clock/server";
import { StreamReader, type StreamEvent } from "./stream";

/** The service beats every 15 s; two missed beats and a bit mean the line is dead. */
const SILENCE = 35_000;
/** A page says that it is stale after this. */
const STALE_AFTER = 10_000;
const WAITS = [1_000, 2_000, 5_000, 10_000, 15_000];

export interface LiveOptions {
  path: string;
  query?: () => Query;
  /** Load everything anew and give the cursor to follow from. Called at start and after a reset. */
  load: () => Promise<string>;
  on: Readonly<Record<string, (data: unknown) => void>>;
  /** The service no longer lets us listen. */
  refused?: (status: number) => void;
}

export interface Live {
  /** Seconds without news once that is worth a banner, else 0. */
  stale: ComputedRef<number>;
  /** Service time of the last sign of life, in milliseconds. */
  lastAt: ComputedRef<number>;
  /** Load everything anew and follow from there. */
  restart: () => void;
  stop: () => void;
}

/** Follow a stream for as long as the component lives. */
export function useLive(options: LiveOptions): Live {
  const heard = ref(serverNow());
  const lost = ref(false);
  const now = useNow();
  let abort = new AbortController();
  let cursor: string | null = null;
  let failures = 0;
  let stopped = false;
  let timer: ReturnType<typeof setTimeout> | undefined;

  function alive(): void {
    heard.value = serverNow();
    lost.value = false;
    failures = 0;
  }

  function handle(event: StreamEvent): boolean {
    if (event.type === "reset") {
      cursor = null;
      return false;
    }
    options.on[event.type]?.(JSON.parse(event.data));
    if (event.id !== null) cursor = event.id;
    return true;
  }

  async function follow(signal: AbortSignal): Promise<void> {
    if (cursor === null) cursor = await options.load();
    const response = await fetch(address(options.path, options.query?.()), {
      headers: { Accept: "text/event-stream", "Accept-Language": document.documentElement.lang, "Last-Event-ID": cursor },
      credentials: "same-origin",
      cache: "no-store",
      signal,
    });
    if (response.status === 401 || response.status === 403) {
      stop();
      options.refused?.(response.status);
      return;
    }
    if (!response.ok || !response.body) throw new Error(`stream ${response.status}`);
    alive();
    await readAll(response.body.getReader());
  }

  async function readAll(reader: ReadableStreamDefaultReader<Uint8Array>): Promise<void> {
    const decoder = new TextDecoder();
    const events = new StreamReader();
    for (;;) {
      const watchdog = setTimeout(() => abort.abort(), SILENCE);
      const piece = await reader.read().finally(() => clearTimeout(watchdog));
      if (piece.done) return;
      alive();
      for (const event of events.feed(decoder.decode(piece.value, { stream: true }))) {
        if (!handle(event)) return void reader.cancel();
      }
    }
  }

  async function run(): Promise<void> {
    abort = new AbortController();
    const mine = abort;
    try {
      await follow(mine.signal);
    } catch {
      failures += 1;
    }
    if (stopped || mine !== abort) return;
    lost.value = true;
    timer = setTimeout(() => void run(), cursor === null && failures === 0 ? 0 : waitFor(failures));
  }

  function restart(): void {
    if (stopped) return;
    cursor = null;
    failures = 0;
    clearTimeout(timer);
    abort.abort();
    void run();
  }

  function stop(): void {
    stopped = true;
    clearTimeout(timer);
    abort.abort();
    removeEventListener("online", wake);
  }

  function wake(): void {
    if (!lost.value) return;
    clearTimeout(timer);
    abort.abort();
    void run();
  }

  addEventListener("online", wake);
  onScopeDispose(stop);
  void run();
  return {
    stale: computed(() => {
      const silence = now.value - heard.value;
      return lost.value && silence > STALE_AFTER ? Math.floor(silence / 1000) : 0;
    }),
    lastAt: computed(() => heard.value),
    restart,
    stop,
  };
}

function waitFor(failures: number): number {
  const base = WAITS[Math.min(failures, WAITS.length - 1)] ?? 15_000;
  return base * (0.75 + Math.random() / 2); // not all pages at the same moment
}
