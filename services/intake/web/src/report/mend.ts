/** Take a refused report back into the form. It leaves the outbox: what is sent next is a new report with a new key. */
import { toRaw } from "vue";
import { look, shelf } from "../outbox";
import type { Waiting } from "../outbox/shelf";
import { draftOf } from "./draft";
import { nameOf, type KeptDraft } from "./drafts";
import { showNext } from "./useDraft";

export async function mend(refused: Waiting): Promise<void> {
  const store = await shelf();
  const one = toRaw(refused);
  const draft = draftOf(one.report, await store.photosOf(one));
  const kept: KeptDraft = { at: Date.now(), draft };
  await store.takeBack(one.id, nameOf(one.account, draft.id), kept, kept.at);
  showNext(draft.id);
  await look();
}
