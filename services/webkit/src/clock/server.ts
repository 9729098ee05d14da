/** The service's time as this device can know it: deadlines are compared with it, never with the phone's clock. */
import { onScopeDispose, ref, type Ref } from "vue";

let offset = 0;

/**
 * Take the `Date` of an answer, which drops the fraction of the second: the service's clock stood somewhere in that
 * second, somewhere between asking and hearing. The phone's clock is moved no farther than that demands, so one that
 * is right stays untouched, and moments noted before and after a reload keep their order.
 */
export function noteServerTime(date: string | null, sent: number, received: number): void {
  const server = date === null ? Number.NaN : Date.parse(date);
  if (Number.isNaN(server)) return;
  offset = Math.min(Math.max(offset, server - received), server + 999 - sent);
}

/** Milliseconds since the epoch on the service's clock. */
export function serverNow(): number {
  return Date.now() + offset;
}

/** A value that follows the service's clock, by default each second. Ends with the component that asked. */
export function useNow(every = 1_000): Readonly<Ref<number>> {
  const now = ref(serverNow());
  const timer = setInterval(() => {
    now.value = serverNow();
  }, every);
  onScopeDispose(() => clearInterval(timer));
  return now;
}
