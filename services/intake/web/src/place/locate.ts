/** Where the phone is: the best of three fixes within ten seconds. */
import type { Point } from "@grid/webkit";

export interface Fix extends Point {
  /** Metres. */
  accuracy: number;
  /** When it was taken, RFC 3339. */
  at: string;
}

const FIXES = 3;
const GIVE_UP = 10_000;
const GOOD_ENOUGH = 15;

/** Calls back with each better fix. Resolves with the best, or null if there is none (denied, no signal). */
export function locate(better: (fix: Fix) => void): Promise<Fix | null> {
  const geo = (navigator as Partial<Navigator>).geolocation;
  if (!geo) return Promise.resolve(null);
  return new Promise((resolve) => {
    let best: Fix | null = null;
    let seen = 0;
    const done = () => {
      clearTimeout(timer);
      geo.clearWatch(watch);
      resolve(best);
    };
    const watch = geo.watchPosition(
      ({ coords, timestamp }) => {
        seen += 1;
        if (!best || coords.accuracy < best.accuracy) {
          best = {
            lng: Number(coords.longitude.toFixed(6)),
            lat: Number(coords.latitude.toFixed(6)),
            accuracy: Math.round(coords.accuracy),
            at: new Date(timestamp).toISOString(),
          };
          better(best);
        }
        if (seen >= FIXES || best.accuracy <= GOOD_ENOUGH) done();
      },
      () => done(),
      { enableHighAccuracy: true, timeout: GIVE_UP, maximumAge: 5_000 },
    );
    const timer = setTimeout(done, GIVE_UP);
  });
}
