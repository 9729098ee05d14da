/** From the filled form to the outbox: what is missing is shown, what lies near is asked, then it goes. */
import { api, session, t } from "@grid/webkit";
import { showToast } from "vant";
import { nextTick, ref, type Ref } from "vue";
import { submit } from "../outbox";
import type { Similar } from "../types";
import { gapsOf, reportOf, UNSURE, waitingOf, type Draft, type Gap } from "./draft";
import { nameOf } from "./drafts";
import { form } from "./form";

export interface SendParts {
  draft: Draft;
  gaps: Ref<Gap[]>;
  plain: () => Draft;
  clear: () => Promise<void>;
  /** The report with this id is in the outbox. */
  sent: (id: string) => Promise<unknown>;
}

export function useSend({ draft, gaps, plain, clear, sent }: SendParts) {
  const busy = ref(false);
  const similar = ref<Similar[]>([]);
  const similarShown = ref(false);

  /** Similar open matters near by; silence means that there is nothing to ask. */
  async function findSimilar(): Promise<Similar[]> {
    if (!draft.pin || draft.danger || draft.act || !navigator.onLine) return [];
    const category = draft.category === UNSURE ? null : draft.category;
    try {
      const query = { lng: draft.pin.lng, lat: draft.pin.lat, category };
      return (await api.get<{ items: Similar[] }>("/api/v1/duplicates", query, { timeout: 3_000 })).items;
    } catch {
      return []; // a search that fails must never keep a report from going out
    }
  }

  async function press(): Promise<void> {
    const { person } = session;
    if (busy.value || !form.data || !person) return;
    gaps.value = gapsOf(draft);
    if (gaps.value.length > 0) {
      await nextTick();
      document.querySelector(`[data-gap="${gaps.value[0]}"]`)?.scrollIntoView({ block: "center", behavior: "smooth" });
      return;
    }
    busy.value = true;
    similar.value = await findSimilar();
    busy.value = false;
    if (similar.value.length > 0) similarShown.value = true;
    else await send(null, person.account_id);
  }

  /** Into the outbox, under the account that pressed: a session that ended meanwhile costs a new sign-in, no report. */
  async function send(joins: string | null, account = session.person?.account_id): Promise<void> {
    if (!form.data || !account || busy.value) return;
    busy.value = true;
    try {
      const now = Date.now();
      const content = plain();
      const report = reportOf(content, form.data, now, joins, {
        unsure: (tile) => t("form.unsure.text", { tile }),
        danger: () => t("form.danger.text"),
      });
      const waiting = waitingOf(account, report, content.photos, now, content.id);
      await submit(waiting, nameOf(account, content.id));
      await clear();
      await sent(waiting.id);
    } catch (error) {
      if (!(error instanceof DOMException)) throw error;
      showToast(t("outbox.full")); // the browser's store is full or closed: the form stays as it is
    } finally {
      busy.value = false;
    }
  }

  return { busy, similar, similarShown, press, send };
}
