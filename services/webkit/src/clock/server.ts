/** The service's time as this device can know it: deadlines are compared with it, never with the phone's clock. */
import { onScopeDispose, ref, type Ref } from "vue";

let offset = 0;
let bestRoundTrip = Number.POSITIVE_INFINITY;

/** Take the `Date` of an answer. The quickest answers tell most; a slow one may be off by its travel time. */
export function noteServerTime(date: string | null, sent: number, received: number): void {
  const server = date === null ? Number.NaN : Date.parse(date);
  if (Number.isNaN(server)) return;
  const roundTrip = received - sent;
  const measured = server + 500 - (sent + received) / 2; // the header drops the fraction of the second
  const drifted = Math.abs(measured - offset) > 2_000 + roundTrip;
  if (roundTrip > bestRoundTrip && !drifted) return;
  bestRoundTrip = roundTrip;
  offset = measured;
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
