/**
 * Sends what waits. The report goes first, naming its photos; the photos follow one by one and in pieces, so a broken
 * connection costs one piece, not all. A record is deleted only after the service has everything.
 */
import { Problem, Unreachable } from "@grid/webkit/api";
import type { DeedIn, Receipt, ReportIn } from "../types";
import type { Alone } from "./alone";
import type { Attached, Refusal, Shelf, Waiting } from "./shelf";
import { verdictOf, waitAfter, withinReason, type Verdict } from "./verdict";

/** How far an upload has come; `complete`: the picture is stored. */
export interface Progress {
  offset: number;
  complete: boolean;
}

/** How reports and photos reach the service. */
export interface Transport {
  report(body: ReportIn, key: string, account: string): Promise<Receipt>;
  deed(body: DeedIn, key: string, account: string): Promise<void>;
  /** How far a photo has come. */
  received(report: string, photo: string, account: string): Promise<Progress>;
  /** Bytes of a photo from an offset on. */
  piece(report: string, photo: Attached, from: number, bytes: ArrayBuffer, account: string): Promise<Progress>;
}

/** Bytes of one request: small enough for a bad line and for what proxies let through. */
export const PIECE = 256 * 1024;
const NOTHING: Progress = { offset: 0, complete: false };
const SPOILED_OFTEN = 3;
const PAUSE = "outbox.pause";

export interface SenderParts {
  shelf: Shelf;
  transport: Transport;
  alone: Alone;
  clock: () => number;
  /** The service's time as far as it is known. */
  serverClock: () => number;
  /** Account that is signed in; another person's reports stay until he is back. */
  account: () => string | null;
  /** Something in the outbox changed. */
  changed: () => void;
  /** The service knows somebody else, or nobody, where the page shows the account. */
  stranger?: () => void;
}

/** The record left the outbox while it was being sent: a person took it back. */
class Gone extends Error {}

export class Sender {
  private running: Promise<void> | null = null;
  private again = false;

  constructor(private readonly parts: SenderParts) {}

  /** Send all that is due. `now` also tries what waits for its next turn (the network came back, a person asked). */
  flush(now = false): Promise<void> {
    // Whoever asks for "now" while a round is under way may know more than that round did: go round once more.
    if (this.running && now) this.again = true;
    this.running ??= this.rounds(now).finally(() => {
      this.running = null;
    });
    return this.running;
  }

  /** Until when the service asked to be left alone; null when it did not. Nobody's "now" overrides that. */
  async pausedUntil(): Promise<number | null> {
    const until = await this.parts.shelf.kept<number>(PAUSE);
    return until !== null && withinReason(until, this.parts.clock()) ? until : null;
  }

  private async rounds(now: boolean): Promise<void> {
    await this.parts.alone(() => this.sendAll(now));
    while (this.again) {
      this.again = false;
      await this.parts.alone(() => this.sendAll(true));
    }
  }

  private async sendAll(now: boolean): Promise<void> {
    const tried = new Set<string>();
    for (;;) {
      const account = this.parts.account();
      if (account === null || (await this.pausedUntil()) !== null) return;
      const next = (await this.due(account, now)).find((one) => !tried.has(one.id));
      if (!next) return;
      tried.add(next.id);
      if ((await this.sendOne(next)) === "stop") return; // no network for one is no network for the next
    }
  }

  /** Who failed last comes last, so that one report a firewall cuts off cannot keep back the others. */
  private async due(account: string, now: boolean): Promise<Waiting[]> {
    const clock = this.parts.clock();
    const open = (await this.parts.shelf.waiting(account)).filter((one) => one.state !== "needs_fix");
    const due = now ? open : open.filter((one) => !withinReason(one.nextAt, clock));
    return due.sort((a, b) => a.nextAt - b.nextAt || a.createdAt - b.createdAt);
  }

  private async sendOne(one: Waiting): Promise<Verdict> {
    try {
      if (one.deed) return await this.tell(one, one.deed);
      one.receipt ??= await this.report(one);
      one.state = "photos";
      await this.save(one, { refusal: null, trouble: null });
      await this.sendPhotos(one, one.receipt);
      await this.finish(one, one.receipt);
      return "later";
    } catch (error) {
      if (error instanceof Gone) return "later";
      if (error instanceof Problem || error instanceof Unreachable) return await this.failed(one, error);
      throw error;
    }
  }

  /** A note has no receipt: once it is there, nothing of it stays on the phone. */
  private async tell(one: Waiting, deed: DeedIn): Promise<Verdict> {
    await this.parts.transport.deed(deed, one.id, one.account);
    await this.parts.shelf.drop(one.id);
    this.parts.changed();
    return "later";
  }

  /** A phone's clock that runs ahead must not keep a report out: then its times are put right by the service's. */
  private async report(one: Waiting): Promise<Receipt> {
    const { clock, serverClock, transport } = this.parts;
    try {
      return await transport.report(one.report, one.id, one.account);
    } catch (error) {
      const early = error instanceof Problem && error.errors.some(({ field }) => field.endsWith("occurred_at"));
      const [said, server] = [Date.parse(one.report.occurred_at), serverClock()];
      const right = Math.min(said + server - clock(), server);
      if (!early || !(right < said)) throw error;
      one.report = { ...one.report, occurred_at: new Date(right).toISOString() };
      await this.save(one, {});
      return await transport.report(one.report, one.id, one.account);
    }
  }

  private async finish(one: Waiting, receipt: Receipt): Promise<void> {
    const { direct, on_the_spot, joins, text, place_words, call_now, in_grid } = one.report;
    await this.parts.shelf.finish({
      id: one.id,
      account: one.account,
      createdAt: one.createdAt,
      report: { direct, on_the_spot, joins, text, place_words, call_now, in_grid },
      receipt,
      refusedPhotos: one.photos.filter((photo) => photo.refused).length,
    });
    this.parts.changed();
  }

  private async sendPhotos(one: Waiting, receipt: Receipt): Promise<void> {
    for (const photo of one.photos) {
      if (photo.sent) continue;
      try {
        await this.upload(one, photo, receipt.id);
      } catch (error) {
        // A photo that the service refuses for good must not keep the report's other photos on the phone for ever.
        if (!this.refusedForGood(one, photo, error)) throw error;
        photo.refused = true;
      }
      photo.sent = true;
      if (!(await this.parts.shelf.delivered(one, photo))) throw new Gone();
      this.parts.changed();
    }
  }

  private refusedForGood(one: Waiting, photo: Attached, error: unknown): boolean {
    if (!(error instanceof Problem)) return false;
    if (error.code === "hash_mismatch") {
      photo.spoiled = (photo.spoiled ?? 0) + 1; // spoiled on the way; the service has thrown it away
      return photo.spoiled >= SPOILED_OFTEN;
    }
    if (error.code === "upload_in_progress") return false; // our own request that was cut off still holds it
    if (error.status === 404 && !one.again) {
      Object.assign(one, { receipt: null, state: "waiting", again: true });
      throw new Unreachable("the service knows the report no longer");
    }
    return verdictOf(error) === "refused";
  }

  /** One photo, from where the last try ended. */
  private async upload(one: Waiting, photo: Attached, report: string): Promise<void> {
    const { shelf, transport } = this.parts;
    const bytes = await shelf.bytes(one.id, photo.id);
    if (!bytes) {
      photo.refused = true; // the phone's store has lost it: there is nothing to send, and the person is told
      return;
    }
    let at = photo.begun ? await this.standing(one, photo, report) : NOTHING;
    photo.begun = true;
    await this.save(one, {});
    while (!at.complete) {
      // All bytes may be there without being a stored picture yet: the last piece, sent again, makes it one.
      const from = at.offset < bytes.byteLength ? at.offset : Math.max(0, bytes.byteLength - PIECE);
      const before = at.offset;
      at = await transport.piece(report, photo, from, bytes.slice(from, from + PIECE), one.account);
      if (!at.complete && at.offset <= before && at.offset === from) throw new Unreachable("the upload does not advance");
    }
  }

  private async standing(one: Waiting, photo: Attached, report: string): Promise<Progress> {
    try {
      return await this.parts.transport.received(report, photo.id, one.account);
    } catch (error) {
      if (!(error instanceof Problem) || error.temporary || verdictOf(error) === "stranger") throw error;
      return NOTHING; // such an answer has no words: the upload itself will say what is wrong
    }
  }

  private async failed(one: Waiting, error: Problem | Unreachable): Promise<Verdict> {
    const { clock, shelf } = this.parts;
    const verdict = verdictOf(error);
    if (verdict === "stranger") {
      await this.save(one, { trouble: "sign_in" });
      this.parts.stranger?.();
      return "stop";
    }
    const attempts = one.attempts + 1;
    if (verdict === "refused" && one.receipt === null) {
      await this.save(one, { attempts, state: "needs_fix", refusal: refusalOf(error as Problem), trouble: null });
      return verdict;
    }
    const asked = error instanceof Problem && verdict === "stop" ? (error.retryAfter ?? 0) * 1000 : 0;
    if (asked > 0) await shelf.keep(PAUSE, clock() + asked, clock());
    const trouble = error instanceof Unreachable ? "network" : verdict === "stop" ? "busy" : "server";
    await this.save(one, { attempts, trouble, nextAt: clock() + Math.max(asked, waitAfter(attempts)) });
    return verdict;
  }

  private async save(one: Waiting, changes: Partial<Waiting>): Promise<void> {
    Object.assign(one, changes);
    if (!(await this.parts.shelf.update(one))) throw new Gone();
    this.parts.changed();
  }
}

function refusalOf(error: Problem): Refusal {
  return { code: error.code, message: error.message, errors: [...error.errors] };
}
