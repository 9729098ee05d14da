/** The outbox as the pages see it: what waits, and when it is tried again. */
import { api, newId, session } from "@grid/webkit";
import { computed, reactive, ref } from "vue";
import type { Receipt } from "../types";
import { aloneOn } from "./alone";
import { Sender, type Transport } from "./sender";
import { Shelf, type Waiting } from "./shelf";

const TRY_EVERY = 15_000;
const OLD_AFTER = 24 * 3_600_000;

const transport: Transport = {
  report: (body, key) => api.post<Receipt>("/api/v1/reports", body, { idempotencyKey: key, timeout: 30_000 }),
  photo: (reportId, photo) =>
    api.put<void>(`/api/v1/reports/${reportId}/photos/${photo.id}`, photo.bytes, photo.mime, {
      idempotencyKey: photo.id,
      timeout: 120_000,
    }),
};

let opened: Promise<Shelf> | undefined;

/** The phone's store, opened once. */
export function shelf(): Promise<Shelf> {
  opened ??= Shelf.open();
  return opened;
}

export const outbox = reactive<{ items: Waiting[]; sending: boolean }>({ items: [], sending: false });
/** Rises with every change, so that a page that shows one report can look again. */
export const outboxChange = ref(0);

export const unsent = computed(() => outbox.items.length);
export const oldest = computed(() => outbox.items[0]?.createdAt ?? null);
export const overdue = computed(() => oldest.value !== null && Date.now() - oldest.value > OLD_AFTER);

const account = () => session.person?.account_id ?? null;

export async function look(): Promise<void> {
  const mine = account();
  outbox.items = mine === null ? [] : await (await shelf()).waiting(mine);
  outboxChange.value += 1;
}

let sender: Sender | undefined;

async function theSender(): Promise<Sender> {
  if (!sender) {
    const store = await shelf();
    sender = new Sender({
      shelf: store,
      transport,
      alone: aloneOn(store, newId(), Date.now),
      clock: Date.now,
      account,
      changed: () => void look(),
    });
  }
  return sender;
}

/** Try to send. `now`: also what waits for its next turn. */
export async function flush(now = false): Promise<void> {
  const ready = await theSender();
  outbox.sending = true;
  try {
    await ready.flush(now);
  } finally {
    outbox.sending = false;
    await look();
  }
}

/** Put a finished report into the outbox and start sending. */
export async function submit(report: Waiting): Promise<void> {
  await (await shelf()).put(report);
  await look();
  void flush(true);
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
  setInterval(() => {
    if (outbox.items.length > 0) void flush();
  }, TRY_EVERY);
  flushNow();
}
