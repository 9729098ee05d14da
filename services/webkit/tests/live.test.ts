import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { effectScope, type EffectScope } from "vue";
import { useLive, type Live } from "../src/live";

/** A service whose streams the test writes itself. */
class Service {
  asked: string[] = [];
  open: { write: (text: string) => void; cut: () => void; over: boolean }[] = [];
  refuses = 0;

  readonly fetch = (_: unknown, init: RequestInit = {}): Promise<Response> => {
    this.asked.push(new Headers(init.headers).get("Last-Event-ID") ?? "");
    if (this.refuses > 0) {
      this.refuses -= 1;
      return Promise.reject(new TypeError("Failed to fetch"));
    }
    const encoder = new TextEncoder();
    const body = new ReadableStream<Uint8Array>({
      start: (to) => {
        const line = {
          write: (text: string) => to.enqueue(encoder.encode(text)),
          cut: () => to.error(new TypeError("network error")),
          over: false,
        };
        init.signal?.addEventListener("abort", () => {
          line.over = true;
          to.error(new DOMException("aborted", "AbortError"));
        });
        this.open.push(line);
      },
    });
    return Promise.resolve(new Response(body, { status: 200 }));
  };

  get last() {
    const line = this.open[this.open.length - 1];
    if (!line) throw new Error("nobody listens");
    return line;
  }
}

/** Web Locks as browsers have them, as far as tabs use them. */
function locks() {
  const held = new Map<string, { reject: (why: unknown) => void } | undefined>();
  const queues = new Map<string, (() => void)[]>();
  function grant(name: string, work: () => Promise<void>, done: () => void, reject: (why: unknown) => void): void {
    const mine = { reject };
    held.set(name, mine);
    void work().then(() => {
      if (held.get(name) !== mine) return;
      held.set(name, undefined);
      done();
      queues.get(name)?.shift()?.();
    });
  }
  return {
    request: (name: string, how: LockOptions, work: () => Promise<void>) =>
      new Promise<void>((done, reject) => {
        if (how.steal) held.get(name)?.reject(new DOMException("stolen", "AbortError"));
        else if (held.get(name)) {
          const waiting = () => grant(name, work, done, reject);
          queues.set(name, [...(queues.get(name) ?? []), waiting]);
          how.signal?.addEventListener("abort", () => {
            queues.set(name, (queues.get(name) ?? []).filter((one) => one !== waiting));
            reject(new DOMException("left", "AbortError"));
          });
          return;
        }
        grant(name, work, done, reject);
      }),
  };
}

/** Told at once, in order: what tabs of one browser say to one another. */
class Channel {
  static all: Channel[] = [];
  onmessage: ((event: { data: unknown }) => void) | null = null;
  constructor(readonly name: string) {
    Channel.all.push(this);
  }
  postMessage(data: unknown): void {
    for (const other of Channel.all) {
      if (other !== this && other.name === this.name) other.onmessage?.({ data: JSON.parse(JSON.stringify(data)) });
    }
  }
  close(): void {
    Channel.all = Channel.all.filter((one) => one !== this);
  }
}

interface Tab {
  live: Live;
  heard: unknown[];
  loads: number;
  scope: EffectScope;
}

let service: Service;
let tabs: Tab[];

function tab(load?: () => Promise<string>): Tab {
  const scope = effectScope();
  const made: Tab = { live: undefined as unknown as Live, heard: [], loads: 0, scope };
  scope.run(() => {
    made.live = useLive({
      path: "/api/v1/events",
      shared: () => "somebody",
      load: load ?? (() => Promise.resolve(`loaded-${String((made.loads += 1))}`)),
      on: { "case.changed": (data) => made.heard.push(data) },
    });
  });
  tabs.push(made);
  return made;
}

const changed = (id: string, n: number) => `event: case.changed\nid: ${id}\ndata: ${String(n)}\n\n`;
const soon = () => vi.advanceTimersByTimeAsync(0);

beforeEach(() => {
  vi.useFakeTimers();
  vi.spyOn(Math, "random").mockReturnValue(0.5);
  service = new Service();
  tabs = [];
  Channel.all = [];
  vi.stubGlobal("fetch", service.fetch);
  vi.stubGlobal("BroadcastChannel", Channel);
  Object.defineProperty(navigator, "locks", { value: locks(), configurable: true });
});

afterEach(() => {
  for (const one of tabs) one.scope.stop();
  vi.unstubAllGlobals();
  vi.restoreAllMocks();
  vi.useRealTimers();
});

describe("a live page", () => {
  it("goes on where it was cut off", async () => {
    const page = tab();
    await soon();
    service.last.write(changed("c1", 1));
    await soon();
    service.last.cut();
    await vi.advanceTimersByTimeAsync(3_000);
    expect(service.asked).toEqual(["loaded-1", "c1"]);
    service.last.write(changed("c2", 2));
    await soon();
    expect(page.heard).toEqual([1, 2]);
    expect(page.loads).toBe(1);
  });

  it("opens a line anew on which nothing comes", async () => {
    tab();
    await soon();
    await vi.advanceTimersByTimeAsync(25_000);
    expect(service.asked.length).toBe(2);
  });

  it("counts the seconds since the last news, also while the line is up but the service knows nothing new", async () => {
    const page = tab();
    await soon();
    service.last.write('event: beat\nid: c1\ndata: {"at":"x"}\n\n');
    await soon();
    for (let second = 0; second < 15; second += 1) {
      service.last.write(": still here\n\n");
      await vi.advanceTimersByTimeAsync(1_000);
    }
    expect(service.asked.length).toBe(1);
    expect(page.live.stale.value).toBe(15);
    service.last.write('event: beat\nid: c1\ndata: {"at":"x"}\n\n');
    await vi.advanceTimersByTimeAsync(1_000);
    expect(page.live.stale.value).toBe(0);
  });

  it("reads its lists anew every half minute while no stream can be had, and follows again once one can", async () => {
    service.refuses = 12;
    const page = tab();
    await vi.advanceTimersByTimeAsync(65_000);
    expect(page.loads).toBeGreaterThanOrEqual(3);
    expect(page.live.lastAt.value).toBeGreaterThan(Date.now() - 31_000);
    await vi.advanceTimersByTimeAsync(60_000);
    while (service.last.over) await vi.advanceTimersByTimeAsync(1_000);
    service.last.write(changed("c9", 9));
    await soon();
    expect(page.heard).toEqual([9]);
    const { loads } = page;
    await vi.advanceTimersByTimeAsync(15_000);
    expect(page.loads).toBe(loads);
  });

  it("loads anew after a reset and follows from there", async () => {
    const page = tab();
    await soon();
    service.last.write("event: reset\nid: fresh\ndata: {}\n\n");
    await vi.advanceTimersByTimeAsync(3_000);
    expect(page.loads).toBe(2);
    expect(service.asked).toEqual(["loaded-1", "fresh"]);
  });
});

describe("tabs of one person", () => {
  it("have one line together and all hear", async () => {
    const [one, two] = [tab(), tab()];
    await soon();
    expect(service.open.length).toBe(1);
    service.last.write(changed("c1", 1));
    await soon();
    expect([one.heard, two.heard]).toEqual([[1], [1]]);
  });

  it("hear what another is told while their own lists are on their way, and lead only once they are there", async () => {
    const one = tab();
    await soon();
    let come: ((cursor: string) => void) | undefined;
    const two = tab(() => new Promise((done) => (come = done)));
    await soon();
    service.last.write(changed("c1", 1));
    await soon();
    expect(two.heard).toEqual([1]);
    one.scope.stop();
    await soon();
    expect(service.open.length).toBe(1);
    come?.("loaded-late");
    await soon();
    expect(service.asked).toEqual(["loaded-1", "c1"]);
  });

  it("go on without gap when the tab with the line is closed", async () => {
    const [one, two] = [tab(), tab()];
    await soon();
    service.last.write(changed("c1", 1));
    await soon();
    one.scope.stop();
    await soon();
    expect(service.asked).toEqual(["loaded-1", "c1"]);
    service.last.write(changed("c2", 2));
    await soon();
    expect(two.heard).toEqual([1, 2]);
  });

  it("take the line from a tab that has fallen silent", async () => {
    const [one, two] = [tab(), tab()];
    await soon();
    service.last.write(changed("c1", 1));
    await soon();
    const [first] = Channel.all;
    if (first) first.postMessage = () => undefined; // the browser has frozen it
    await vi.advanceTimersByTimeAsync(45_000);
    expect(service.asked.filter((cursor) => cursor === "c1").length).toBeGreaterThanOrEqual(1);
    service.last.write(changed("c2", 2));
    await soon();
    expect(two.heard).toEqual([1, 2]);
    expect(one.heard).toEqual([1, 2]);
  });

  it("each have a line of their own where the browser cannot share one", async () => {
    vi.stubGlobal("BroadcastChannel", undefined);
    tab();
    tab();
    await soon();
    expect(service.open.length).toBe(2);
  });
});
