/** Take a refused report back into the form. It leaves the outbox: what is sent next is a new report with a new key. */
import { toRaw } from "vue";
import { drop, shelf } from "../outbox";
import type { Waiting } from "../outbox/shelf";
import { draftOf } from "./draft";

export async function mend(refused: Waiting): Promise<void> {
  const { report, photos } = toRaw(refused);
  const kept = photos.map(({ id, mime, sha256, bytes, width, height }) => ({ id, mime, sha256, bytes, width, height }));
  await (await shelf()).keep("draft", draftOf(report, kept), Date.now());
  await drop(refused.id);
}
