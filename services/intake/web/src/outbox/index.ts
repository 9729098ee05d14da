/** The outbox as the pages see it: what waits, what has gone, and when it is tried again. */
import { newId, serverNow, session, whoami } from "@grid/webkit";
import { computed, reactive, ref } from "vue";
import { aloneOn } from "./alone";
import { http } from "./http";
import { Sender } from "./sender";
import { Shelf, type Filled, type Sent, type Waiting } from "./shelf";
import { isFull } from "./store";

const TRY_EVERY = 15_000;
const OLD_AFTER = 24 * 3_600_000;
const SHOWN = 5;

let opened: Promise<Shelf> | undefined;

/** The phone's store, opened once; a phone that refuses it now is asked again next time. */
export function shelf(): Promise<Shelf> {
  const opening = (opened ??= Shelf.open());
  opening.catch(() => {
    opened = undefined;
  });
  return opening;
}

interface Outbox {
  /** This account's reports that are not through, oldest first. */
  items: Waiting[];
  /** This account's last receipts, newest first. */
  sent: Sent[];
  /** Reports of other accounts on this phone. */
  others: number;
  sending: boolean;
  /** Until when the service asked to be left alone (milliseconds). */
  pausedUntil: number | null;
  /** The phone has no room left. */
  full: boolean;
}

export const outbox = reactive<Outbox>({ items: [], sent: [], others: 0, sending: false, pausedUntil: null, full: false });
/** Rises with every change, so that a page that shows one report can look again. */
export const outboxChange = ref(0);
const now = ref(Date.now());

export const unsent = computed(() => outbox.items.length);
export const oldest = computed(() => outbox.items[0]?.createdAt ?? null);
export const overdue = computed(() => oldest.value !== null && now.value - oldest.value > OLD_AFTER);

const clock = () => Date.now();
const account = () => session.person?.account_id ?? null;

export async function look(): Promise<void> {
  const mine = account();
  const store = await shelf();
  const counts = await store.counts(mine);
  outbox.items = mine === null ? [] : await store.waiting(mine);
  outbox.sent = mine === null ? [] : await store.lastSent(mine, SHOWN);
  outbox.others = counts.all - counts.mine;
  outbox.pausedUntil = (await sender?.pausedUntil()) ?? null;
  now.value = Date.now();
  outboxChange.value += 1;
}

let sender: Sender | undefined;

async function theSender(): Promise<Sender> {
  const store = await shelf();
  sender ??= new Sender({
    shelf: store,
    transport: http,
    alone: aloneOn(store, newId(), clock),
    clock,
    serverClock: serverNow,
    account,
    changed: () => void look(),
    stranger: () => void whoami(),
  });
  return sender;
}

/** Try to send. `at once`: also what waits for its next turn. */
export async function flush(atOnce = false): Promise<void> {
  outbox.sending = true;
  try {
    await (await theSender()).flush(atOnce);
    outbox.full = false;
  } catch (error) {
    if (!isFull(error)) throw error;
    outbox.full = true; // what is sent stays sent; only the note of it found no room
  } finally {
    outbox.sending = false;
    await look();
  }
}

/** Ask the browser, once, not to clear our store when the phone runs short of room. */
let asked = false;
function askToStay(): void {
  if (asked) return;
  asked = true;
  const { storage } = navigator as Partial<Navigator>;
  if (typeof storage?.persist === "function") void storage.persist().catch(() => false);
}

/** Where there is such a thing, the browser wakes our worker when the network is back. */
async function askToWake(): Promise<void> {
  const { serviceWorker } = navigator as Partial<Navigator>;
  const registration = (await serviceWorker?.getRegistration()) as
    | (ServiceWorkerRegistration & { sync?: { register(tag: string): Promise<void> } })
    | undefined;
  await registration?.sync?.register("outbox").catch(() => undefined); // refused in private windows
}

/** A write that may find the phone full: then that is said, and the caller leaves what is on the screen. */
export async function ifRoom(write: Promise<unknown>): Promise<boolean> {
  try {
    await write;
    outbox.full = false;
  } catch (error) {
    if (!isFull(error)) throw error;
    outbox.full = true;
  }
  return !outbox.full;
}

/**
 * Put a finished report into the outbox, take away the draft it was made from, and start sending.
 * Raises QuotaExceededError when the phone has no room; draft and form are then as they were.
 */
export async function submit(report: Filled, draft?: string): Promise<void> {
  askToStay();
  const store = await shelf();
  try {
    await store.put(report, draft);
    outbox.full = false;
  } catch (error) {
    outbox.full = isFull(error);
    throw error;
  }
  await look();
  void flush(true);
  void askToWake();
}

export async function drop(id: string): Promise<void> {
  await (await shelf()).drop(id);
  await look();
}

const flushNow = () => void flush(true);

/** Try again whenever there is a reason to think that it may work. */
export function keepSending(): void {
  addEventListener("online", flushNow);
  addEventListener("pageshow", flushNow);
  document.addEventListener("visibilitychange", () => {
    if (document.visibilityState === "visible") flushNow();
  });
  (navigator as Partial<Navigator>).serviceWorker?.addEventListener("message", (event: MessageEvent) => {
    if (event.data === "flush") flushNow();
  });
  setInterval(() => {
    now.value = Date.now();
    if (outbox.items.length > 0) void flush();
  }, TRY_EVERY);
  flushNow();
}

