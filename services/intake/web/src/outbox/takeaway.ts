/** What waits on this phone as one file: the last resort before the phone is cleared or handed on. */
import { t } from "@grid/webkit";
import type { Shelf, Waiting } from "./shelf";
import { zip, type Entry } from "./zip";

const two = (n: number) => String(n).padStart(2, "0");

/** Everything of these reports, each in a folder of its own: its fields, and the photos that are still here. */
export async function entriesOf(shelf: Shelf, reports: readonly Waiting[]): Promise<Entry[]> {
  const encoder = new TextEncoder();
  const entries: Entry[] = [{ name: "README.txt", bytes: encoder.encode(t("outbox.export.about")) }];
  for (const [number, one] of reports.entries()) {
    const folder = `${two(number + 1)}-${one.id}`;
    const { id, account, createdAt, report, receipt, refusal } = one;
    const said = { id, account, created_at: new Date(createdAt).toISOString(), report, receipt, refusal };
    entries.push({ name: `${folder}/report.json`, bytes: encoder.encode(`${JSON.stringify(said, null, 2)}\n`) });
    const photos = await shelf.photosOf(one);
    for (const { id: photo, bytes } of photos) {
      entries.push({ name: `${folder}/${photo}.jpg`, bytes: new Uint8Array(bytes) });
    }
  }
  return entries;
}

/** Hand the file to the browser to be saved. */
export async function takeAway(shelf: Shelf, reports: readonly Waiting[], now: Date): Promise<void> {
  const file = new Blob(zip(await entriesOf(shelf, reports), now), { type: "application/zip" });
  const day = `${now.getFullYear()}${two(now.getMonth() + 1)}${two(now.getDate())}`;
  const link = document.createElement("a");
  link.href = URL.createObjectURL(file);
  link.download = `grid-outbox-${day}-${two(now.getHours())}${two(now.getMinutes())}.zip`;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}
