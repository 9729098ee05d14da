/**
 * One connection to the stream: read, watched, opened again where it broke off.
 *
 * Read with fetch instead of EventSource, which hides what a silent line and a refused one have in common.
 */
import { address, type Query } from "../api/client";
import { StreamReader, type StreamEvent } from "./stream";

/** The service says something every five seconds; four times nothing, and the line is dead. */
export const SILENCE = 20_000;
/** After so many failures in a row lists are read anew by ordinary requests, until the line is back. */
const GIVEN_UP = 2;
const POLL = 30_000;
const WAITS = [500, 1_000, 2_000, 5_000, 10_000];

export interface LineOptions {
  path: string;
  query?: (() => Query) | undefined;
  /** Where to go on from. */
  cursor: () => string;
  heard: (event: StreamEvent) => void;
  /** The line is gone; another try follows by itself. */
  lost: () => void;
  refused: (status: number) => void;
  /** The stream cannot be had for now: read the lists anew. */
  poll: () => void;
}

export interface Line {
  /** Try at once instead of after the wait. */
  wake: () => void;
  stop: () => void;
}

/** Keep a line open until it is stopped or refused. */
export function openLine(options: LineOptions): Line {
  let abort = new AbortController();
  let timer: ReturnType<typeof setTimeout> | undefined;
  let polling: ReturnType<typeof setInterval> | undefined;
  let failures = 0;
  let waiting = false;
  let stopped = false;

  async function follow(signal: AbortSignal): Promise<void> {
    const watchdog = setTimeout(() => abort.abort(), SILENCE);
    const response = await fetch(address(options.path, options.query?.()), {
      headers: {
        Accept: "text/event-stream",
        "Accept-Language": document.documentElement.lang,
        "Last-Event-ID": options.cursor(),
      },
      credentials: "same-origin",
      cache: "no-store",
      signal,
    }).finally(() => clearTimeout(watchdog));
    if (response.status === 401 || response.status === 403) {
      stop();
      options.refused(response.status);
      return;
    }
    if (!response.ok || !response.body) throw new Error(`stream ${response.status}`);
    await readAll(response.body.getReader());
  }

  async function readAll(reader: ReadableStreamDefaultReader<Uint8Array>): Promise<void> {
    const decoder = new TextDecoder();
    const events = new StreamReader();
    for (;;) {
      const watchdog = setTimeout(() => abort.abort(), SILENCE);
      const piece = await reader.read().finally(() => clearTimeout(watchdog));
      if (piece.done || stopped) return;
      works();
      for (const event of events.feed(decoder.decode(piece.value, { stream: true }))) {
        options.heard(event);
        if (event.type === "reset") return void reader.cancel();
      }
    }
  }

  function works(): void {
    failures = 0;
    clearInterval(polling);
    polling = undefined;
  }

  async function run(): Promise<void> {
    waiting = false;
    abort = new AbortController();
    const mine = abort;
    failures += 1; // until the first word
    try {
      await follow(mine.signal);
    } catch (error) {
      if (!(error instanceof Error)) throw error; // weather: refused, cut, or silent for too long
    }
    if (stopped || mine !== abort) return;
    options.lost();
    if (failures >= GIVEN_UP && polling === undefined) {
      options.poll();
      polling = setInterval(options.poll, POLL);
    }
    waiting = true;
    timer = setTimeout(() => void run(), waitFor(failures));
  }

  function wake(): void {
    if (!waiting || stopped) return;
    clearTimeout(timer);
    void run();
  }

  function stop(): void {
    stopped = true;
    clearTimeout(timer);
    clearInterval(polling);
    abort.abort();
  }

  void run();
  return { wake, stop };
}

function waitFor(failures: number): number {
  const base = WAITS[Math.min(failures, WAITS.length - 1)] ?? 10_000;
  return base * (0.75 + Math.random() / 2); // not all pages at the same moment
}
