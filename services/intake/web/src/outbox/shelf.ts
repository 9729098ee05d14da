/** The phone's own store: reports that wait to be sent, their photos, drafts, and what is kept for offline use. */
import type { Photo } from "@grid/webkit";
import type { IDBPTransaction } from "idb";
import type { DeedIn, Receipt, ReportIn } from "../types";
import { connect, isFull, lostConnection, type Store, type Tables } from "./store";

/** A photo on its way, without its bytes: those lie beside, so that a list of reports costs no memory. */
export interface Attached extends Omit<Photo, "bytes"> {
  size: number;
  /** The service has it, or will never take it. */
  sent: boolean;
  /** Some of it may have arrived: ask how far before going on. */
  begun?: boolean;
  /** How often it arrived as something else than it is. */
  spoiled?: number;
  /** The service does not take this photo, and no further try will change that. */
  refused?: boolean;
}

export interface Refusal {
  code: string;
  message: string;
  errors: { field: string; message: string }[];
}

/** Why a report is not through yet. `sign_in`: it waits for its own account. */
export type Trouble = "network" | "busy" | "server" | "sign_in";

/** One report on its way. `id` is the idempotency key: however often it is sent, it is one report. */
export interface Waiting {
  id: string;
  account: string;
  createdAt: number;
  report: ReportIn;
  /** Set: a note of a good deed; `report` only says in words what waits here. */
  deed?: DeedIn;
  photos: Attached[];
  /** `waiting` to be sent; `photos`: accepted, photos follow; `needs_fix`: refused, a person must look. */
  state: "waiting" | "photos" | "needs_fix";
  attempts: number;
  /** Not before this moment (milliseconds), after a failure. */
  nextAt: number;
  refusal: Refusal | null;
  receipt: Receipt | null;
  trouble?: Trouble | null;
  /** The service knew the receipt no longer (it was set back to an earlier state); the report was sent once more. */
  again?: boolean;
}

/** A report as the form hands it over, with its pictures. */
export type Filled = Omit<Waiting, "photos"> & { photos: (Photo & { sent: boolean })[] };

/** What the receipt page shows after the report has left the outbox. */
export interface Sent {
  id: string;
  account: string;
  createdAt: number;
  report: Pick<ReportIn, "direct" | "on_the_spot" | "joins"> & Partial<Pick<ReportIn, "text" | "place_words" | "call_now" | "in_grid">>;
  receipt: Receipt;
  /** Photos that the service did not take. */
  refusedPhotos: number;
}

const SENT_KEPT = 50;
const LEAVING: ("outbox" | "photos" | "sent" | "kept")[] = ["outbox", "photos", "sent", "kept"];
type Leaving = IDBPTransaction<Tables, typeof LEAVING, "readwrite">;
/** What can be had again from the service; given up first when the phone has no room left. */
const FETCHED = ["places", "mine:"];

/** A photo without its bytes. */
function attached({ bytes, ...rest }: Filled["photos"][number]): Attached {
  return { ...rest, size: bytes.byteLength };
}

/** Wait for the whole of a transaction; what it raises says why, its single steps only that they were undone. */
async function ended(done: Promise<void>, steps: Promise<unknown>[]): Promise<void> {
  await Promise.allSettled([...steps, done]);
  await done;
}

export class Shelf {
  private store: Promise<Store> | null = null;

  private constructor(private readonly name: string) {}

  static async open(name = "grid-phone"): Promise<Shelf> {
    const shelf = new Shelf(name);
    await shelf.connected();
    return shelf;
  }

  close(): void {
    void this.store?.then((store) => store.close());
    this.store = null;
  }

  private connected(): Promise<Store> {
    const opening = (this.store ??= connect(this.name, () => {
      this.store = null;
    }));
    opening.catch(() => {
      this.store = null; // the next call tries anew
    });
    return opening;
  }

  /** Phones close the store behind a page that slept; such a call is made again on a new connection. */
  private async use<T>(work: (store: Store) => Promise<T>): Promise<T> {
    try {
      return await work(await this.connected());
    } catch (error) {
      if (!lostConnection(error)) throw error;
      this.store = null;
      return await work(await this.connected());
    }
  }

  /** A write. Without room, first everything goes that can be fetched again. Raises QuotaExceededError after that. */
  private async write<T>(work: (store: Store) => Promise<T>): Promise<T> {
    try {
      return await this.use(work);
    } catch (error) {
      if (!isFull(error)) throw error;
      await this.makeRoom();
      return await this.use(work);
    }
  }

  private async makeRoom(): Promise<void> {
    await this.use(async (store) => {
      const names = await store.getAllKeys("kept");
      for (const name of names) if (FETCHED.some((one) => name.startsWith(one))) await store.delete("kept", name);
      const waiting = new Set(await store.getAllKeys("outbox"));
      for (const key of await store.getAllKeys("photos")) if (!waiting.has(key[0])) await store.delete("photos", key);
    });
  }

  // --- reports on their way ------------------------------------------------------------------------------------------
  /** Reports of one account, oldest first. */
  async waiting(account: string): Promise<Waiting[]> {
    const all = await this.use((store) => store.getAll("outbox"));
    return all.filter((one) => one.account === account).sort((a, b) => a.createdAt - b.createdAt);
  }

  /** How many reports lie here, and how many of them are this account's. */
  async counts(account: string | null): Promise<{ all: number; mine: number }> {
    const all = await this.use((store) => store.getAll("outbox"));
    return { all: all.length, mine: all.filter((one) => one.account === account).length };
  }

  async find(id: string): Promise<Waiting | undefined> {
    return this.use((store) => store.get("outbox", id));
  }

  /**
   * A finished report comes in, and the draft that it was made from goes, in one step: a phone that dies in between
   * has either of them, never both. Raises QuotaExceededError; the draft is then as it was.
   */
  async put(report: Filled, draft?: string): Promise<void> {
    await this.write(async (store) => {
      const tx = store.transaction(["outbox", "photos", "kept"], "readwrite", { durability: "strict" });
      const steps: Promise<unknown>[] = report.photos.map(({ id, bytes }) =>
        tx.objectStore("photos").put({ report: report.id, id, bytes }),
      );
      steps.push(tx.objectStore("outbox").put({ ...report, photos: report.photos.map(attached) }));
      if (draft !== undefined) steps.push(tx.objectStore("kept").delete(draft));
      await ended(tx.done, steps);
    });
  }

  /** How a report stands now. False, and nothing is written, if it has left the outbox meanwhile. */
  async update(report: Waiting): Promise<boolean> {
    return this.write(async (store) => {
      const tx = store.transaction("outbox", "readwrite");
      const there = (await tx.store.getKey(report.id)) !== undefined;
      if (there) await tx.store.put(report);
      await tx.done;
      return there;
    });
  }

  /** The bytes of one photo; undefined once it was delivered. */
  async bytes(report: string, photo: string): Promise<ArrayBuffer | undefined> {
    return (await this.use((store) => store.get("photos", [report, photo])))?.bytes;
  }

  /** The service has this photo: note it and give its room back, in one step. */
  async delivered(report: Waiting, photo: Attached): Promise<boolean> {
    return this.use(async (store) => {
      const tx = store.transaction(["outbox", "photos"], "readwrite");
      await tx.objectStore("photos").delete([report.id, photo.id]);
      const there = (await tx.objectStore("outbox").getKey(report.id)) !== undefined;
      if (there) await tx.objectStore("outbox").put(report);
      await tx.done;
      return there;
    });
  }

  /** The report's photos with their bytes; those already delivered are not here any more. */
  async photosOf(report: Waiting): Promise<Photo[]> {
    const found: Photo[] = [];
    for (const { size: _, sent: _s, begun: _b, spoiled: _p, refused: _r, ...photo } of report.photos) {
      const bytes = await this.bytes(report.id, photo.id);
      if (bytes) found.push({ ...photo, bytes });
    }
    return found;
  }

  async drop(id: string): Promise<void> {
    await this.leave(id, () => []);
  }

  /** A report goes back to be changed: out of the outbox and into the draft of that name, in one step. */
  async takeBack(id: string, draft: string, value: unknown, now: number): Promise<void> {
    await this.leave(id, (tx) => [tx.objectStore("kept").put({ name: draft, value, at: now })]);
  }

  /** Move a finished report out of the outbox, in one step. */
  async finish(done: Sent): Promise<void> {
    await this.leave(done.id, (tx) => [tx.objectStore("sent").put(done)]);
    await this.trim();
  }

  private async leave(id: string, also: (tx: Leaving) => Promise<unknown>[]): Promise<void> {
    await this.write(async (store) => {
      const tx = store.transaction(LEAVING, "readwrite");
      const photos = tx.objectStore("photos").delete(IDBKeyRange.bound([id], [id, []]));
      await ended(tx.done, [photos, tx.objectStore("outbox").delete(id), ...also(tx)]);
    });
  }

  private async trim(): Promise<void> {
    await this.use(async (store) => {
      const keys = await store.getAllKeysFromIndex("sent", "createdAt");
      for (const key of keys.slice(0, Math.max(0, keys.length - SENT_KEPT))) await store.delete("sent", key);
    });
  }

  async sent(id: string): Promise<Sent | undefined> {
    return this.use((store) => store.get("sent", id));
  }

  /** What went out last from this account, newest first. */
  async lastSent(account: string, limit: number): Promise<Sent[]> {
    const all = await this.use((store) => store.getAllFromIndex("sent", "createdAt"));
    const mine = all.filter((one) => one.account === account);
    return mine.sort((a, b) => b.createdAt - a.createdAt).slice(0, limit);
  }

  // --- what is kept for offline use ----------------------------------------------------------------------------------
  /** Keep a value for offline use, under a name. Raises QuotaExceededError. */
  async keep(name: string, value: unknown, now: number): Promise<void> {
    await this.write((store) => store.put("kept", { name, value, at: now }));
  }

  async kept<T>(name: string): Promise<T | null> {
    const row = await this.use((store) => store.get("kept", name));
    return row ? (row.value as T) : null;
  }

  /** All values whose names begin with `prefix`, in the order of their names. */
  async keptUnder<T>(prefix: string): Promise<T[]> {
    const rows = await this.use((store) => store.getAll("kept", IDBKeyRange.bound(prefix, `${prefix}\uffff`)));
    return rows.map((row) => row.value as T);
  }

  async forget(name: string): Promise<void> {
    await this.use((store) => store.delete("kept", name));
  }

  // --- one page at a time --------------------------------------------------------------------------------------------
  /** Take or prolong a lease; false while another page holds it. One that ends too late is from before a clock change. */
  async lease(name: string, owner: string, now: number, milliseconds: number): Promise<boolean> {
    return this.use(async (store) => {
      const tx = store.transaction("lease", "readwrite");
      const held = await tx.store.get(name);
      const free = !held || held.owner === owner || held.until <= now || held.until > now + milliseconds;
      if (free) await tx.store.put({ name, owner, until: now + milliseconds });
      await tx.done;
      return free;
    });
  }

  async release(name: string, owner: string): Promise<void> {
    await this.use(async (store) => {
      const tx = store.transaction("lease", "readwrite");
      const held = await tx.store.get(name);
      if (held?.owner === owner) await tx.store.delete(name);
      await tx.done;
    });
  }
}

