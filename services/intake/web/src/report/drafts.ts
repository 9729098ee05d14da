/** Drafts of one account on this phone. Each lies under a name of its own: saving one rewrites no other's photos. */
import type { Shelf } from "../outbox/shelf";
import type { Draft } from "./draft";

export interface KeptDraft {
  /** When it was changed last, milliseconds. */
  at: number;
  draft: Draft;
}

/** Under what name the phone keeps a draft. */
export const nameOf = (account: string, id = "") => `draft:${account}:${id}`;

export async function keepDraft(store: Shelf, account: string, draft: Draft, now: number): Promise<void> {
  const kept: KeptDraft = { at: now, draft };
  await store.keep(nameOf(account, draft.id), kept, now);
}

export async function forgetDraft(store: Shelf, account: string, id: string): Promise<void> {
  await store.forget(nameOf(account, id));
}

/** The account's drafts, the one changed last first. One that went out before it could be taken away goes now. */
export async function draftsOf(store: Shelf, account: string): Promise<KeptDraft[]> {
  const kept: KeptDraft[] = [];
  for (const one of await store.keptUnder<KeptDraft>(nameOf(account))) {
    const { id } = one.draft;
    if ((await store.find(id)) ?? (await store.sent(id))) await forgetDraft(store, account, id);
    else kept.push(one);
  }
  return kept.sort((a, b) => b.at - a.at);
}
