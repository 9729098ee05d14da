/** One page at a time sends. Browser locks where there are any, else a lease row in the phone's own store. */
import type { Shelf } from "./shelf";

const NAME = "outbox";
const LEASE = 60_000;

export type Alone = (work: () => Promise<void>) => Promise<void>;

/** Run the work unless another page of this phone is doing it now. */
export function aloneOn(shelf: Shelf, owner: string, clock: () => number): Alone {
  const locks = (navigator as Partial<Navigator>).locks;
  if (locks) {
    return async (work) => {
      await locks.request(NAME, { ifAvailable: true }, async (lock) => {
        if (lock) await work();
      });
    };
  }
  return async (work) => {
    if (!(await shelf.lease(NAME, owner, clock(), LEASE))) return;
    try {
      await work();
    } finally {
      await shelf.release(NAME, owner);
    }
  };
}
