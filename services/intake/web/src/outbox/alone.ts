/** One page at a time sends. Browser locks where there are any, else a lease row in the phone's own store. */
import type { Shelf } from "./shelf";

const NAME = "outbox";
const LEASE = 60_000;
const RENEW = LEASE / 3;

export type Alone = (work: () => Promise<void>) => Promise<void>;

/** Run the work once no other page of this phone is at it; without browser locks, not at all while one is. */
export function aloneOn(shelf: Shelf, owner: string, clock: () => number): Alone {
  const locks = (navigator as Partial<Navigator>).locks;
  if (locks) {
    return async (work) => {
      await locks.request(NAME, work);
    };
  }
  return async (work) => {
    if (!(await shelf.lease(NAME, owner, clock(), LEASE))) return;
    const renewing = setInterval(() => void shelf.lease(NAME, owner, clock(), LEASE).catch(() => false), RENEW);
    try {
      await work();
    } finally {
      clearInterval(renewing);
      await shelf.release(NAME, owner);
    }
  };
}
