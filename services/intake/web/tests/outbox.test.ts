import "fake-indexeddb/auto";
import { Problem, Unreachable } from "@grid/webkit";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { aloneOn } from "../src/outbox/alone";
import { Sender, waitAfter, type Transport } from "../src/outbox/sender";
import { Shelf, type Waiting } from "../src/outbox/shelf";
import { emptyDraft, reportOf, waitingOf } from "../src/report/draft";
import type { FormOut, Receipt, ReportIn } from "../src/types";

const FORM: FormOut = {
  rulebook: "r1",
  categories: [],
  tiles: [],
  cells: { type: "FeatureCollection", features: [] },
  sample: true,
  me: { grid: null, community: null },
};
const fill = { unsure: (tile: string) => tile, danger: () => "危险" };

/** A service that may be away, refuse, or take only some photos. */
class Service implements Transport {
  away = false;
  refuses: Problem | null = null;
  refusesPhoto: string | null = null;
  failsAfterTaking = false;
  /** The next report hangs on this and then fails. */
  hanging: Promise<void> | null = null;
  photosBeforeFailure = Number.POSITIVE_INFINITY;
  readonly reports = new Map<string, ReportIn>();
  readonly photos: string[] = [];

  report(body: ReportIn, key: string): Promise<Receipt> {
    if (this.away) return Promise.reject(new Unreachable());
    const { hanging } = this;
    this.hanging = null;
    if (hanging) return hanging.then(() => Promise.reject(new Unreachable()));
    if (this.refuses) return Promise.reject(this.refuses);
    this.reports.set(key, body);
    if (this.failsAfterTaking) return Promise.reject(new Unreachable());
    const receipt = { id: `r-${key}`, receipt_no: "FC1", case_no: null, due_at: null, track_url: "/t/x", created_at: "" };
    return Promise.resolve(receipt);
  }

  photo(_reportId: string, sent: { id: string }): Promise<void> {
    if (this.away || this.photosBeforeFailure <= 0) return Promise.reject(new Unreachable());
    if (sent.id === this.refusesPhoto) return Promise.reject(new Problem(409, "photo_differs", "", ""));
    this.photosBeforeFailure -= 1;
    this.photos.push(sent.id);
    return Promise.resolve();
  }
}

function photo(id: string) {
  return { id, mime: "image/jpeg", sha256: "0".repeat(64), bytes: new ArrayBuffer(4), width: 1, height: 1 };
}

function waiting(account = "a1", photos: string[] = [], at = 1_000): Waiting {
  const draft = { ...emptyDraft(), placeWords: "凤城花园", tile: "litter" };
  return waitingOf(account, reportOf(draft, FORM, at, null, fill), photos.map(photo), at);
}

let shelf: Shelf;
let service: Service;
let sender: Sender;
let now = 0;
let account: string | null = "a1";
let n = 0;

beforeEach(async () => {
  n += 1;
  shelf = await Shelf.open(`test-${n}`);
  service = new Service();
  now = 10_000;
  account = "a1";
  sender = new Sender({
    shelf,
    transport: service,
    alone: (work) => work(),
    clock: () => now,
    account: () => account,
    changed: () => undefined,
  });
});

afterEach(() => shelf.close());

describe("the outbox", () => {
  it("empties itself and keeps the receipt", async () => {
    const one = waiting("a1", ["p1", "p2"]);
    await shelf.put(one);
    await sender.flush();
    expect(await shelf.waiting("a1")).toEqual([]);
    expect((await shelf.sent(one.id))?.receipt.receipt_no).toBe("FC1");
    expect(service.photos).toEqual(["p1", "p2"]);
  });

  it("keeps everything while there is no network, and sends it once there is", async () => {
    service.away = true;
    const first = waiting("a1", [], 1);
    const second = waiting("a1", [], 2);
    await shelf.put(second);
    await shelf.put(first);
    await sender.flush();
    expect((await shelf.waiting("a1")).map((one) => one.id)).toEqual([first.id, second.id]);
    service.away = false;
    await sender.flush(true);
    expect([...service.reports.keys()]).toEqual([first.id, second.id]);
  });

  it("waits longer after each failure, and not at all when asked", async () => {
    service.away = true;
    const one = waiting();
    await shelf.put(one);
    await sender.flush();
    service.away = false;
    await sender.flush();
    expect(service.reports.size).toBe(0);
    now += waitAfter(1);
    await sender.flush();
    expect(service.reports.size).toBe(1);
    expect(waitAfter(3)).toBe(4 * waitAfter(1));
    expect(waitAfter(50)).toBe(600_000);
  });

  it("goes round again when the network comes back in the middle of a failing round", async () => {
    await shelf.put(waiting());
    const line = { timesOut: (): void => undefined };
    service.hanging = new Promise((resolve) => {
      line.timesOut = resolve;
    });
    const failing = sender.flush();
    const asked = sender.flush(true);
    line.timesOut();
    await Promise.all([failing, asked]);
    expect(service.reports.size).toBe(1);
  });

  it("sends the same key again when the answer was lost: still one report", async () => {
    const one = waiting();
    await shelf.put(one);
    service.failsAfterTaking = true;
    await sender.flush();
    service.failsAfterTaking = false;
    await sender.flush(true);
    expect([...service.reports.keys()]).toEqual([one.id]);
    expect(await shelf.waiting("a1")).toEqual([]);
  });

  it("goes on with the photo where the line broke", async () => {
    const one = waiting("a1", ["p1", "p2", "p3"]);
    await shelf.put(one);
    service.photosBeforeFailure = 1;
    await sender.flush();
    expect((await shelf.waiting("a1"))[0]).toMatchObject({ state: "photos", receipt: { receipt_no: "FC1" } });
    service.photosBeforeFailure = Number.POSITIVE_INFINITY;
    await sender.flush(true);
    expect(service.photos).toEqual(["p1", "p2", "p3"]);
    expect(service.reports.size).toBe(1);
  });

  it("does not let one refused photo hold back the others, and says so", async () => {
    const one = waiting("a1", ["p1", "p2"]);
    await shelf.put(one);
    service.refusesPhoto = "p1";
    await sender.flush();
    expect(service.photos).toEqual(["p2"]);
    expect((await shelf.sent(one.id))?.refusedPhotos).toBe(1);
  });

  it("shows a refused report to a person and goes on with the next", async () => {
    const bad = waiting("a1", [], 1);
    const good = waiting("a1", [], 2);
    await shelf.put(bad);
    service.refuses = new Problem(422, "place_missing", "", "请写地点", [{ field: "place_words", message: "请写地点" }]);
    await sender.flush();
    service.refuses = null;
    await shelf.put(good);
    await sender.flush(true);
    const left = await shelf.waiting("a1");
    expect(left).toHaveLength(1);
    expect(left[0]).toMatchObject({ id: bad.id, state: "needs_fix", refusal: { message: "请写地点" } });
    expect([...service.reports.keys()]).toEqual([good.id]);
  });

  it("waits for a new sign-in instead of giving a report up", async () => {
    await shelf.put(waiting());
    service.refuses = new Problem(401, "not_signed_in", "", "");
    await sender.flush();
    expect((await shelf.waiting("a1"))[0]?.state).toBe("waiting");
  });

  it("never sends one person's report under another's name", async () => {
    await shelf.put(waiting("a2"));
    await sender.flush(true);
    account = null;
    await sender.flush(true);
    expect(service.reports.size).toBe(0);
    account = "a2";
    await sender.flush(true);
    expect(service.reports.size).toBe(1);
  });

  it("survives a restart of the page", async () => {
    const one = waiting("a1", ["p1"]);
    await shelf.put(one);
    shelf.close();
    shelf = await Shelf.open(`test-${n}`);
    const [found] = await shelf.waiting("a1");
    expect(found).toEqual(one);
    expect(found?.photos[0]?.bytes.byteLength).toBe(4);
  });
});

describe("one page at a time", () => {
  it("holds by a lease where the browser has no locks, and frees it when its holder is gone", async () => {
    expect(await shelf.lease("outbox", "page-1", 0, 60_000)).toBe(true);
    let ran = false;
    const second = aloneOn(shelf, "page-2", () => 30_000);
    await second(() => {
      ran = true;
      return Promise.resolve();
    });
    expect(ran).toBe(false);
    const later = aloneOn(shelf, "page-2", () => 60_000);
    await later(() => {
      ran = true;
      return Promise.resolve();
    });
    expect(ran).toBe(true);
    expect(await shelf.lease("outbox", "page-3", 60_001, 1)).toBe(true);
  });
});
