/** The phone's own store: reports that wait to be sent, the draft, and what is kept for offline use. */
import type { Photo } from "@grid/webkit";
import { openDB, type DBSchema, type IDBPDatabase } from "idb";
import type { Receipt, ReportIn } from "../types";

export interface WaitingPhoto extends Photo {
  sent: boolean;
  /** The service does not take this photo, and no further try will change that. */
  refused?: boolean;
}

export interface Refusal {
  code: string;
  message: string;
  errors: { field: string; message: string }[];
}

/** One report on its way. `id` is the idempotency key: however often it is sent, it is one report. */
export interface Waiting {
  id: string;
  account: string;
  createdAt: number;
  report: ReportIn;
  photos: WaitingPhoto[];
  /** `waiting` to be sent; `photos`: accepted, photos follow; `needs_fix`: refused, a person must look. */
  state: "waiting" | "photos" | "needs_fix";
  attempts: number;
  /** Not before this moment (milliseconds), after a failure. */
  nextAt: number;
  refusal: Refusal | null;
  receipt: Receipt | null;
}

/** What the receipt page shows after the report has left the outbox. */
export interface Sent {
  id: string;
  account: string;
  createdAt: number;
  report: Pick<ReportIn, "direct" | "on_the_spot" | "joins">;
  receipt: Receipt;
  /** Photos that the service did not take. */
  refusedPhotos: number;
}

interface Tables extends DBSchema {
  outbox: { key: string; value: Waiting };
  sent: { key: string; value: Sent; indexes: { createdAt: number } };
  kept: { key: string; value: { name: string; value: unknown; at: number } };
  lease: { key: string; value: { name: string; owner: string; until: number } };
}

const SENT_KEPT = 50;

export class Shelf {
  private constructor(private readonly db: IDBPDatabase<Tables>) {}

  static async open(name = "grid-phone"): Promise<Shelf> {
    const db = await openDB<Tables>(name, 1, {
      upgrade(fresh) {
        fresh.createObjectStore("outbox", { keyPath: "id" });
        fresh.createObjectStore("sent", { keyPath: "id" }).createIndex("createdAt", "createdAt");
        fresh.createObjectStore("kept", { keyPath: "name" });
        fresh.createObjectStore("lease", { keyPath: "name" });
      },
    });
    return new Shelf(db);
  }

  close(): void {
    this.db.close();
  }

  /** Reports of one account, oldest first. */
  async waiting(account: string): Promise<Waiting[]> {
    const all = await this.db.getAll("outbox");
    return all.filter((one) => one.account === account).sort((a, b) => a.createdAt - b.createdAt);
  }

  async find(id: string): Promise<Waiting | undefined> {
    return this.db.get("outbox", id);
  }

  async put(report: Waiting): Promise<void> {
    await this.db.put("outbox", report);
  }

  async drop(id: string): Promise<void> {
    await this.db.delete("outbox", id);
  }

  /** Move a finished report out of the outbox, in one step. */
  async finish(done: Sent): Promise<void> {
    const tx = this.db.transaction(["outbox", "sent"], "readwrite");
    await tx.objectStore("outbox").delete(done.id);
    await tx.objectStore("sent").put(done);
    await tx.done;
    await this.trim();
  }

  private async trim(): Promise<void> {
    const keys = await this.db.getAllKeysFromIndex("sent", "createdAt");
    for (const key of keys.slice(0, Math.max(0, keys.length - SENT_KEPT))) await this.db.delete("sent", key);
  }

  async sent(id: string): Promise<Sent | undefined> {
    return this.db.get("sent", id);
  }

  /** Keep a value for offline use, under a name. */
  async keep(name: string, value: unknown, now: number): Promise<void> {
    await this.db.put("kept", { name, value, at: now });
  }

  async kept<T>(name: string): Promise<T | null> {
    const row = await this.db.get("kept", name);
    return row ? (row.value as T) : null;
  }

  /** All values whose names begin with `prefix`, in the order of their names. */
  async keptUnder<T>(prefix: string): Promise<T[]> {
    const rows = await this.db.getAll("kept", IDBKeyRange.bound(prefix, `${prefix}\uffff`));
    return rows.map((row) => row.value as T);
  }

  async forget(name: string): Promise<void> {
    await this.db.delete("kept", name);
  }

  /** Take or prolong a lease; false while another page holds it. */
  async lease(name: string, owner: string, now: number, milliseconds: number): Promise<boolean> {
    const tx = this.db.transaction("lease", "readwrite");
    const held = await tx.store.get(name);
    const free = !held || held.owner === owner || held.until <= now;
    if (free) await tx.store.put({ name, owner, until: now + milliseconds });
    await tx.done;
    return free;
  }

  async release(name: string, owner: string): Promise<void> {
    const tx = this.db.transaction("lease", "readwrite");
    const held = await tx.store.get(name);
    if (held?.owner === owner) await tx.store.delete(name);
    await tx.done;
  }
}
