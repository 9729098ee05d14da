/** The tables of the phone's store, and how they came to be. */
import { openDB, type DBSchema, type IDBPDatabase, type IDBPTransaction } from "idb";
import type { Sent, Waiting } from "./shelf";

export interface Tables extends DBSchema {
  outbox: { key: string; value: Waiting };
  photos: { key: [string, string]; value: { report: string; id: string; bytes: ArrayBuffer } };
  sent: { key: string; value: Sent; indexes: { createdAt: number } };
  kept: { key: string; value: { name: string; value: unknown; at: number } };
  lease: { key: string; value: { name: string; owner: string; until: number } };
}

export type Store = IDBPDatabase<Tables>;
export type Names = "outbox" | "photos" | "sent" | "kept" | "lease";

const VERSION = 2;

/** Open the store. `lost` is called when the browser or a newer page closes the connection. */
export function connect(name: string, lost: () => void): Promise<Store> {
  return openDB<Tables>(name, VERSION, {
    async upgrade(db, from, _to, tx) {
      if (from < 1) {
        db.createObjectStore("outbox", { keyPath: "id" });
        db.createObjectStore("sent", { keyPath: "id" }).createIndex("createdAt", "createdAt");
        db.createObjectStore("kept", { keyPath: "name" });
        db.createObjectStore("lease", { keyPath: "name" });
      }
      if (from < 2) {
        db.createObjectStore("photos", { keyPath: ["report", "id"] });
        await photosBeside(tx);
      }
    },
    blocking(_from, _to, event) {
      (event.target as IDBDatabase).close();
      lost();
    },
    terminated: lost,
  });
}

type Upgrade = IDBPTransaction<Tables, Names[], "versionchange">;

/** The first version kept a photo's bytes within its report. */
async function photosBeside(tx: Upgrade): Promise<void> {
  for (const report of await tx.objectStore("outbox").getAll()) {
    const photos = [];
    for (const photo of report.photos) {
      const { bytes, ...rest } = photo as typeof photo & { bytes?: ArrayBuffer };
      if (bytes && !rest.sent) await tx.objectStore("photos").put({ report: report.id, id: rest.id, bytes });
      photos.push({ ...rest, size: bytes?.byteLength ?? 0 });
    }
    await tx.objectStore("outbox").put({ ...report, photos });
  }
}

const named = (error: unknown, ...names: string[]) => error instanceof Error && names.includes(error.name);

/** No room on the phone. */
export const isFull = (error: unknown) => named(error, "QuotaExceededError");

/** The connection is gone; nothing of the call was done. */
export const lostConnection = (error: unknown) => named(error, "InvalidStateError");
