/**
 * One line for all tabs of a person: a browser opens six connections to a service, and a line holds one for good.
 *
 * Whoever holds the lock leads: he keeps the line and passes on what he hears. When his tab goes, or falls silent, the
 * next one takes over from what it has heard itself. Where a browser has no such locks each tab keeps its own line.
 */

export interface Tabs<T> {
  /** To the other tabs. */
  say: (message: T) => void;
  /** From now on this tab can lead; before it only listens. */
  compete: () => void;
  stop: () => void;
}

export interface TabsOptions<T> {
  /** Tabs of this name share. */
  name: string;
  hear: (message: T) => void;
  /** It is this tab's turn, until what it answers is called. */
  lead: () => () => void;
  /** A leader who says nothing for so long is replaced, in milliseconds. */
  patience: number;
}

/** Whether this browser can share a line. */
export function sharing(): boolean {
  return typeof BroadcastChannel !== "undefined" && typeof navigator !== "undefined" && "locks" in navigator;
}

const nothing = (): void => undefined;

function alone<T>(lead: () => () => void): Tabs<T> {
  let end: (() => void) | undefined;
  return { say: nothing, compete: () => (end ??= lead()), stop: () => end?.() };
}

export function joinTabs<T>(options: TabsOptions<T>): Tabs<T> {
  if (!sharing()) return alone(options.lead);
  const channel = new BroadcastChannel(options.name);
  let asked = new AbortController();
  let stopped = false;
  let leading = false;
  let competing = false;
  let over: () => void = nothing;
  let quiet: ReturnType<typeof setTimeout> | undefined;
  let unsaid: T[] = [];

  /** Each message costs as much as all of one piece of the line together. */
  function speak(): void {
    if (!stopped) channel.postMessage(unsaid); // oxlint-disable-line unicorn/require-post-message-target-origin -- a channel has none
    unsaid = [];
  }

  /** Somebody leads and speaks; if he falls silent the lead is taken from him. */
  function listen(): void {
    clearTimeout(quiet);
    if (competing && !leading && !stopped) quiet = setTimeout(() => void queue({ steal: true }), options.patience);
  }

  async function queue(how: LockOptions): Promise<void> {
    asked.abort();
    asked = new AbortController();
    try {
      await navigator.locks.request(options.name, how.steal ? how : { signal: asked.signal }, hold);
    } catch (error) {
      if (!(error instanceof DOMException)) throw error; // asked anew, gone, or the lead was taken
      if (!leading || stopped) return;
      over();
      listen();
      void queue({});
    }
  }

  function hold(): Promise<void> {
    if (stopped) return Promise.resolve();
    leading = true;
    clearTimeout(quiet);
    const end = options.lead();
    return new Promise<void>((done) => {
      over = () => {
        leading = false;
        over = nothing;
        end();
        done();
      };
    });
  }

  channel.onmessage = (event: MessageEvent<T[]>) => {
    if (leading || stopped) return;
    listen();
    for (const message of event.data) options.hear(message);
  };
  return {
    say: (message) => {
      if (unsaid.push(message) === 1) queueMicrotask(speak);
    },
    compete: () => {
      if (competing) return;
      competing = true;
      listen();
      void queue({});
    },
    stop: () => {
      stopped = true;
      clearTimeout(quiet);
      asked.abort();
      over();
      channel.close();
    },
  };
}
