/**
 * Sends what waits. The report goes first, naming its photos; the photos follow one by one, so a broken connection
 * costs one photo, not all. A record is deleted only after the service has everything.
 */
import { Problem, Unreachable } from "@grid/webkit";
import type { Receipt, ReportIn } from "../types";
import type { Alone } from "./alone";
import type { Shelf, Waiting, WaitingPhoto } from "./shelf";

/** How reports and photos reach the service. */
export interface Transport {
  report(body: ReportIn, key: string): Promise<Receipt>;
  photo(reportId: string, photo: WaitingPhoto): Promise<void>;
}

const FIRST_WAIT = 5_000;
const LONGEST_WAIT = 10 * 60_000;

/** Milliseconds until the next try after so many failures. */
export function waitAfter(attempts: number): number {
  return Math.min(LONGEST_WAIT, FIRST_WAIT * 2 ** Math.max(0, attempts - 1));
}

/** Whether a refusal may go away by itself: a lost session does, with the next sign-in. */
function passing(error: unknown): boolean {
  return error instanceof Unreachable || (error instanceof Problem && (error.temporary || error.status === 401));
}

export interface SenderParts {
  shelf: Shelf;
  transport: Transport;
  alone: Alone;
  clock: () => number;
  /** Account that is signed in; another person's reports stay until he is back. */
  account: () => string | null;
  /** Something in the outbox changed. */
  changed: () => void;
}

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

  private async rounds(now: boolean): Promise<void> {
    await this.parts.alone(() => this.sendAll(now));
    while (this.again) {
      this.again = false;
      await this.parts.alone(() => this.sendAll(true));
    }
  }

  private async sendAll(now: boolean): Promise<void> {
    const account = this.parts.account();
    if (account === null) return;
    for (const one of await this.parts.shelf.waiting(account)) {
      if (one.state === "needs_fix" || (!now && one.nextAt > this.parts.clock())) continue;
      if (!(await this.sendOne(one))) return; // no network for one is no network for the next
    }
  }

  /** False: the service could not be reached. */
  private async sendOne(one: Waiting): Promise<boolean> {
    try {
      one.receipt ??= await this.parts.transport.report(one.report, one.id);
      one.state = "photos";
      one.refusal = null;
      await this.save(one);
      await this.sendPhotos(one, one.receipt);
      await this.parts.shelf.finish({
        id: one.id,
        account: one.account,
        createdAt: one.createdAt,
        report: one.report,
        receipt: one.receipt,
        refusedPhotos: one.photos.filter((photo) => photo.refused).length,
      });
      this.parts.changed();
      return true;
    } catch (error) {
      return await this.failed(one, error);
    }
  }

  private async sendPhotos(one: Waiting, receipt: Receipt): Promise<void> {
    for (const photo of one.photos) {
      if (photo.sent) continue;
      try {
        await this.parts.transport.photo(receipt.id, photo);
      } catch (error) {
        // A photo that the service refuses for good must not keep the report's other photos on the phone for ever.
        if (passing(error) || !(error instanceof Problem)) throw error;
        photo.refused = true;
      }
      photo.sent = true;
      await this.save(one);
    }
  }

  private async failed(one: Waiting, error: unknown): Promise<boolean> {
    if (!(error instanceof Problem) && !(error instanceof Unreachable)) throw error;
    one.attempts += 1;
    if (error instanceof Problem && !passing(error)) {
      one.state = "needs_fix";
      one.refusal = { code: error.code, message: error.message, errors: [...error.errors] };
      await this.save(one);
      return true;
    }
    const asked = error instanceof Problem && error.retryAfter !== null ? error.retryAfter * 1000 : 0;
    one.nextAt = this.parts.clock() + Math.max(asked, waitAfter(one.attempts));
    await this.save(one);
    return false;
  }

  private async save(one: Waiting): Promise<void> {
    await this.parts.shelf.put(one);
    this.parts.changed();
  }
}
