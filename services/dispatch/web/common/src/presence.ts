/** Who has a case open: what the live line tells of others, and telling them what is open in this window. */
import { api, call, newId, Problem, session, t, Unreachable } from "@grid/webkit";
import { onScopeDispose, shallowRef, watch } from "vue";
import type { PresenceOut, PresenceTold, Present } from "./types";

/** The service takes who has said nothing for 25 seconds for gone. */
const AGAIN = 10_000;
/** Whoever runs down a list with the keyboard has none of its cases open. */
const STAYED = 400;

type Open = ReadonlyMap<string, readonly Present[]>;

/** What is open after something was told of it. Pure. */
export function after(open: Open, told: PresenceTold): Open {
  const next = new Map(told.whole ? [] : open);
  for (const one of told.cases) {
    if (one.people.length > 0) next.set(one.case_no, one.people);
    else next.delete(one.case_no);
  }
  return next;
}

/** Who is there, in words: who acts comes before who reads. Empty for nobody. */
export function whoIsThere(people: readonly Present[]): string {
  const acting = people.filter((one) => one.acting);
  const named = acting.length > 0 ? acting : people;
  if (named.length === 0) return "";
  const name = named.slice(0, 2).map((one) => one.name).join(t("act.joint"));
  const more = named.length > 2 ? t("presence.more", { name, n: named.length }) : name;
  return t(acting.length > 0 ? "presence.acting" : "presence.open", { name: more });
}

function unimportant(error: unknown): void {
  // who is where is a courtesy: the stale banner already says that the service is silent
  if (!(error instanceof Problem || error instanceof Unreachable)) throw error;
}

/** What others have open, as the page knows it. */
export function makePresence() {
  const open = shallowRef<Open>(new Map());
  return {
    hear(told: PresenceTold): void {
      open.value = after(open.value, told);
    },
    /** A tab that shares another's line has not heard what was told at its beginning. */
    async load(): Promise<void> {
      try {
        const { cases } = await api.get<PresenceOut>("/api/v1/presence");
        open.value = after(new Map(), { whole: true, cases });
      } catch (error) {
        unimportant(error);
      }
    },
    /** Everybody but the reader himself. */
    others(caseNo: string): readonly Present[] {
      return (open.value.get(caseNo) ?? []).filter((one) => one.account !== session.person?.account_id);
    },
  };
}

/** Tell the others what is open here for as long as the component lives and somebody can see it. */
export function usePresence(caseNo: () => string | null, acting: () => boolean): void {
  const seat = newId();
  const path = `/api/v1/presence/${seat}`;
  let told = false;
  let turn = Promise.resolve();
  let timer: ReturnType<typeof setTimeout> | undefined;

  function here(): string | null {
    return document.visibilityState === "visible" ? caseNo() : null;
  }

  async function say(open: string | null): Promise<void> {
    try {
      if (open !== null) await call("PUT", path, { json: { case_no: open, acting: acting() } });
      else if (told) await call("DELETE", path, { keepalive: true });
      told = open !== null;
    } catch (error) {
      unimportant(error);
    }
  }

  /** One after the other: what is said last holds. */
  function tell(): void {
    clearTimeout(timer);
    const open = here();
    turn = turn.then(() => say(open));
    if (open !== null) timer = setTimeout(tell, AGAIN);
  }

  function left(): void {
    clearTimeout(timer);
    turn = turn.then(() => say(null));
  }

  watch(
    [caseNo, acting],
    () => {
      clearTimeout(timer);
      timer = setTimeout(tell, STAYED);
    },
    { immediate: true },
  );
  document.addEventListener("visibilitychange", tell);
  addEventListener("pagehide", left);
  onScopeDispose(() => {
    document.removeEventListener("visibilitychange", tell);
    removeEventListener("pagehide", left);
    left();
  });
}
