import "fake-indexeddb/auto";
import { Problem, Unreachable } from "@grid/webkit";
import { openDB } from "idb";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { aloneOn } from "../src/outbox/alone";
import { PIECE, Sender, type Progress, type Transport } from "../src/outbox/sender";
import { Shelf, type Attached, type Filled, type Waiting } from "../src/outbox/shelf";
import { waitAfter } from "../src/outbox/verdict";
import { waitingDeed } from "../src/report/deed";
import { emptyDraft, reportOf, waitingOf } from "../src/report/draft";
import type { DeedIn, FormOut, Receipt, ReportIn } from "../src/types";

const FORM: FormOut = {
  rulebook: "r1",
  categories: [],
  tiles: [],
  cells: { type: "FeatureCollection", features: [] },
  sample: true,
  me: { grid: null, community: null },
};
const fill = { unsure: (tile: string) => tile, danger: () => "危险" };
const problem = (status: number, code = "x", body = {}, retryAfter: number | null = null) =>
  new Problem(status, code, "", code, [], null, body, retryAfter);

/** A service that does what it should, but for what stands in `script`: one entry goes with each call. */
class Service implements Transport {
  /** `lost`: done, and the answer does not arrive. */
  script: (Error | "lost" | null)[] = [];
  always: Error | null = null;
  refusesPhoto: string | null = null;
  forgetful = false;
  readonly reports = new Map<string, { body: ReportIn; account: string }>();
  readonly deeds = new Map<string, DeedIn>();
  readonly bytes = new Map<string, number>();
  readonly stored: string[] = [];
  readonly calls: string[] = [];

  private async turn<T>(call: string, done: () => T): Promise<T> {
    this.calls.push(call);
    const next = this.script.shift() ?? this.always;
    if (next instanceof Error) throw next;
    const answer = done();
    if (next === "lost") throw new Unreachable();
    return Promise.resolve(answer);
  }

  report(body: ReportIn, key: string, account: string): Promise<Receipt> {
    return this.turn("report", () => {
      this.reports.set(key, { body, account });
      return { id: `r-${key}`, receipt_no: "FC1", case_no: null, due_at: null, track_url: "/t/x", created_at: "" };
    });
  }

  deed(body: DeedIn, key: string): Promise<void> {
    return this.turn("deed", () => void this.deeds.set(key, body));
  }

  received(_report: string, id: string): Promise<Progress> {
    return this.turn(`ask ${id}`, () => ({ offset: this.bytes.get(id) ?? 0, complete: this.stored.includes(id) }));
  }

  piece(_report: string, photo: Attached, from: number, bytes: ArrayBuffer): Promise<Progress> {
    return this.turn(`put ${photo.id} ${from}`, () => {
      if (photo.id === this.refusesPhoto) throw problem(422, "broken_image");
      if (this.forgetful) throw problem(404, "not_found");
      this.bytes.set(photo.id, from + bytes.byteLength);
      const complete = from + bytes.byteLength >= photo.size;
      if (complete && !this.stored.includes(photo.id)) this.stored.push(photo.id);
      return { offset: from + bytes.byteLength, complete };
    });
  }
}

function picture(id: string, size = 4) {
  return { id, mime: "image/jpeg", sha256: "0".repeat(64), bytes: new ArrayBuffer(size), width: 1, height: 1 };
}

function filled(account = "a1", photos: string[] = [], at = 1_000, size = 4): Filled {
  const draft = { ...emptyDraft(), placeWords: "凤城花园", tile: "litter" };
  const bodies = photos.map((id) => picture(id, size));
  return waitingOf(account, reportOf(draft, FORM, at, null, fill), bodies, at);
}

/** The next writes to the named store find no room. */
function noRoom(store: string, times: number): void {
  const { put: before } = IDBObjectStore.prototype;
  let left = times;
  IDBObjectStore.prototype.put = function (this: IDBObjectStore, ...given: Parameters<typeof before>) {
    if (this.name !== store || left === 0) return before.apply(this, given);
    left -= 1;
    if (left === 0) IDBObjectStore.prototype.put = before;
    throw new DOMException("no room", "QuotaExceededError");
  };
}

let shelf: Shelf;
let service: Service;
let sender: Sender;
let now = 0;
let serverAhead = 0;
let strangers = 0;
let account: string | null = "a1";
let n = 0;

function freshSender(): Sender {
  return new Sender({
    shelf,
    transport: service,
    alone: (work) => work(),
    clock: () => now,
    serverClock: () => now + serverAhead,
    account: () => account,
    changed: () => undefined,
    stranger: () => {
      strangers += 1;
    },
  });
}

beforeEach(async () => {
  n += 1;
  shelf = await Shelf.open(`test-${n}`);
  service = new Service();
  [now, serverAhead, strangers, account] = [10_000, 0, 0, "a1"];
  sender = freshSender();
});

afterEach(() => shelf.close());

async function put(...all: Filled[]): Promise<void> {
  for (const one of all) await shelf.put(one);
}

async function only(): Promise<Waiting> {
  const all = await shelf.waiting("a1");
  expect(all).toHaveLength(1);
  return all[0]!;
}

const deed = () => waitingDeed("a1", { text: "扶老人过马路", placeWords: "", cell: null, seenAt: 5_000 }, FORM, 9_000);

describe("a note of a good deed", () => {
  it("goes as itself, under its own key, and leaves nothing on the phone", async () => {
    const one = deed();
    await put(one);
    service.script = ["lost"];
    await sender.flush();
    await sender.flush(true);
    expect(service.calls).toEqual(["deed", "deed"]);
    expect([...service.deeds.entries()]).toEqual([[one.id, one.deed]]);
    expect(await shelf.waiting("a1")).toEqual([]);
    expect(await shelf.sent(one.id)).toBeUndefined();
  });

  it("waits to be mended where it is refused", async () => {
    await put(deed());
    service.script = [problem(422, "invalid_input")];
    await sender.flush();
    expect((await only()).state).toBe("needs_fix");
  });
});

describe("the outbox", () => {
  it("empties itself and keeps the receipt", async () => {
    const one = filled("a1", ["p1", "p2"]);
    await put(one);
    await sender.flush();
    expect(await shelf.waiting("a1")).toEqual([]);
    expect((await shelf.sent(one.id))?.receipt.receipt_no).toBe("FC1");
    expect((await shelf.lastSent("a1", 5)).map((sent) => sent.id)).toEqual([one.id]);
    expect(service.stored).toEqual(["p1", "p2"]);
    expect(await shelf.bytes(one.id, "p1")).toBeUndefined();
  });

  it("sends what came in while it was sending, without being asked again", async () => {
    const [first, second] = [filled("a1", [], 1), filled("a1", [], 2)];
    await put(first);
    const { report } = service;
    service.report = async (...given) => {
      if (service.reports.size === 0) await put(second);
      return report.apply(service, given);
    };
    await sender.flush();
    expect([...service.reports.keys()]).toEqual([first.id, second.id]);
  });

  it("keeps everything while there is no network, and sends it, oldest first, once there is", async () => {
    const [first, second] = [filled("a1", [], 1), filled("a1", [], 2)];
    await put(second, first);
    service.always = new Unreachable();
    await sender.flush();
    expect((await shelf.waiting("a1")).map(({ id, trouble }) => [id, trouble])).toEqual([
      [first.id, "network"],
      [second.id, undefined],
    ]);
    service.always = null;
    await sender.flush(true);
    expect([...service.reports.keys()].sort()).toEqual([first.id, second.id].sort());
  });

  it("waits longer after each failure, and not at all when asked", async () => {
    await put(filled());
    service.script = [new Unreachable()];
    await sender.flush();
    await sender.flush();
    expect(service.reports.size).toBe(0);
    now += waitAfter(1);
    await sender.flush();
    expect(service.reports.size).toBe(1);
    expect(waitAfter(3)).toBe(4 * waitAfter(1));
    expect(waitAfter(50)).toBe(600_000);
  });

  it("does not wait for ever when the phone's clock is put back", async () => {
    await put(filled());
    service.script = [new Unreachable()];
    now = Date.parse("2031-01-01");
    await sender.flush();
    now = Date.parse("2026-11-22");
    await sender.flush();
    expect(service.reports.size).toBe(1);
  });

  it.each([429, 503])("leaves the service alone for as long as it asked with %i, whoever says now", async (status) => {
    const [first, second] = [filled("a1", [], 1), filled("a1", [], 2)];
    await put(first, second);
    service.script = [problem(status, "busy", {}, 120)];
    await sender.flush(true);
    await freshSender().flush(true);
    expect(service.calls).toEqual(["report"]);
    expect(await sender.pausedUntil()).toBe(now + 120_000);
    now += 120_000;
    await sender.flush();
    expect(service.reports.size).toBe(2);
  });

  it.each([
    ["an error of the service", problem(500, "internal_error")],
    ["a proxy's page of error", problem(500, "http_500")],
    ["a refusal that is not the service's own", problem(403, "http_403")],
  ])("lets others pass one that meets %s", async (_what, error) => {
    const [first, second] = [filled("a1", [], 1), filled("a1", [], 2)];
    await put(first, second);
    service.script = [error];
    await sender.flush();
    expect([...service.reports.keys()]).toEqual([second.id]);
    expect(await only()).toMatchObject({ id: first.id, state: "waiting", trouble: "server", attempts: 1 });
  });

  it("tries the others first when one was cut off, even when asked to go now", async () => {
    const [bad, good] = [filled("a1", [], 1), filled("a1", [], 2)];
    await put(bad, good);
    service.script = [new Unreachable(), null, new Unreachable()];
    await sender.flush();
    await sender.flush(true);
    expect([...service.reports.keys()]).toEqual([good.id]);
  });

  it("goes round again when the network comes back in the middle of a failing round", async () => {
    await put(filled());
    service.script = [new Unreachable()];
    await Promise.all([sender.flush(), sender.flush(true)]);
    expect(service.reports.size).toBe(1);
  });

  it("sends the same key again when the answer was lost: still one report", async () => {
    const one = filled();
    await put(one);
    service.script = ["lost"];
    await sender.flush();
    expect(await only()).toMatchObject({ state: "waiting" });
    await sender.flush(true);
    expect([...service.reports.keys()]).toEqual([one.id]);
    expect(service.calls).toEqual(["report", "report"]);
    expect(await shelf.waiting("a1")).toEqual([]);
  });

  it("sends a report whose clock ran ahead with the service's time", async () => {
    now = Date.parse("2026-11-25T00:00:00Z");
    serverAhead = -3 * 86_400_000;
    await put(filled("a1", [], now - 60_000));
    const early = new Problem(422, "in_the_future", "", "", [{ field: "occurred_at", message: "时间晚于现在" }]);
    service.script = [early];
    await sender.flush();
    const [sent] = service.reports.values();
    expect(sent?.body.occurred_at).toBe("2026-11-21T23:59:00.000Z");
  });

  it("survives a restart of the page", async () => {
    const one = filled("a1", ["p1"]);
    await put(one);
    shelf.close();
    shelf = await Shelf.open(`test-${n}`);
    expect(await only()).toMatchObject({ id: one.id, report: one.report, photos: [{ id: "p1", size: 4 }] });
    expect((await shelf.photosOf(await only()))[0]?.bytes.byteLength).toBe(4);
  });

  it("takes the draft away in the same step, so that a phone that dies has one of them", async () => {
    await shelf.keep("draft", { text: "x" }, 0);
    await shelf.put(filled(), "draft");
    expect(await shelf.kept("draft")).toBeNull();
  });
});

describe("photos", () => {
  it("go on where the line broke, within the photo", async () => {
    const one = filled("a1", ["p1", "p2"], 1, PIECE + 10);
    await put(one);
    service.script = [null, null, null, null, new Unreachable()];
    await sender.flush();
    expect(service.calls).toEqual(["report", "put p1 0", `put p1 ${PIECE}`, "put p2 0", `put p2 ${PIECE}`]);
    expect(await only()).toMatchObject({ state: "photos", photos: [{ sent: true }, { sent: false, begun: true }] });
    expect(await shelf.bytes(one.id, "p1")).toBeUndefined();
    service.calls.length = 0;
    shelf.close();
    shelf = await Shelf.open(`test-${n}`);
    await freshSender().flush(true);
    expect(service.calls).toEqual(["ask p2", `put p2 ${PIECE}`]);
    expect(service.reports.size).toBe(1);
  });

  it("are not sent again when only the answer was lost", async () => {
    await put(filled("a1", ["p1"]));
    service.script = [null, "lost"];
    await sender.flush();
    await sender.flush(true);
    expect(service.calls).toEqual(["report", "put p1 0", "ask p1"]);
    expect(await shelf.waiting("a1")).toEqual([]);
  });

  it("send the last piece again where all bytes are there and the picture is not stored", async () => {
    await put(filled("a1", ["p1"], 1, PIECE + 10));
    service.script = [null, new Unreachable()];
    await sender.flush();
    service.bytes.set("p1", PIECE + 10);
    service.calls.length = 0;
    await sender.flush(true);
    expect(service.calls).toEqual(["ask p1", "put p1 10"]);
    expect(service.stored).toEqual(["p1"]);
  });

  it("that the service refuses do not hold back the others, and it is said", async () => {
    const one = filled("a1", ["p1", "p2"]);
    await put(one);
    service.refusesPhoto = "p1";
    await sender.flush();
    expect(service.stored).toEqual(["p2"]);
    expect((await shelf.sent(one.id))?.refusedPhotos).toBe(1);
  });

  it("that were spoiled on the way are sent again, but not for ever", async () => {
    const one = filled("a1", ["p1"]);
    await put(one);
    service.script = [null, problem(409, "hash_mismatch"), null, problem(409, "hash_mismatch")];
    for (let i = 0; i < 3; i += 1) await sender.flush(true);
    expect(service.stored).toEqual(["p1"]);
    const other = filled("a1", ["p2"]);
    await put(other);
    const wrong = problem(409, "hash_mismatch");
    service.script = [null, wrong, null, wrong, null, wrong];
    for (let i = 0; i < 3; i += 1) await sender.flush(true);
    expect((await shelf.sent(other.id))?.refusedPhotos).toBe(1);
  });

  it("wait while our own request that was cut off still holds the upload", async () => {
    await put(filled("a1", ["p1"]));
    service.script = [null, problem(409, "upload_in_progress")];
    await sender.flush();
    await sender.flush(true);
    expect(service.stored).toEqual(["p1"]);
  });

  it("of a report that the service has forgotten make it send the report once more", async () => {
    const one = filled("a1", ["p1"]);
    await put(one);
    service.forgetful = true;
    await sender.flush();
    service.forgetful = false;
    await sender.flush(true);
    expect(service.calls).toEqual(["report", "put p1 0", "report", "ask p1", "put p1 0"]);
    expect((await shelf.sent(one.id))?.refusedPhotos).toBe(0);
  });
});

describe("who may send", () => {
  it("shows a refused report to a person and goes on with the next", async () => {
    const [bad, good] = [filled("a1", [], 1), filled("a1", [], 2)];
    await put(bad, good);
    service.script = [new Problem(422, "place_missing", "", "请写地点", [{ field: "place_words", message: "请写地点" }])];
    await sender.flush();
    await sender.flush(true);
    expect(await only()).toMatchObject({ id: bad.id, state: "needs_fix", refusal: { message: "请写地点" } });
    expect([...service.reports.keys()]).toEqual([good.id]);
  });

  it("gives a refused report back to the form with its photos, in one step", async () => {
    await put(filled("a1", ["p1"]));
    service.script = [problem(422, "place_missing")];
    await sender.flush();
    const one = await only();
    expect((await shelf.photosOf(one)).map(({ id, bytes }) => [id, bytes.byteLength])).toEqual([["p1", 4]]);
    await shelf.takeBack(one.id, "draft:1", { text: "x" }, 5);
    expect(await shelf.waiting("a1")).toEqual([]);
    expect(await shelf.kept("draft:1")).toEqual({ text: "x" });
    expect(await shelf.bytes(one.id, "p1")).toBeUndefined();
  });

  it("never brings back what a person took out while it was being sent", async () => {
    const one = filled("a1", ["p1"]);
    await put(one);
    const { report } = service;
    service.report = async (...given) => {
      await shelf.drop(one.id);
      return report.apply(service, given);
    };
    await sender.flush();
    expect(await shelf.waiting("a1")).toEqual([]);
    expect(service.stored).toEqual([]);
  });

  it.each([
    ["the session has ended", problem(401, "not_signed_in")],
    ["somebody else is signed in by now", problem(412, "other_account")],
  ])("keeps the report when %s, and says so", async (_what, error) => {
    const one = filled();
    await put(one);
    service.script = [error];
    await sender.flush();
    expect(await only()).toMatchObject({ state: "waiting", trouble: "sign_in", attempts: 0, nextAt: 0 });
    expect(strangers).toBe(1);
    await sender.flush();
    expect(service.reports.get(one.id)?.account).toBe("a1");
  });

  it("never sends one person's report under another's name", async () => {
    await put(filled("a2"));
    await sender.flush(true);
    account = null;
    await sender.flush(true);
    expect(service.reports.size).toBe(0);
    expect(await shelf.counts("a1")).toEqual({ all: 1, mine: 0 });
    account = "a2";
    await sender.flush(true);
    expect(service.reports.size).toBe(1);
  });
});

describe("a phone without room", () => {
  it("gives up first what it can fetch again, never a draft or a report", async () => {
    await shelf.keep("places", [1], 0);
    await shelf.keep("mine:a1", [2], 0);
    await shelf.keep("draft:a1:x", [3], 0);
    noRoom("photos", 1);
    await shelf.put(filled("a1", ["p1"]));
    expect((await only()).photos).toHaveLength(1);
    expect(await shelf.kept("places")).toBeNull();
    expect(await shelf.kept("mine:a1")).toBeNull();
    expect(await shelf.kept("draft:a1:x")).toEqual([3]);
  });

  it("says so and leaves the draft where nothing helps", async () => {
    await shelf.keep("draft:a1:x", [3], 0);
    noRoom("photos", 2);
    await expect(shelf.put(filled("a1", ["p1"]), "draft:a1:x")).rejects.toMatchObject({ name: "QuotaExceededError" });
    expect(await shelf.kept("draft:a1:x")).toEqual([3]);
    expect(await shelf.waiting("a1")).toEqual([]);
  });
});

describe("the phone's store", () => {
  it("goes on after the browser closed it behind a page that slept", async () => {
    await put(filled());
    shelf.close();
    expect(await shelf.waiting("a1")).toHaveLength(1);
  });

  it("takes over what the first version of the page had kept", async () => {
    const { photos, ...rest } = filled("a1", ["p1", "p2"]);
    const old = await openDB(`old-${n}`, 1, {
      upgrade(db) {
        db.createObjectStore("outbox", { keyPath: "id" });
        db.createObjectStore("sent", { keyPath: "id" }).createIndex("createdAt", "createdAt");
        db.createObjectStore("kept", { keyPath: "name" });
        db.createObjectStore("lease", { keyPath: "name" });
      },
    });
    const [first, second] = photos;
    await old.put("outbox", { ...rest, photos: [{ ...first, sent: true }, second] });
    old.close();
    shelf = await Shelf.open(`old-${n}`);
    await freshSender().flush();
    expect(service.stored).toEqual(["p2"]);
    expect(await shelf.waiting("a1")).toEqual([]);
  });
});

describe("one page at a time", () => {
  it("holds by a lease where the browser has no locks, and frees it when its holder is gone", async () => {
    expect(await shelf.lease("outbox", "page-1", 0, 60_000)).toBe(true);
    let ran = 0;
    const work = () => {
      ran += 1;
      return Promise.resolve();
    };
    await aloneOn(shelf, "page-2", () => 30_000)(work);
    expect(ran).toBe(0);
    await aloneOn(shelf, "page-2", () => 60_000)(work);
    expect(ran).toBe(1);
    expect(await shelf.lease("outbox", "page-3", 60_001, 1)).toBe(true);
  });

  it("does not honour a lease from before the clock was put back", async () => {
    expect(await shelf.lease("outbox", "page-1", Date.parse("2031-01-01"), 60_000)).toBe(true);
    expect(await shelf.lease("outbox", "page-2", Date.parse("2026-11-22"), 60_000)).toBe(true);
  });
});
