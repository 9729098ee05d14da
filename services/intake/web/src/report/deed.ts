/** 讲: a note of a good deed, on its way through the same outbox as the reports. */
import { newId } from "@grid/webkit";
import { look, shelf, submit } from "../outbox";
import type { Filled, Waiting } from "../outbox/shelf";
import type { DeedIn, FormOut } from "../types";
import { emptyDraft, reportOf } from "./draft";

export interface DeedDraft {
  text: string;
  placeWords: string;
  cell: string | null;
  /** When it was begun, milliseconds. */
  seenAt: number | null;
}

export const emptyDeed = (): DeedDraft => ({ text: "", placeWords: "", cell: null, seenAt: null });

const nameOf = (account: string) => `deed:${account}`;

/** What was begun and not sent; the phone keeps one. */
export async function keptDeed(account: string): Promise<DeedDraft> {
  return { ...emptyDeed(), ...(await (await shelf()).kept<DeedDraft>(nameOf(account))) };
}

export async function keepDeed(account: string, draft: DeedDraft, now: number): Promise<void> {
  const store = await shelf();
  if (draft.text.trim() === "" && draft.placeWords.trim() === "") await store.forget(nameOf(account));
  else await store.keep(nameOf(account), draft, now);
}

export function waitingDeed(account: string, draft: DeedDraft, form: FormOut, now: number): Filled {
  const [text, placeWords] = [draft.text.trim(), draft.placeWords.trim()];
  const deed: DeedIn = { text, place_words: placeWords, cell: draft.cell, seen_at: new Date(draft.seenAt ?? now).toISOString() };
  const words = reportOf({ ...emptyDraft(), text, placeWords }, form, now, null, { unsure: String, danger: String });
  return {
    id: newId(),
    account,
    createdAt: now,
    report: words,
    deed,
    photos: [],
    state: "waiting",
    attempts: 0,
    nextAt: 0,
    refusal: null,
    receipt: null,
  };
}

export async function tell(account: string, draft: DeedDraft, form: FormOut, now: number): Promise<void> {
  await submit(waitingDeed(account, draft, form, now), nameOf(account));
}

/** A note that was refused goes back to be changed. */
export async function mendDeed(refused: Waiting): Promise<void> {
  const { deed, account, id } = refused;
  if (!deed) return;
  const draft: DeedDraft = {
    text: deed.text,
    placeWords: deed.place_words,
    cell: deed.cell,
    seenAt: Date.parse(deed.seen_at),
  };
  await (await shelf()).takeBack(id, nameOf(account), draft, Date.now());
  await look();
}
